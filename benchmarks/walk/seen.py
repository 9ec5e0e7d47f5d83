"""What an onlooker of the guard remembers: from inputs and commands alone, never from the guard's own timers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Seen(NamedTuple):
    """Times are relative to the last scan, so none is positive.

    `calm_s`: power behind the contact was last possibly at or below pickup. `below_s`: the last good sample at or
    below pickup, and `above`: the last one was not. `sure_s`: the last sample at which no element times. `sample_s`:
    the last good sample. `over_s`: an excursion beyond the PCS bound since then; `under_s`: in it, back below since
    then; `under_last_s`: the last sample before it. `moved_s`: the contact's command last changed. `der_s`: the
    DER's last measurement. `low_s`: it is told to stop since then; `defies_s`: since then it is seen not to.
    `welded`: the contact was seen closed, and not open since, when it should have been open.
    `trips`: ages of the trips that count, in half days.
    """

    calm_s: float = 0.0
    below_s: float = 0.0
    above: bool = False
    sure_s: float = 0.0
    sample_s: float = 0.0
    over_s: float | None = None
    under_s: float | None = None
    under_last_s: float = 0.0
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
        _older(seen.calm_s, gap_s, far.calm_s),
        _older(seen.below_s, gap_s, far.delay_s),
        seen.above,
        _older(seen.sure_s, gap_s, far.delay_s),
        _older(seen.sample_s, gap_s, far.blind_s),
        None if seen.over_s is None else _older(seen.over_s, gap_s, far.bound_s),
        None if seen.under_s is None else _older(seen.under_s, gap_s, far.under_s),
        _older(seen.under_last_s, gap_s, far.bound_s),
        _older(seen.moved_s, gap_s, far.moved_s),
        _older(seen.der_s, gap_s, far.der_s),
        None if seen.low_s is None else _older(seen.low_s, gap_s, far.patience_s),
        None if seen.defies_s is None else _older(seen.defies_s, gap_s, far.defies_s),
        seen.welded,
        tuple(age + half_days for age in seen.trips if age + half_days < 2) if half_days else seen.trips,
    )


def _older(at_s: float, gap_s: float, most_s: float) -> float:
    return max(at_s - gap_s, -most_s)
