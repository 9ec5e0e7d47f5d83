"""What the agent knows of devices: three narrow protocols, and the result of a write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from edge.model.readings import DerRaw, Identity, MeterRaw

Value: TypeAlias = int | float | str


class Outcome(StrEnum):
    """How a write ended, judged by reading back."""

    VERIFIED = "verified"
    REFUSED = "refused"
    MISMATCH = "mismatch"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What was wanted and what the device holds now, in engineering units by name.

    `refused` means that nothing was changed: by us before sending, or by the device with an exception.
    `wanted` holds the values after rounding to the device's resolution.
    """

    outcome: Outcome
    wanted: Mapping[str, Value] = field(default_factory=dict)
    found: Mapping[str, Value | None] = field(default_factory=dict)
    reason: str = ""

    @property
    def verified(self) -> bool:
        """Whether the device holds what was wanted."""
        return self.outcome is Outcome.VERIFIED


class Meter(Protocol):
    """The PCC meter."""

    async def identify(self) -> Identity:
        """Who it is."""

    async def read(self) -> MeterRaw:
        """One answer, `export_w` positive out to the grid."""


class Inverter(Protocol):
    """One DER under control."""

    async def identify(self) -> Identity:
        """Who it is, with its nameplate."""

    async def measure(self) -> DerRaw:
        """One answer, `output_w` positive when generating."""

    async def write_limit(self, limit_w: float) -> WriteResult:
        """Limit the output to `limit_w`, rounded down to the device's resolution, and read back.

        `wanted` and `found` hold `limit_w`.
        """

    async def read_limit(self) -> float | None:
        """The limit in force in W, None when none is enabled."""

    async def set_reversion(self, safe_w: float, timer_s: int) -> WriteResult:
        """Fall to `safe_w` by itself after `timer_s` of silence; refused where the device cannot.

        `wanted` and `found` hold `safe_w` and `timer_s`.
        """


@runtime_checkable
class Storage(Protocol):
    """One storage unit under control: an `Inverter` whose charging is held too."""

    async def write_band(self, limit_w: float, floor_w: float) -> WriteResult:
        """Hold storage between `floor_w`, at or below 0, and `limit_w`, each rounded to less, and read back.

        `wanted` and `found` hold `limit_w` and `floor_w`.
        """

    async def read_band(self) -> tuple[float | None, float | None]:
        """Limit and floor in force in W, None where that end is not."""


class Reactive(Protocol):
    """The reactive power of one DER."""

    async def write_var(self, var: float) -> WriteResult:
        """Make `var`, injection positive, until told otherwise or a silence; `wanted` and `found` hold `var`."""


class TripOutput(Protocol):
    """A contact that disconnects DERs, held closed only while it is refreshed."""

    @property
    def dead_man_s(self) -> float | None:
        """From the last `hold` until the contact is open by itself, in s; None when nothing opens it."""

    async def hold(self, not_after_s: float | None = None) -> None:
        """Close or keep closed, and feed the dead-man; not when it is later than `not_after_s`, monotonic.

        Raises:
            TooLate: it could not go out in time; nothing was sent.
        """

    async def open(self) -> None:
        """Open."""

    async def read(self) -> bool | None:
        """Whether the contact is closed, by its feedback; None without feedback."""

    async def read_watchdog_s(self) -> float | None:
        """The module's own communication watchdog in s, None when it cannot be read."""
