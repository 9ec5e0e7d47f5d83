"""What the envelopes carry, by kind, and the receipt that comes back.

Powers in W with `export_w` positive out to the grid, energies in Wh, durations in s, times UTC.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterable
from functools import cached_property
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator

from contract.topics import UpKind

MAX_PDF_BYTES = 8 * 2**20
"""The largest report PDF; as base64 and with its report.json it stays under `envelope.MAX_RECORD_BYTES`."""


class Payload(BaseModel):
    """Base of all payloads: frozen, unknown keys and NaN are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Presence(Payload):
    """The retained announcement on `up/status`, and the will. `connection` tells a late will from a new start."""

    online: bool
    connection: str = Field(min_length=1)
    version: str = ""


class ElementState(Payload):
    """One protection element as the utility sees it."""

    name: str
    pickup_w: float
    delay_s: float
    state: Literal["normal", "picked-up", "operated", "blocked"]


class Status(Payload):
    """How the site stands: sent at start, on change, and every few minutes."""

    site_name: str
    method: str
    limit_w: float
    approved_limit_w: float | None
    site_hash: str
    version: str
    mode: str
    export_w: float | None = None
    der_w: float | None = None
    nameplate_w: float | None = None
    elements: tuple[ElementState, ...] = ()
    tripped: bool = False
    target: str | None = None
    approval_reference: str | None = None


EventType = Literal[
    "pickup",
    "dropout",
    "trip",
    "reset",
    "lockout",
    "fallback",
    "fallback-end",
    "excursion",
    "phase-excursion",
    "restart",
    "stop",
    "device-loss",
    "device-return",
    "quality-change",
    "settings-change",
    "write-unverified",
    "breaker-failure",
    "isolation",
    "in-service",
    "out-of-service",
    "override",
    "capture",
    "alarm",
]


Phase = Literal["a", "b", "c"]


class CapturedElement(Payload):
    """A protection element as it is set; thresholds in export direction. A test may have lowered them: see the rows."""

    name: str
    pickup_w: float
    dropout_w: float
    delay_s: float


class CaptureMark(Payload):
    """Something that happened within a capture, `t_s` after the event that it is about."""

    t_s: float
    type: str
    detail: str


Row = tuple[float | None, ...]


def scan_line(values: Iterable[float | None]) -> str:
    """A scan's values as `Capture` keeps them: nine digits, separated by commas, nothing where nothing was known."""
    return ",".join("" if value is None else f"{value:.9g}" for value in values)


class Capture(Payload):
    """The image around an event: `columns` name the series with their units, each of `scans` is one line of values.

    The first column is `t_s`, seconds after the event; states are 1 or 0. Lines, because a long record of numbers
    would hold up a process for as long as it takes to write them; `rows` are the numbers.
    """

    columns: tuple[str, ...]
    scans: tuple[str, ...]
    limit_w: float | None = None
    nominal_v: float | None = None
    nominal_hz: float | None = None
    elements: tuple[CapturedElement, ...] = ()
    marks: tuple[CaptureMark, ...] = ()

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """A value for each column, None where nothing was known, by scan.

        Raises:
            ValueError: A line holds something else than finite numbers, or has no time.
        """
        return tuple(_numbers(line) for line in self.scans)

    @property
    def t_s(self) -> list[float]:
        """Seconds after the event, by scan; raises as `rows`."""
        return [row[0] or 0.0 for row in self.rows]

    @model_validator(mode="after")
    def _is_a_table(self) -> Self:
        if self.columns[:1] != ("t_s",):
            raise ValueError("the first column of a capture is t_s")
        # Only counted here, for this runs wherever a record is made or passed on; `rows` reads the numbers.
        if any(line.count(",") != len(self.columns) - 1 for line in self.scans):
            raise ValueError("every scan of a capture has one value for each column")
        return self


def _numbers(line: str) -> Row:
    row = tuple(float(one) if one else None for one in line.split(","))
    if row[0] is None or not all(math.isfinite(value) for value in row if value is not None):
        raise ValueError("every scan of a capture has its time, and finite values")
    return row


