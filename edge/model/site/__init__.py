"""The site file's model: what was agreed with the utility, what is installed, and how it is controlled.

Strict: unknown keys are refused, every bound is stated, nothing is coerced. Powers in W, times in s,
percentages of nameplate. Field names follow the interconnection application (IREC 2023, Attachment 2 §2.b
and Attachment 3 §2.b-c).
"""

from __future__ import annotations

from pydantic import Field, model_validator

from edge.model.site.agreement import NON_EXPORT_METHODS, RELAY_METHODS, Agreement, Method, PcsMode
from edge.model.site.base import Name, Seconds, Strict, Text, Watts, misfit
from edge.model.site.control import Control, Element, EnterService, Guard
from edge.model.site.der import ConfiguredRating, Der, Reversion
from edge.model.site.meter import Instruments, Meter
from edge.model.site.output import GpioPulse, ModbusCoil, PermitService, TripOutput, outputs_fit
from edge.model.site.place import Place, Source

__all__ = [
    "NON_EXPORT_METHODS",
    "RELAY_METHODS",
    "Agreement",
    "ConfiguredRating",
    "Control",
    "Der",
    "Element",
    "EnterService",
    "GpioPulse",
    "Guard",
    "Instruments",
    "Link",
    "Meter",
    "Method",
    "ModbusCoil",
    "Name",
    "PcsMode",
    "PermitService",
    "Place",
    "Reversion",
    "Seconds",
    "Site",
    "Source",
    "Strict",
    "Text",
    "TripOutput",
    "Unmanaged",
    "Watts",
]


class Unmanaged(Strict):
    """Generation behind the PCC that nobody here can limit; it counts at nameplate."""

    nameplate_w: Watts = 0.0


class Link(Strict):
    """The way to the utility's portal."""

    broker: str = Field(pattern=r"^mqtts?://.+")
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


class Site(Strict):
    """A whole site file, checked."""

    site: Place
    agreement: Agreement
    meter: Meter
    der: tuple[Der, ...] = Field(max_length=200)
    trip_output: tuple[TripOutput, ...] = Field(())
    guard: Guard = Guard()
    control: Control = Control()
    enter_service: EnterService = EnterService()
    unmanaged: Unmanaged = Unmanaged()
    link: Link | None = None
    tiir_profile: Name = "irec-2023-inverter"
    state_dir: str | None = Field(None, description="default: next to the site file")

    @property
    def nameplate_w(self) -> float:
        """Sum of the ratings under control."""
        return sum(der.nameplate_w for der in self.der)

    @property
    def limit_w(self) -> float:
        """The export limit in force: the agreement's, or tighter by the owner's wish."""
        own_w = self.control.site_limit_w
        agreed_w = self.agreement.export_limit_w
        return agreed_w if own_w is None else min(own_w, agreed_w)

    @property
    def standing_by(self) -> frozenset[str]:
        """Outputs that open only when another one fails to."""
        return frozenset(name for output in self.trip_output for name in output.backup)

    @model_validator(mode="after")
    def _names_fit(self) -> Site:
        ders = [der.name for der in self.der]
        outputs = [output.name for output in self.trip_output]
        ceasing = {each.name: each.der for each in self.trip_output if isinstance(each, PermitService)}
        if not ders:
            raise misfit("at least one [[der]] is required", "der")
        for table, names in (("der", ders), ("trip_output", outputs)):
            for index, name in enumerate(names):
                if name in names[:index]:
                    raise misfit(f"{name!r} is used twice; names must be unique", table, index, "name")
        for index, der in enumerate(self.der):
            if der.contact is not None and der.contact not in outputs:
                known = f"declared: {', '.join(outputs)}" if outputs else "none is declared"
                raise misfit(f"no trip_output is named {der.contact!r}; {known}", "der", index, "contact")
            if der.contact in ceasing:
                raise misfit(
                    f"{der.contact} is the permit service of {ceasing[der.contact]}, not a contact that disconnects it;"
                    " leave the key out",
                    "der",
                    index,
                    "contact",
                )
            if der.rated_va < der.nameplate_w:
                raise misfit(
                    f"must not be below nameplate_w, {der.nameplate_w:g} W", "der", index, "nameplate_va"
                )
            if der.reversion is not None and der.reversion.safe_w > der.nameplate_w:
                raise misfit(
                    f"must not exceed nameplate_w, {der.nameplate_w:g} W", "der", index, "reversion", "safe_w"
                )
        outputs_fit(self.trip_output, self.der)
        if sorted(self.agreement.controlled) != sorted(ders):
            raise misfit(
                f"must name every der once and nothing else: {', '.join(ders)}", "agreement", "controlled"
            )
        return self
