"""What a driver hands over: one answer of one device, with the times of its request.

Times are monotonic seconds; powers in W, voltages in V, frequency in Hz. `None` means that the device does
not implement the point or answered a not-implemented sentinel: absent, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device says it is; `nameplate_w` is its rating (SunSpec 702 WMaxRtg or 120 WRtg)."""

    manufacturer: str
    model: str
    version: str
    serial: str
    nameplate_w: float | None = None
    nameplate_va: float | None = None


@dataclass(frozen=True, slots=True)
class MeterRaw:
    """One answer of the PCC meter.

    Powers carry the site's sign already (positive out to the grid); those by phase are of phase a, b and c. `raw`
    holds the V, I, P and f registers as read: when none of them changed, the answer is not a new measurement.
    """

    request_sent_s: float
    received_s: float
    export_w: float | None
    phase_export_w: tuple[float | None, ...]
    v_v: float | None
    f_hz: float | None
    raw: tuple[int, ...]
    export_var: float | None = None
    phase_export_var: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class DerRaw:
    """One answer of an inverter; `output_w` is positive when generating, `v_v` line to neutral.

    `soc_pu` is the state of charge of storage, of its capacity.
    """

    request_sent_s: float
    received_s: float
    output_w: float | None
    v_v: float | None
    f_hz: float | None
    raw: tuple[int, ...] = ()
    soc_pu: float | None = None
