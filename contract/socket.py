"""Messages on the agent's local socket: one JSON object a line, a request answered by its `id`.

The socket is how every other process sees the site and asks for anything on it. A request can narrow what the
limiter allows, never widen it; what it narrows lapses when its time is over or its connection closes.
Times are monotonic seconds of the gateway; powers in W, export positive out to the grid.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from contract.message import Message
from contract.status import ExcursionStatus


class StatusRequest(Message):
    """Ask for the whole picture: the answer is a `Status`."""

    op: Literal["status"] = "status"


class SiteRequest(Message):
    """Ask for the site file in force: the answer is a `SiteInForce`."""

    op: Literal["site"] = "site"


class DevicesRequest(Message):
    """Ask who the devices are: the answer is a `Devices`."""

    op: Literal["devices"] = "devices"


class ReadModelsRequest(Message):
    """Read SunSpec models of a device (all of them when `models` is empty): the answer is a `Models`."""

    op: Literal["read_models"] = "read_models"
    device: str
    models: tuple[int, ...] = ()


class WritePointsRequest(Message):
    """Write points of one model in real units and read them back: the answer is a `Written`.

    Models that hold the active power limit (121, 123, 704) are refused: the limit belongs to the limiter.
    """

    op: Literal["write_points"] = "write_points"
    device: str
    model: int
    values: dict[str, int | float]


class AdoptCurveRequest(Message):
    """Write a curve into a free set of model 705 or 706 and adopt it: the answer is a `Written`.

    `points` are (x, y) pairs in the model's units (705: V in %, Var in %; 706: V in %, W in %); `settings`
    are other points of the curve group, such as RspTms and DeptRef; `enable` sets the model's Ena after.
    """

    op: Literal["adopt_curve"] = "adopt_curve"
    device: str
    model: Literal[705, 706]
    points: tuple[tuple[float, float], ...]
    settings: dict[str, int | float] = Field(default_factory=dict)
    enable: bool = True


class OverrideRequest(Message):
    """Narrow for a test, for at most `ttl_s`: the answer is an `Accepted`.

    `limit_w` caps the sum of DER output, or one `der`; `pickup_w` lowers the export elements' pickup; `blind`
    hides the PCC meter from the agent. It ends with the connection that asked for it.
    """

    op: Literal["override"] = "override"
    by: str
    ttl_s: float = Field(gt=0, le=600)
    limit_w: float | None = Field(None, ge=0)
    der: str | None = None
    pickup_w: float | None = None
    blind: bool = False


class ClearOverridesRequest(Message):
    """End this connection's overrides now: the answer is an `Accepted`."""

    op: Literal["clear_overrides"] = "clear_overrides"


class ResetRequest(Message):
    """Reset the trip latch by hand; refused while its cause stands: the answer is an `Accepted`."""

    op: Literal["reset"] = "reset"
    by: str


class RecordRequest(Message):
    """Put a record into the spool, for the portal: the answer is a `Recorded`."""

    op: Literal["record"] = "record"
    kind: str
    payload: dict[str, Any]


class EventsRequest(Message):
    """Ask for the newest events kept: the answer is an `Events`."""

    op: Literal["events"] = "events"
    last: int = Field(100, ge=1, le=10_000)


class StreamRequest(Message):
    """Ask for a `Scan` after each scan, until the connection closes; the first answer is an `Accepted`."""

    op: Literal["stream"] = "stream"


Request = Annotated[
    StatusRequest
    | SiteRequest
    | DevicesRequest
    | ReadModelsRequest
    | WritePointsRequest
    | AdoptCurveRequest
    | OverrideRequest
    | ClearOverridesRequest
    | ResetRequest
    | RecordRequest
    | EventsRequest
    | StreamRequest,
    Field(discriminator="op"),
]


class Question(Message):
    """A request on the wire."""

    id: int
    request: Request


class Answer(Message):
    """What comes back for `id`: a result, or one sentence that says why not. Streamed scans repeat the id."""

    id: int
    result: dict[str, Any] | None = None
    error: str | None = None


class SiteInForce(Message):
    """The answer to `site`: the file's text and hash, and where it lies."""

    path: str
    sha256: str
    text: str


class Device(Message):
    """One device and who it says it is; identity is None until it answered."""

    name: str
    role: Literal["meter", "der", "trip-output"]
    uri: str
    reachable: bool
    manufacturer: str | None = None
    model: str | None = None
    version: str | None = None
    serial: str | None = None
    nameplate_w: float | None = None


class Devices(Message):
    """The answer to `devices`."""

    devices: tuple[Device, ...]


class Models(Message):
    """The answer to `read_models`: as `dergate read --json` prints them."""

    models: tuple[dict[str, Any], ...]


class Written(Message):
    """The answer to a write: verified by read-back, or why not."""

    outcome: Literal["verified", "refused", "mismatch"]
    found: dict[str, Any] = Field(default_factory=dict)
    reason: str | None = None


class Accepted(Message):
    """The request is in force; `until_s` where it lapses."""

    until_s: float | None = None


class Recorded(Message):
    """The record is in the spool under this sequence number."""

    seq: int


class EventStatus(Message):
    """One event; `wall` is UTC ISO 8601 with the clock quality at that time.

    `at_s` is monotonic within `boot`. `seq` is the record's number in the spool, `capture` that of the record
    whose capture shows the event; None where there is none (yet), or where only the agent's memory was asked.
    """

    kind: str
    at_s: float
    wall: str
    time_quality: Literal["synchronised", "holdover", "unknown"]
    detail: str
    values: dict[str, float] = Field(default_factory=dict)
    boot: str | None = None
    seq: int | None = None
    capture: int | None = None


class Events(Message):
    """The answer to `events`, oldest first."""

    events: tuple[EventStatus, ...]
    excursions: ExcursionStatus = ExcursionStatus()


class Scan(Message):
    """One scan as streamed: what was measured, commanded and timed. None where nothing is known."""

    scan: int
    at_s: float
    mode: str
    export_w: float | None
    export_age_s: float | None
    new_sample: bool
    v_pu: float | None
    f_hz: float | None
    output_w: dict[str, float | None]
    limit_w: dict[str, float]
    commanded_closed: dict[str, bool]
    closed: dict[str, bool | None]
    picked_up: tuple[str, ...]
    tripped: bool
    target: str | None
    tightest: str
    events: tuple[str, ...] = ()
