"""Trip outputs: what disconnects DERs, and which of them open by themselves when nobody holds them.

Each kind states its own times as named terms, so that `check` can spell out every sum. There is no kind that holds a
static level: a stopped process or a hung kernel would hold it for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag

from edge.model.site.base import Name, Strict, Uri, misfit
from edge.model.site.der import Der

Terms: TypeAlias = tuple[tuple[str, float], ...]
"""A time in its parts, each a label and seconds."""

Line: TypeAlias = Annotated[int, Field(ge=0, le=65_535)] | Annotated[str, Field(min_length=1, max_length=32)]
"""A GPIO line by its offset on the chip or by its name."""


class _Output(Strict):
    """What every trip output has."""

    is_contact: ClassVar[bool] = True
    """Whether it stands between its DERs and the grid, so that a DER can name it as its contact."""

    name: Name
    backup: tuple[Name, ...] = Field((), description="outputs that open when this one fails to")


class ModbusCoil(_Output):
    """A coil of a relay module that opens it by itself when it is no longer written."""

    kind: Literal["modbus-coil"] = "modbus-coil"
    uri: Uri
    profile: Name = "modbus-coil"
    coil: int = Field(0, ge=0, le=65_535)
    feedback: int | None = Field(None, ge=0, le=65_535, description="discrete input with the 52a contact")
    watchdog_s: float | None = Field(None, gt=0, le=30, description="the module's communication watchdog")
    watchdog_register: int | None = Field(None, ge=0, le=65_535, description="holds the watchdog in ms")
    actuation_s: float = Field(0.05, ge=0, le=2)
    timeout_s: float = Field(0.1, gt=0, le=5)

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return self.uri

    @property
    def feeding(self) -> Terms:
        """What lies between a scan that is fed and the feed."""
        return (("write", self.timeout_s),)

    @property
    def commanded(self) -> Terms:
        """From the command to open until it is open."""
        return (("write", self.timeout_s), ("actuation", self.actuation_s))

    @property
    def silent(self) -> Terms | None:
        """From the last feed until it is open by itself; None when nothing opens it."""
        if self.watchdog_s is None:
            return None
        return (("dead-man watchdog", self.watchdog_s), ("actuation", self.actuation_s))

    @property
    def dead_man_s(self) -> float | None:
        """The sum of `silent`."""
        return _sum(self.silent)

    @property
    def opens_s(self) -> float:
        """From the command until its feedback must show it, the wire apart."""
        return self.actuation_s

    @property
    def has_feedback(self) -> bool:
        """Whether it can be seen to have failed."""
        return self.feedback is not None


class GpioPulse(_Output):
    """A GPIO line that pulses once for each completed scan, into a retriggerable watchdog relay.

    Opening is the end of the pulses: nothing else is done to the line, for any change of it is an edge.
    """

    kind: Literal["gpio-pulse"]
    chip: str = Field(pattern=r"^/dev/[^/]+$", description="path of the GPIO chip, as in /dev/gpiochip0")
    line: Line = Field(description="its offset on the chip, or its name")
    active_low: bool = False
    pulse_s: float = Field(0.02, gt=0, le=1, description="how long the line is active at each scan")
    feedback: Line | None = Field(None, description="input line of the same chip with the 52a contact")
    feedback_active_low: bool = False
    watchdog_s: float = Field(gt=0, le=30, description="drop-out time of the relay, from the last edge")
    actuation_s: float = Field(0.05, ge=0, le=2)

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return f"{self.chip} line {self.line}"

    @property
    def feeding(self) -> Terms:
        """What lies between a scan that is fed and the feed: the pulse before it and its pause may not be over."""
        return (("pulse", self.pulse_s), ("pause", self.pulse_s))

    @property
    def commanded(self) -> Terms:
        """From the command to open until it is open: the last edge may have gone out just before."""
        return (("relay drop-out", self.watchdog_s), ("actuation", self.actuation_s))

    @property
    def silent(self) -> Terms:
        """From the last feed until it is open by itself."""
        return (("relay drop-out", self.watchdog_s), ("actuation", self.actuation_s))

    @property
    def dead_man_s(self) -> float:
        """The sum of `silent`."""
        return self.watchdog_s + self.actuation_s

    @property
    def opens_s(self) -> float:
        """From the command until its feedback must show it."""
        return self.watchdog_s + self.actuation_s

    @property
    def has_feedback(self) -> bool:
        """Whether it can be seen to have failed."""
        return self.feedback is not None


class PermitService(_Output):
    """The permit service of one DER: SunSpec 703 ES (IEEE 1547-2018 4.6.1), taken away to make it cease to energize.

    The model has no timer, so nothing takes the permit away when the gateway falls silent.
    """

    is_contact: ClassVar[bool] = False

    kind: Literal["permit-service"]
    der: Name = Field(description="the DER whose permit it is")
    actuation_s: float = Field(
        2.0, ge=0, le=30, description="until it has ceased to energize; the standard allows 2 s"
    )
    timeout_s: float = Field(0.3, gt=0, le=5)

    @property
    def address(self) -> str:
        """Where it is, for people."""
        return f"permit service of {self.der}"

    @property
    def watchdog_s(self) -> None:
        """There is none."""
        return

    @property
    def commanded(self) -> Terms:
        """From the command to open until the DER has ceased."""
        return (("write", self.timeout_s), ("cease", self.actuation_s))

    @property
    def silent(self) -> None:
        """Nothing opens it."""
        return

    @property
    def dead_man_s(self) -> None:
        """There is none."""
        return

    @property
    def opens_s(self) -> float:
        """From the command until the DER must be seen to have ceased, the wire apart."""
        return self.actuation_s

    @property
    def has_feedback(self) -> bool:
        """The DER's own permit and power."""
        return True


