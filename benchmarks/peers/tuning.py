"""The best that can be made of each law: a search of its declared space, on seeds that nobody is judged by.

Candidates are drawn at random (the defaults among them) and screened on a part of the plants; then the neighbours of
the best so far, one parameter one notch away. What no other dominates is run on all plants and thinned to a front.
What was found stands in `tuned.json`, so that a comparison need not search again: the limiter is not part of it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.peers import open_dynamic_export, opendtu_onbattery, openems, zero_injection
from benchmarks.peers.judge import Point, dominates
from benchmarks.peers.law import Tuning

Space = Mapping[str, Sequence[float]]
Judge = Callable[[Sequence[Tuning]], list[Point]]
"""Runs each tuning on a set of cases."""

TUNED = Path(__file__).with_name("tuned.json")
AT_MOST = 6
"""Points of a front that are kept."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A law: its parameters at their defaults, and the values that the search may give them."""

    name: str
    default: Any
    space: Space


PEERS = (
    Peer("OpenEMS", openems.OpenEms(), openems.SPACE),
    Peer("open-dynamic-export", open_dynamic_export.OpenDynamicExport(), open_dynamic_export.SPACE),
    Peer("zero-injection", zero_injection.ZeroInjection(), zero_injection.SPACE),
    Peer("OpenDTU-OnBattery", opendtu_onbattery.OpenDtuOnBattery(), opendtu_onbattery.SPACE),
)


def drawn(peer: Peer, count: int, seed: int) -> list[Tuning]:
    """The defaults and `count` random points of the space."""
    draw = random.Random(f"{peer.name} {seed}")
    points = [{key: draw.choice(values) for key, values in peer.space.items()} for _ in range(count)]
    return _each_once([peer.default, *(replace(peer.default, **point) for point in points)])


def neighbours(peer: Peer, tuning: Any) -> list[Tuning]:
    """All tunings in which one parameter has the next value of its list, up or down."""
    found = []
    for key, values in peer.space.items():
        at = values.index(getattr(tuning, key))
        found += [
            replace(tuning, **{key: values[other]}) for other in (at - 1, at + 1) if 0 <= other < len(values)
        ]
    return found


def search(peer: Peer, screen: Judge, train: Judge, *, count: int, seed: int = 1) -> list[Tuning]:
    """The tunings of `peer` that no other found one dominates, by rising excursion energy."""
    first = drawn(peer, count, seed)
    known = dict(zip(first, screen(first), strict=True))
    near = _each_once([other for best in _best(known) for other in neighbours(peer, best)])
    fresh = [tuning for tuning in near if tuning not in known]
    fresh = random.Random(seed).sample(fresh, min(count, len(fresh)))
    known |= dict(zip(fresh, screen(fresh), strict=True))
    finalists = thinned_front(_best(known), AT_MOST + 2)
    return thinned_front(_best(dict(zip(finalists, train(finalists), strict=True))), AT_MOST)


def thinned_front(tunings: list[Tuning], at_most: int) -> list[Tuning]:
    """No more than `at_most` of them, evenly along the front, its ends included."""
    if len(tunings) <= at_most:
        return tunings
    return [tunings[round(index * (len(tunings) - 1) / (at_most - 1))] for index in range(at_most)]


def _best(known: Mapping[Tuning, Point]) -> list[Tuning]:
    """Those that no other dominates, by rising excursion energy."""
    best = [
        tuning for tuning, at in known.items() if not any(dominates(other, at) for other in known.values())
    ]
    return sorted(best, key=lambda tuning: known[tuning].over_wh_per_h)


def _each_once(tunings: list[Any]) -> list[Tuning]:
    return list(dict.fromkeys(tunings))


def write(found: Mapping[str, Sequence[Tuning]], path: Path = TUNED) -> None:
    """Keep what a search found, by the name of the peer."""
    tables = {name: [asdict(one) for one in tunings] for name, tunings in found.items()}  # type: ignore[call-overload]  # each is a dataclass
    path.write_text(json.dumps(tables, indent=1) + "\n", encoding="utf-8")


def read(path: Path = TUNED) -> dict[str, list[Tuning]]:
    """What the last search found."""
    tables = json.loads(path.read_text(encoding="utf-8"))
    return {
        peer.name: [replace(peer.default, **table) for table in tables.get(peer.name, [])] for peer in PEERS
    }
