"""The envelope that carries every record from a gateway to the portal.

Its canonical bytes (JSON, keys sorted, no blanks, UTF-8, without `sig`) are what Ed25519 signs. Order on the
portal is by `seq`, never by the gateway's clock; exactly-once is by `id`.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import uuid_utils
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    field_serializer,
    field_validator,
)

from contract.topics import Gateway, UpKind

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAX_RECORD_BYTES = 12 * 2**20
"""The largest envelope on the wire: one MQTT packet, under the broker's `max_packet_size` of 16 MiB."""

MAX_SEQ = 2**63 - 1
"""The largest integer a database column holds."""

TimeQuality = Literal["synchronised", "holdover", "unknown"]
Uuid7 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
]


class EnvelopeError(Exception):
    """A message that is no envelope, or one that cannot be made."""


class RecordClass(StrEnum):
    """How long a record is kept when space runs out: evidence always, then events, then telemetry."""

    EVIDENCE = "evidence"
    EVENT = "event"
    TELEMETRY = "telemetry"


def new_id() -> str:
    """A new UUIDv7."""
    return str(uuid_utils.uuid7())


class Envelope(BaseModel):
    """One record on its way. `mono_s` is monotonic seconds within the boot named by `boot`.

    `seq` counts per gateway without a gap (what was dropped is named by a tombstone); it is None only on the
    retained presence announcement, which is no record.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_by_name=True
    )

    id: Uuid7
    gateway: Gateway
    kind: UpKind
    seq: int | None = Field(ge=1, le=MAX_SEQ)
    time: AwareDatetime
    time_quality: TimeQuality
    mono_s: float = Field(ge=0)
    boot: str = Field(min_length=1, max_length=64)
    schema_: str = Field(alias="schema", pattern=r"^[a-z][a-z-]*/[1-9][0-9]*$")
    payload: dict[str, JsonValue]
    sig: str | None = None

    @field_validator("time")
    @classmethod
    def _utc_milliseconds(cls, value: datetime) -> datetime:
        utc = value.astimezone(UTC)
        return utc.replace(microsecond=utc.microsecond // 1000 * 1000)

    @field_serializer("time")
    def _iso(self, value: datetime) -> str:
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def canonical_bytes(self) -> bytes:
        """What is signed: everything but the signature, in one fixed spelling."""
        return _canonical(self.model_dump(mode="python", by_alias=True, exclude={"sig"}))

    def to_bytes(self) -> bytes:
        """The message as published.

        Raises:
            EnvelopeError: The record is over `MAX_RECORD_BYTES`.
        """
        data = _canonical(self.model_dump(mode="python", by_alias=True))
        if len(data) > MAX_RECORD_BYTES:
            raise EnvelopeError(
                f"a {self.kind} record of {len(data) / 2**20:.1f} MiB is over the limit of "
                f"{MAX_RECORD_BYTES // 2**20} MiB"
            )
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a published message.

        Raises:
            EnvelopeError: It is too large, no JSON, or not an envelope; the first fault is named.
        """
        if len(data) > MAX_RECORD_BYTES:
            raise EnvelopeError(f"the message of {len(data)} bytes is over the limit")
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "message"
            raise EnvelopeError(f"{where}: {first['msg']}") from error

    def signed(self, key: Ed25519PrivateKey) -> Self:
        """A copy with `sig` made by the gateway's key."""
        sig = base64.b64encode(key.sign(self.canonical_bytes())).decode()
        return self.model_copy(update={"sig": sig})

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        """Whether `sig` is there and was made over exactly this content by `key`'s owner."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - keeps the agent's import light

        if self.sig is None:
            return False
        try:
            key.verify(base64.b64decode(self.sig, validate=True), self.canonical_bytes())
        except (InvalidSignature, ValueError):
            return False
        return True


class _Named(BaseModel):
    id: Uuid7


def id_of(data: bytes) -> str | None:
    """The id in a message that is perhaps no envelope otherwise, so that its receipt can name it."""
    if len(data) > MAX_RECORD_BYTES:
        return None
    try:
        return _Named.model_validate_json(data).id
    except ValidationError:
        return None


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