KINDS = ("modbus-coil", "gpio-pulse", "permit-service")


def _kind(value: Any) -> str | None:
    """The tag of a table; without `kind` it is the oldest one, a coil."""
    kind = value.get("kind", "modbus-coil") if isinstance(value, dict) else getattr(value, "kind", None)
    return f"kind={kind}" if kind in KINDS else None


TripOutput: TypeAlias = Annotated[
    Annotated[ModbusCoil, Tag("kind=modbus-coil")]
    | Annotated[GpioPulse, Tag("kind=gpio-pulse")]
    | Annotated[PermitService, Tag("kind=permit-service")],
    Discriminator(
        _kind,
        custom_error_type="misfit",
        custom_error_message=(
            f"must be one of {', '.join(KINDS)}; a static level is none of them: a stopped process would hold it"
        ),
        custom_error_context={"under": ("kind",)},
    ),
]


def outputs_fit(outputs: Sequence[TripOutput], ders: Sequence[Der]) -> None:
    """Refuse outputs that name what is not there, or stand behind each other in vain.

    Raises:
        PydanticCustomError: A `misfit`, told at its key.
    """
    known = {output.name: output for output in outputs}
    contacts = {der.contact for der in ders}
    permits: dict[str, str] = {}
    for index, output in enumerate(outputs):
        path = ("trip_output", index)
        if isinstance(output, PermitService):
            der = next((der for der in ders if der.name == output.der), None)
            if der is None:
                raise misfit(f"no der is named {output.der!r}", *path, "der")
            if der.told_zero == "keeps_minimum":
                raise misfit(
                    f"the permit of {der.name} goes with its limit (told_zero), so it is no output",
                    *path,
                    "der",
                )
            if output.der in permits:
                raise misfit(
                    f"{permits[output.der]} is the permit service of {output.der} already", *path, "der"
                )
            permits[output.der] = output.name
        for name in output.backup:
            if name not in known:
                raise misfit(
                    f"no trip_output is named {name!r}; declared: {', '.join(known)}", *path, "backup"
                )
            if name in contacts:
                raise misfit(
                    f"{name} is the contact of a der: it opens at every trip, so it cannot stand by for {output.name}",
                    *path,
                    "backup",
                )
        if output.backup and not output.has_feedback:
            raise misfit(f"without feedback {output.name} is never seen to fail", *path, "backup")
        circle = _circle(known, output.name)
        if circle:
            raise misfit(f"goes round in a circle: {' - '.join(circle)}", *path, "backup")


def _circle(known: dict[str, TripOutput], start: str) -> list[str]:
    """The way from an output over its backups back to itself; nothing when there is none."""
    ways = [[start]]
    while ways:
        way = ways.pop()
        for name in known[way[-1]].backup:
            if name == start:
                return [*way, name]
            if name in known and name not in way:
                ways.append([*way, name])
    return []


def _sum(terms: Terms | None) -> float | None:
    return None if terms is None else sum(seconds for _, seconds in terms)
