"""The answer to `status`: the whole picture of a site as its agent has it.

Times are monotonic seconds of the gateway; powers in W, export positive out to the grid.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contract.message import Message


class Shown(Message):
    """A sample as people see it; `value` is None unless the quality is good or stale."""

    value: float | None
    age_s: float | None
    quality: Literal["good", "stale", "invalid", "absent"]


class PccStatus(Message):
    """The point of common coupling."""

    export_w: Shown
    v_pu: Shown
    f_hz: Shown
    phase_export_w: tuple[Shown, ...] = ()
    """Of phase a, b and c where they are limited."""
    export_var: Shown | None = None
    """Where apparent power is limited."""


class DerStatus(Message):
    """One DER."""

    name: str
    nameplate_w: float
    output_w: Shown
    limit_w: Shown
    reachable: bool
    refused: bool
    floor_w: Shown | None = None
    """Of storage: the other end of its band, negative while it may absorb."""
    soc_pu: Shown | None = None
    """Of storage: its state of charge."""


class OutputStatus(Message):
    """One trip output: what is commanded, and what its contact shows (1.0 closed)."""

    name: str
    commanded_closed: bool
    closed: Shown


class ImageStatus(Message):
    """The last process image."""

    scan: int
    at_s: float
    pcc: PccStatus
    ders: tuple[DerStatus, ...]
    outputs: tuple[OutputStatus, ...]


class LimitStatus(Message):
    """One entry of the limit stack: DER output allowed (of `der`, or in sum), and by whom.

    Those on the sum come first, the tightest of them before the others; then those on a phase or on one DER.
    """

    limit_w: float
    by: str
    der: str | None = None


class ElementStatus(Message):
    """A protection element. `export_w` thresholds are in export direction (32F and import: negative)."""

    name: str
    pickup_w: float
    dropout_w: float
    delay_s: float
    picked_up: bool
    elapsed_s: float
    operated: bool
    blocked: bool


class TripStatus(Message):
    """The trip latch and what stands between it and service."""

    tripped: bool
    target: str | None
    service: Literal["in-service", "waiting", "ramping", "tripped", "lockout"]
    remaining_s: float | None
    trips_24h: int
    lockout: bool


class ScanStatus(Message):
    """How the scans keep their time; `late` counts those that overran their period."""

    period_s: float
    count: int
    late: int
    p99_s: float


class WriteStatus(Message):
    """Limit writes to DERs since the start."""

    sent: int
    verified: int
    refused: int


class ExcursionSum(Message):
    """Excursions of a time: how many began in it, how long they lasted and what they exported too much."""

    count: int = 0
    duration_s: float = 0.0
    energy_wh: float = 0.0


class ExcursionSums(Message):
    """Excursions of the last hour, 24 hours and 30 days, also those from before the last restart."""

    last_1h: ExcursionSum = ExcursionSum()
    last_24h: ExcursionSum = ExcursionSum()
    last_30d: ExcursionSum = ExcursionSum()


class ExcursionStatus(ExcursionSums):
    """The same of the whole site, and of each phase with a limit of its own."""

    phases: dict[str, ExcursionSums] = Field(default_factory=dict)


class LinkStatus(Message):
    """The link process and what waits in the spool for the portal's receipt."""

    alive: bool
    pending: int


class Pids(Message):
    """Process ids of the gateway's processes."""

    agent: int
    link: int | None


class Status(Message):
    """The answer to `status`."""

    pids: Pids
    site: str
    mode: Literal["starting", "regulating", "fallback", "tripped", "entering-service"]
    export_limit_w: float
    target_w: float
    image: ImageStatus
    limits: tuple[LimitStatus, ...]
    elements: tuple[ElementStatus, ...]
    trip: TripStatus
    scan: ScanStatus
    writes: WriteStatus
    fallbacks: int
    trips: int
    link: LinkStatus
    overrides: tuple[str, ...] = ()
    excursions: ExcursionStatus = ExcursionStatus()
