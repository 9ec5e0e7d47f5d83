"""How wrong the measured power can be where an element picks up: a 32R pickup is small beside the flow of reactive power.

At the pickup there is next to no active power, so what turns the current against the voltage counts most: the
transformers' phase displacement makes active power out of reactive power. Terms are added, as if all erred one way.
Source: control.md of the project, "The guard"; IREC 2023 Section IV.B.3.a.i for the pickup itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot, radians, sin

from edge.guard.finding import Finding, Level
from edge.guard.settings import ElementSettings, GuardSettings
from edge.model.site import Instruments, Site

MINUTES_OF_ARC = 60.0
WARN_FROM = 0.5
"""Share of the pickup from which on the error is a warning; at the whole pickup it is refused."""


@dataclass(frozen=True, slots=True)
class Error:
    """The largest error of the measured power, as a sum: each term a label and W."""

    terms: tuple[tuple[str, float], ...]

    @property
    def total_w(self) -> float:
        """The sum of the terms."""
        return sum(watts for _, watts in self.terms)

    def spelled(self) -> str:
        """The sum as people check it: `40.0 meter + 87.3 phase displacement = 127.3 W`."""
        parts = " + ".join(f"{watts:.1f} {label}" for label, watts in self.terms)
        return f"{parts} = {self.total_w:.1f} W"


def error_at(instruments: Instruments, power_w: float) -> Error:
    """The error at a power of `power_w`, either sign, with the expected reactive flow beside it."""
    flow_var = instruments.expected_var
    angle_rad = radians(instruments.angle_error_min / MINUTES_OF_ARC)
    return Error(
        (
            ("meter", instruments.meter_error_pct / 100 * hypot(power_w, flow_var)),
            ("ratio", instruments.ratio_error_pct / 100 * abs(power_w)),
            ("phase displacement", flow_var * sin(angle_rad)),
            ("creep", instruments.creep_w),
        )
    )


def level_of(error_w: float, pickup_w: float) -> Level:
    """What an error means for a pickup of `pickup_w` (not negative): refused, doubtful or fine."""
    if error_w >= pickup_w:
        return "problem"
    return "warning" if error_w >= WARN_FROM * pickup_w else "fact"


def measured(site: Site, settings: GuardSettings) -> Iterator[Finding]:
    """Each 32R pickup, that of each phase too, against the error of what it sees."""
    for index, given in enumerate(site.guard.element):
        if given.kind == "32R":
            yield _against(site, f"guard.element[{index}].pickup_w", settings.elements[index])
            for element in settings.further:
                if element.name.startswith("32R-"):
                    yield _against(site, f"guard.element[{index}].pickup_phase_w", element)


def _against(site: Site, path: str, element: ElementSettings) -> Finding:
    instruments = site.meter.instruments
    if instruments is None:
        return Finding(
            "warning",
            path,
            f"nothing shows that a {element.name} pickup of {element.pickup_w:g} W can be measured here: [meter.instruments] is"
            " missing (errors of meter and transformers, expected reactive flow, creep)",
        )
    error = error_at(instruments, element.pickup_w)
    share = f" ({100 * error.total_w / element.pickup_w:.0f} % of it)" if element.pickup_w > 0 else ""
    said = {
        "problem": "the element could operate on it alone, or never; at or above the pickup is refused",
        "warning": "from half of the pickup on it is worth better instruments",
        "fact": "below half of the pickup",
    }
    level = level_of(error.total_w, element.pickup_w)
    return Finding(
        level,
        path,
        f"measuring error at a {element.name} pickup of {element.pickup_w:g} W and a reactive flow of"
        f" {instruments.expected_var:g} var: {error.spelled()}{share}; {said[level]}",
    )
