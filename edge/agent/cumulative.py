"""Excursions in sum: each ends within the PCS bound, and yet there may be too many of them. Pure.

Time and energy above the limit over an hour and over 24 hours, each against its threshold; control.md, "PCS bound".
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.agent.tally import DAY_S, Tally
from edge.model.site import Site

HOUR_S = 3_600.0
HOUR_AT_NAMEPLATE_S = 30.0
"""Without a threshold of the site's own: the energy of all generation for one whole bound within an hour."""
DAY_AT_NAMEPLATE_S = 120.0
"""And within 24 hours for a thirtieth of an hour: an hour in a month."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The most of one figure, s or Wh, over one window."""

    span_s: float
    span: str
    unit: str
    most: float


def thresholds(site: Site, phase: str | None = None) -> tuple[Threshold, ...]:
    """The four of a site, or of one of its phases: its own are the same there."""
    guard, all_w = site.guard, nameplate_w(site, phase) + site.unmanaged_w(phase)
    hour_wh = all_w * HOUR_AT_NAMEPLATE_S / HOUR_S if guard.over_1h_wh is None else guard.over_1h_wh
    day_wh = all_w * DAY_AT_NAMEPLATE_S / HOUR_S if guard.over_24h_wh is None else guard.over_24h_wh
    return (
        Threshold(HOUR_S, "an hour", "s", guard.over_1h_s),
        Threshold(HOUR_S, "an hour", "Wh", hour_wh),
        Threshold(DAY_S, "24 hours", "s", guard.over_24h_s),
        Threshold(DAY_S, "24 hours", "Wh", day_wh),
    )


def nameplate_w(site: Site, phase: str | None) -> float:
    """Of all DERs, or what of it is on one phase."""
    return sum(der.nameplate_w * (1.0 if phase is None else site.share(der, phase)) for der in site.der)


class Cumulative:
    """Says once that a threshold was passed, and again only after the sum was at or below it."""

    def __init__(self, site: Site, phase: str | None = None) -> None:
        self._thresholds = thresholds(site, phase)
        self._where = (
            "export above the limit" if phase is None else f"export on phase {phase} above its limit"
        )
        self._over: frozenset[Threshold] = frozenset()

    def look(self, tally: Tally, wall_s: float) -> list[str]:
        """A sentence for each threshold that was passed since the last look."""
        sums = {each: _figure(tally, each, wall_s) for each in self._thresholds}
        over = frozenset(each for each, figure in sums.items() if figure > each.most)
        told = [
            f"{self._where} adds up to {sums[each]:.1f} {each.unit} in {each.span}, more than"
            f" {each.most:.1f} {each.unit}"
            for each in self._thresholds
            if each in over - self._over
        ]
        self._over = over
        return told


def _figure(tally: Tally, threshold: Threshold, wall_s: float) -> float:
    known = tally.over(threshold.span_s, wall_s)
    return known.duration_s if threshold.unit == "s" else known.energy_wh
