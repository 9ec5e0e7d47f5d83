"""What status and stream show of a scan's state; read by people and records, never by control."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["starting", "regulating", "fallback", "tripped", "entering-service"]
Service = Literal["in-service", "waiting", "ramping", "tripped", "lockout"]


@dataclass(frozen=True, slots=True)
class ElementView:
    """One protection element; thresholds in export direction, W."""

    name: str
    pickup_w: float
    dropout_w: float
    delay_s: float
    picked_up: bool
    elapsed_s: float
    operated: bool
    blocked: bool


@dataclass(frozen=True, slots=True)
class View:
    """The state after a scan."""

    mode: Mode
    export_limit_w: float
    target_w: float
    elements: tuple[ElementView, ...]
    tripped: bool
    target: str | None
    service: Service
    remaining_s: float | None
    trips_24h: int
    lockout: bool
    fallbacks: int
    trips: int