class Event(Payload):
    """Something that happened at `at`; `count` is above 1 where a flood was coalesced into one record.

    An excursion carries `start`, `peak_w` (highest export), `duration_s` and `energy_wh` above the limit; one of a
    phase with a limit of its own says which `phase`.
    """

    type: EventType
    at: AwareDatetime
    detail: str
    device: str | None = None
    element: str | None = None
    count: int = Field(1, ge=1)
    start: AwareDatetime | None = None
    limit_w: float | None = None
    peak_w: float | None = None
    duration_s: float | None = Field(None, ge=0)
    energy_wh: float | None = Field(None, ge=0)
    values: dict[str, float] = Field(default_factory=dict)
    capture: Capture | None = None
    phase: Phase | None = None

    @model_validator(mode="after")
    def _excursion_is_complete(self) -> Self:
        figures = (self.start, self.peak_w, self.duration_s, self.energy_wh)
        if self.type in ("excursion", "phase-excursion") and None in figures:
            raise ValueError("an excursion carries start, peak_w, duration_s and energy_wh")
        return self


class Finding(Payload):
    """One setting, required against found; a curve is given as its points."""

    setting: str
    clause: str
    unit: str
    required: JsonValue
    found: JsonValue
    verdict: str
    reason: str | None = None


class Settings(Payload):
    """What one DER holds, compared with what is required of it; `verified` is None when it cannot be said."""

    der: str
    profile: str
    verified: bool | None
    findings: tuple[Finding, ...]


class Test(Payload):
    """A commissioning report: the JSON of `report.json`, and its PDF."""

    __test__ = False  # not a pytest class

    report: dict[str, JsonValue]
    pdf_base64: str = Field(max_length=MAX_PDF_BYTES * 4 // 3 + 4)

    def pdf(self) -> bytes:
        """The PDF's bytes."""
        return base64.b64decode(self.pdf_base64)

    @model_validator(mode="after")
    def _is_pdf(self) -> Self:
        try:
            data = base64.b64decode(self.pdf_base64, validate=True)
        except binascii.Error as error:
            raise ValueError("pdf_base64 is not base64") from error
        if not data.startswith(b"%PDF-"):
            raise ValueError("pdf_base64 is not a PDF")
        return self


class Telemetry(Payload):
    """One minute in aggregate, ending at `until`."""

    until: AwareDatetime
    seconds: float = Field(gt=0)
    export_mean_w: float | None
    export_max_w: float | None
    der_mean_w: float | None
    limit_w: float


class Tombstone(Payload):
    """Names what the spool dropped for want of space: in this range, a missing `seq` is of this class."""

    type: Literal["tombstone"] = "tombstone"
    record_class: Literal["event", "telemetry"]
    first_seq: int = Field(ge=1)
    last_seq: int = Field(ge=1)
    count: int = Field(ge=1)


class Audit(Payload):
    """An action by a person or a process that the chain of evidence keeps."""

    type: Literal["action"] = "action"
    at: AwareDatetime
    by: str
    action: str
    detail: str = ""


class Receipt(Payload):
    """On `down/receipt`, after the portal's commit: these ids are stored, the gateway may forget them."""

    ids: tuple[str, ...] = Field(max_length=10_000)
    time: AwareDatetime


SCHEMAS: dict[str, tuple[UpKind, type[Payload]]] = {
    "presence/1": ("status", Presence),
    "status/1": ("status", Status),
    "event/1": ("event", Event),
    "settings/1": ("settings", Settings),
    "test/1": ("test", Test),
    "telemetry/1": ("telemetry", Telemetry),
    "tombstone/1": ("audit", Tombstone),
    "audit/1": ("audit", Audit),
}
"""The payload model behind each `schema` of the envelope, and the kind it travels under."""


def schema_of(payload: Payload) -> str:
    """The `schema` under which `payload` travels."""
    return next(name for name, (_, model) in SCHEMAS.items() if model is type(payload))


def kind_of(payload: Payload) -> UpKind:
    """The topic kind under which `payload` travels."""
    return SCHEMAS[schema_of(payload)][0]


def read_payload(schema: str, payload: dict[str, JsonValue]) -> Payload | str:
    """The payload as its model, or one sentence that says why it is none."""
    if schema not in SCHEMAS:
        return f"this portal does not know the schema {schema}"
    try:
        return SCHEMAS[schema][1].model_validate_json(json.dumps(payload))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return f"{schema}: {'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
