"""What an onlooker of the guard remembers: from inputs and commands alone, never from the guard's own timers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Watched(NamedTuple):
    """Of one element's quantity. Times are relative to the last scan, so none is positive.

    `calm_s`: power behind the contact was last possibly at or below pickup. `below_s`: the last good sample at or
    below pickup, and `above`: the last one was not. `sure_s`: the last sample at which no element times.
    """

    calm_s: float = 0.0
    below_s: float = 0.0
    above: bool = False
    sure_s: float = 0.0


class Excursion(NamedTuple):
    """Of one PCS bound. `over_s`: an excursion beyond it since then; `under_s`: in it, back below since then.

    `under_last_s`: the last sample before it.
    """

    over_s: float | None = None
    under_s: float | None = None
    under_last_s: float = 0.0


class Seen(NamedTuple):
    """Times are relative to the last scan, so none is positive.

    `elements`, `bounds`: of each. `sample_s`: the last good sample. `moved_s`: the contact's command last changed.
    `der_s`: the DER's last measurement. `low_s`: it is told to stop since then; `defies_s`: since then it is seen
    not to. `welded`: the contact was seen closed, and not open since, when it should have been open. `trips`: ages of
    the trips that count, in half days.
    """

    elements: tuple[Watched, ...]
    bounds: tuple[Excursion, ...]
    sample_s: float = 0.0
    moved_s: float = 0.0
    der_s: float = -1e9
    low_s: float | None = None
    defies_s: float | None = None
    welded: bool = False
    trips: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Horizons:
    """Ages past which a time is all the same to the rules: what each of them is compared with."""

    calm_s: float
    delay_s: float
    blind_s: float
    bound_s: float
    under_s: float
    moved_s: float
    der_s: float
    patience_s: float
    defies_s: float


def aged(seen: Seen, gap_s: float, half_days: int, far: Horizons) -> Seen:
    """What is remembered, `gap_s` later."""
    return Seen(
        tuple(
            [
                Watched(
                    max(was.calm_s - gap_s, -far.calm_s),
                    max(was.below_s - gap_s, -far.delay_s),
                    was.above,
                    max(was.sure_s - gap_s, -far.delay_s),
                )
                for was in seen.elements
            ]
        ),
        tuple(
            [
                Excursion(
                    None if was.over_s is None else max(was.over_s - gap_s, -far.bound_s),
                    None if was.under_s is None else max(was.under_s - gap_s, -far.under_s),
                    max(was.under_last_s - gap_s, -far.bound_s),
                )
                for was in seen.bounds
            ]
        ),
        max(seen.sample_s - gap_s, -far.blind_s),
        max(seen.moved_s - gap_s, -far.moved_s),
        max(seen.der_s - gap_s, -far.der_s),
        None if seen.low_s is None else max(seen.low_s - gap_s, -far.patience_s),
        None if seen.defies_s is None else max(seen.defies_s - gap_s, -far.defies_s),
        seen.welded,
        tuple(age + half_days for age in seen.trips if age + half_days < 2) if half_days else seen.trips,
    )
