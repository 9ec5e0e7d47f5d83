"""Trip clearing: 10,000 random onsets with lost, late and repeated samples, and as many short excursions.

Onset is the true one; clearing ends when the contact is open and true export is at or below the limit. In some the
agent dies while the element is timing, or the write that opens the contact is lost: then it is the dead-man that
opens. An operation counts as one by lost sensing when the guard went without a new sample for longer than healthy
operation with one lost sample may take; what `target` says is shown beside it.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import repeat
from multiprocessing import get_context

from benchmarks.onset import DT_S, WIRE_S, Ending, Plant, Trouble, in_service, onset, twin
from benchmarks.response import demo_site
from benchmarks.rows import Row, percentile
from edge.guard import budget
from edge.model.site import Site

ONSETS = 10_000
_PLANTS = 8
_CHUNK = 250


@dataclass(frozen=True, slots=True)
class Case:
    """An onset: which site, which trouble; `lasts_s` is the length of a short excursion, else infinite."""

    site: str
    trouble: Trouble
    lasts_s: float
    ending: Ending

    @property
    def blind(self) -> bool:
        """Whether more was lost than one sample."""
        return self.ending.blind_s > budget.security(SITES[self.site]).total_s


def _site(period_s: float, latency_s: float, scan_s: float, timeout_s: float) -> Site:
    demo = demo_site(None)
    meter = demo.meter.model_copy(
        update={"period_s": period_s, "latency_s": latency_s, "timeout_s": timeout_s, "poll_s": None}
    )
    control = demo.control.model_copy(update={"scan_s": scan_s})
    return demo.model_copy(update={"meter": meter, "control": control})


SITES = {
    "demo, 0.2 s": demo_site(None),
    "fast, 0.1 s": _site(0.1, 0.05, 0.1, 0.1),
    "slow, 0.4 s": _site(0.4, 0.1, 0.1, 0.1),
}
"""By the meter's period; the demo's otherwise, delay "auto"."""


def rule_s(site: Site) -> float:
    """The delay less (period + averaging + latency + scan): no guard that clears in time holds it, decision 14."""
    meter = site.meter
    delay_s = budget.auto_delay_s(site)
    return delay_s - (meter.period_s + meter.averaging_s + meter.latency_s + site.control.scan_s)


def sure_s(site: Site, late: float) -> float:
    """An excursion shorter than this operates no element while no measurement is missed; `late`: answers may be."""
    takes_s = site.meter.transaction_s if late else WIRE_S
    return max(0.0, budget.auto_delay_s(site) - budget.unseen(site, takes_s + DT_S).total_s)


def trouble(draw: random.Random) -> Trouble:
    """Something of everything; a third of the onsets have a sound meter."""
    share = draw.choice((0.0, 0.0, 0.1, 0.3, 0.7, 1.0))
    return Trouble(
        lost=share * draw.random(),
        late=share * draw.random(),
        repeated=draw.choice((0.0, 0.0, 0.2, 1.0)) * share,
        dies_s=draw.uniform(0.0, 2.0) if draw.random() < 0.1 else math.inf,
        deaf=draw.random() < 0.1,
        hidden_s=draw.uniform(0.0, 1.2) if draw.random() < 0.3 else None,
    )


@cache
def _settled(name: str, seed: int) -> Plant:
    return in_service(SITES[name], seed)


def case(number: int, *, short: bool) -> Case:
    """The onset with this number; every draw in it is its own."""
    draw = random.Random(f"onset {number} {short}")
    name = list(SITES)[number % len(SITES)]
    plant = twin(_settled(name, draw.randrange(_PLANTS)), number)
    plant.run(draw.uniform(0.0, 1.0))
    happens = trouble(draw)
    lasts_s = math.inf
    if short:
        happens = Trouble(happens.lost, happens.late, happens.repeated)
        sure = sure_s(SITES[name], happens.late)
        lasts_s = draw.uniform(DT_S, draw.choice((sure, rule_s(SITES[name]))) or rule_s(SITES[name]))
    return Case(name, happens, lasts_s, onset(plant, happens, lasts_s))


def cases(numbers: Sequence[int], short: bool) -> list[Case]:
    """Several onsets."""
    return [case(number, short=short) for number in numbers]


def _all(count: int, *, short: bool) -> list[Case]:
    """All onsets, on two cores."""
    chunks = [range(at, min(at + _CHUNK, count)) for at in range(0, count, _CHUNK)]
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        return [each for found in pool.map(cases, chunks, repeat(short)) for each in found]


def measure(count: int = ONSETS) -> list[Row]:
    """Rows of the table; it is virtual time."""
    onsets, shorts = _all(count, short=False), _all(count, short=True)
    return [*clearing_rows(onsets), *short_rows(shorts)]


def clearing_rows(onsets: list[Case]) -> list[Row]:
    """How long it took, the worst on each site, and by what it operated."""
    said = f"{len(onsets)} onsets"
    times_s = [math.inf if each.ending.cleared_s is None else each.ending.cleared_s for each in onsets]
    rows = [
        Row("trip clearing, worst", max(times_s), "s", said, goal=budget.CLEARING_BOUND_S),
        Row("trip clearing, median", percentile(times_s, 0.5), "s", said),
    ]
    hidden_s = [at_s for at_s, each in zip(times_s, onsets, strict=True) if each.trouble.hidden_s is not None]
    rows.append(
        Row(
            "trip clearing, last value hidden, worst",
            max(hidden_s, default=0.0),
            "s",
            f"{len(hidden_s)} onsets",
        )
    )
    for name in SITES:
        of_site_s = [at_s for at_s, each in zip(times_s, onsets, strict=True) if each.site == name]
        rows.append(Row(f"trip clearing, {name}, worst", max(of_site_s), "s", f"{len(of_site_s)} onsets"))
    targets = Counter(each.ending.target or "dead-man, agent gone" for each in onsets)
    rows += [
        Row(f"trip clearing, by {target}", number, "", said) for target, number in sorted(targets.items())
    ]
    return [*rows, Row("trip clearing, lost sensing", sum(each.blind for each in onsets), "", said)]


def short_rows(shorts: list[Case]) -> list[Row]:
    """Operations on excursions too short for one, by what sampling allows; and on those that only look so."""
    sure = [each for each in shorts if each.lasts_s < sure_s(SITES[each.site], each.trouble.late)]
    seeing = [each for each in sure if not each.ending.missed]
    sound = [each for each in shorts if each.trouble == Trouble()]
    rows = []
    for name, site in SITES.items():
        here = [each for each in seeing if each.site == name]
        shortest_s = sure_s(site, 0.0)
        said = f"{len(here)} excursions, none missed; below {shortest_s:.2f} s with answers in time"
        rows.append(Row(f"operations on short excursions, {name}", operated(here), "", said, goal=0))
    for name, site in SITES.items():
        here = [each for each in sound if each.site == name]
        said = f"{len(here)} excursions, sound meter; below {rule_s(site):.2f} s"
        rows.append(Row(f"operations below one period, {name}", operated(here), "", said))
    troubled = [each for each in shorts if each.trouble != Trouble()]
    said = f"{len(troubled)} excursions"
    return [*rows, Row("operations, late, lost or repeated samples", operated(troubled), "", said)]


def operated(shorts: list[Case]) -> int:
    """How many of them ended in a trip."""
    return sum(each.ending.target is not None for each in shorts)
