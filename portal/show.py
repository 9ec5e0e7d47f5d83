"""How values read on a page: pure filters for the templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.views import Minute

NOTHING = "–"
LABELS = {
    "isolation": "DERs isolated",
    "in-service": "back in service",
    "out-of-service": "out of service",
}
"""Where the contract's own word does not say enough."""
TONES = {
    "trip": "bad",
    "lockout": "bad",
    "breaker-failure": "bad",
    "write-unverified": "bad",
    "isolation": "bad",
    "excursion": "warn",
    "phase-excursion": "warn",
    "fallback": "warn",
    "pickup": "warn",
    "device-loss": "warn",
    "alarm": "warn",
    "out-of-service": "warn",
    "in-service": "good",
}


def event_label(kind: str) -> str:
    """What an event is called on a page."""
    return LABELS.get(kind) or kind.replace("-", " ")


def event_tone(kind: str) -> str:
    """How much an event matters: bad, warn, good or plain."""
    return TONES.get(kind, "plain")


def power(value_w: float | None) -> str:
    """Watts as a person reads them."""
    if value_w is None:
        return NOTHING
    if abs(value_w) >= 999_950:
        return f"{value_w / 1e6:.2f} MW"
    return f"{value_w / 1e3:.1f} kW" if abs(value_w) >= 1000 else f"{value_w:.0f} W"


def energy(value_wh: float | None) -> str:
    """Watt-hours as a person reads them."""
    if value_wh is None:
        return NOTHING
    return f"{value_wh / 1e3:.2f} kWh" if abs(value_wh) >= 1000 else f"{value_wh:.1f} Wh"


def span(seconds: float | None) -> str:
    """A duration: tenths below a minute."""
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


def ago(at: datetime, now: datetime) -> str:
    """How long ago, in the one unit that matters."""
    seconds = max(0.0, (now - at).total_seconds())
    if seconds < 10:
        return "just now"
    for size, unit in ((86_400, "day"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= size:
            number = int(seconds // size)
            return f"{number} {unit}{'s' if unit == 'day' and number > 1 else ''} ago"
    return "just now"


def lasting(since: datetime, now: datetime) -> str:
    """For how long something has been so."""
    told = ago(since, now)
    return "for moments" if told == "just now" else f"for {told.removesuffix(' ago')}"


def minute_clock(at: datetime) -> str:
    """A moment to the minute, UTC."""
    return at.strftime("%Y-%m-%d %H:%M UTC")


def clock(at: datetime) -> str:
    """A moment, UTC."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def value(content: Any) -> str:
    """A setting's value; a curve as its points."""
    match content:
        case None:
            return NOTHING
        case bool():
            return "yes" if content else "no"
        case float():
            return f"{content:g}"
        case list():
            return " ".join(map(_point, content))
        case dict():
            return ", ".join(f"{key} {value(inner)}" for key, inner in content.items())
    return str(content)


def _point(content: Any) -> str:
    """A point of a curve, which does not break across lines."""
    if not isinstance(content, list):
        return value(content)
    inner = ",\u00a0".join(map(value, content))
    return f"({inner})"


@dataclass(frozen=True)
class Chart:
    """A line of export over the limit, in the coordinates of a 600 by 120 picture."""

    segments: tuple[str, ...]
    limit: tuple[str, ...]
    top_w: float
    bottom_w: float
    begins: datetime
    ends: datetime
    zero_y: float


WIDTH, HEIGHT = 600.0, 120.0


def chart(minutes: Sequence[Minute]) -> Chart | None:
    """Highest export of each minute and the limit; None when there is too little to draw."""
    known = [minute.export_max_w for minute in minutes if minute.export_max_w is not None]
    if len(minutes) < 2 or not known:
        return None
    begins, ends = minutes[0].at, minutes[-1].at
    duration = (ends - begins).total_seconds() or 1.0
    limits = [minute.limit_w for minute in minutes]
    top, bottom = max(*known, *limits, 0.0), min(*known, *limits, 0.0)
    top += 0.05 * (top - bottom or 1.0)

    def x(at: datetime) -> float:
        return (at - begins).total_seconds() / duration * WIDTH

    def y(power_w: float) -> float:
        return HEIGHT - (power_w - bottom) / ((top - bottom) or 1.0) * HEIGHT

    def line(points: Sequence[tuple[datetime, float | None]]) -> tuple[str, ...]:
        runs: list[list[str]] = [[]]
        for at, power_w in points:
            if power_w is None:
                runs.append([])
            else:
                runs[-1].append(f"{x(at):.1f},{y(power_w):.1f}")
        return tuple(" ".join(run) for run in runs if len(run) > 1)

    return Chart(
        segments=line([(minute.at, minute.export_max_w) for minute in minutes]),
        limit=line([(minute.at, minute.limit_w) for minute in minutes]),
        top_w=top,
        bottom_w=bottom,
        begins=begins,
        ends=ends,
        zero_y=y(0.0),
    )
