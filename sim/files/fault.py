"""The closed list of faults: what can go wrong with a device, on the wire or in the gateway, and when."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Name, Strict


class FaultKind(StrEnum):
    """Every fault has one name, the same in virtual time and over Modbus."""

    SILENCE = "silence"
    RESET = "reset"
    LATE = "late"
    SLOW = "slow"
    FOREIGN_ID = "foreign-id"
    REPEATED_ID = "repeated-id"
    EXCEPTION = "exception"
    TRUNCATED = "truncated"
    MERGED = "merged"
    BIT_FLIP = "bit-flip"
    TORN = "torn"
    ZEROS = "zeros"
    FROZEN = "frozen"
    MEASUREMENT_FROZEN = "measurement-frozen"
    SENTINEL = "sentinel"
    REBOOT = "reboot"
    UNIT_SWAP = "unit-swap"
    WRITE_REFUSED = "write-refused"
    WRITE_IGNORED = "write-ignored"
    CONTACT_WELDED = "contact-welded"
    AGENT_STOPPED = "agent-stopped"
    AGENT_RESTART = "agent-restart"
    CLOCK_JUMP = "clock-jump"


OF_THE_GATEWAY = frozenset({FaultKind.AGENT_STOPPED, FaultKind.AGENT_RESTART, FaultKind.CLOCK_JUMP})
"""Faults of the gateway itself: they have no target."""

NEEDS = {
    FaultKind.LATE: "delay_s",
    FaultKind.SLOW: "delay_s",
    FaultKind.EXCEPTION: "code",
    FaultKind.UNIT_SWAP: "swap_with",
    FaultKind.CLOCK_JUMP: "jump_s",
}
"""What a fault cannot do without."""

ALLOWS = {
    FaultKind.LATE: {"rate"},
    FaultKind.SLOW: {"rate"},
    FaultKind.SILENCE: {"rate"},
    FaultKind.EXCEPTION: {"rate"},
    FaultKind.FOREIGN_ID: {"rate"},
    FaultKind.REPEATED_ID: {"rate"},
    FaultKind.TRUNCATED: {"rate"},
    FaultKind.MERGED: {"rate"},
    FaultKind.BIT_FLIP: {"rate"},
    FaultKind.TORN: {"rate"},
    FaultKind.ZEROS: {"rate"},
    FaultKind.SENTINEL: {"rate"},
}
"""What a fault may be given beside that."""

Device = Literal["meter", "inverter", "coil"]

ONLY_ON: dict[FaultKind, tuple[Device, ...]] = {
    FaultKind.MEASUREMENT_FROZEN: ("inverter",),
    FaultKind.WRITE_REFUSED: ("inverter", "coil"),
    FaultKind.WRITE_IGNORED: ("inverter", "coil"),
    FaultKind.CONTACT_WELDED: ("coil",),
}
"""Faults that not every device can have."""


class Fault(Strict):
    """One fault, from `at_s` for `for_s` (to the end when left out), on the device `target`.

    `rate` is the share of answers that it strikes, `delay_s` how much later answers come, `code` a Modbus
    exception, `swap_with` the other device, `jump_s` how far the wall clock jumps.
    """

    kind: FaultKind
    target: Name | None = None
    at_s: Annotated[float, Field(ge=0)]
    for_s: float | None = Field(None, gt=0)
    rate: float | None = Field(None, gt=0, le=1)
    delay_s: float | None = Field(None, gt=0, le=600)
    code: Literal[1, 2, 3, 4, 5, 6, 7, 8, 10, 11] | None = None
    swap_with: Name | None = None
    jump_s: float | None = None

    @property
    def until_s(self) -> float:
        """When it ends."""
        return float("inf") if self.for_s is None else self.at_s + self.for_s

    @model_validator(mode="after")
    def _whole(self) -> Self:
        needed, allowed = NEEDS.get(self.kind), ALLOWS.get(self.kind, set())
        for name in ("rate", "delay_s", "code", "swap_with", "jump_s"):
            given = getattr(self, name) is not None
            if name == needed and not given:
                raise _misfit(f"a {self.kind} needs {name}")
            if given and name != needed and name not in allowed:
                raise _misfit(f"a {self.kind} takes no {name}")
        if self.kind is FaultKind.AGENT_RESTART and self.for_s is None:
            raise _misfit(f"a {self.kind} needs for_s: how long the agent is gone")
        if (self.target is None) != (self.kind in OF_THE_GATEWAY):
            said = "is the gateway's own and takes no target" if self.target else "needs a target"
            raise _misfit(f"a {self.kind} {said}")
        if self.swap_with is not None and self.swap_with == self.target:
            raise _misfit(f"a {self.kind} needs two devices")
        return self


def _misfit(message: str) -> PydanticCustomError:
    return PydanticCustomError("fault", "{message}", {"message": message})
