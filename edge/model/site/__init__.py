"""The site file's model: what was agreed with the utility, what is installed, and how it is controlled.

Strict: unknown keys are refused, every bound is stated, nothing is coerced. Powers in W, times in s,
percentages of nameplate. Field names follow the interconnection application (IREC 2023, Attachment 2 §2.b
and Attachment 3 §2.b-c).
"""

from __future__ import annotations

from pydantic import Field, model_validator

from edge.model.site.agreement import NON_EXPORT_METHODS, RELAY_METHODS, Agreement, Method, PcsMode
from edge.model.site.base import Name, Phases, Seconds, Strict, Text, Watts, misfit
from edge.model.site.control import Control, Element, EnterService, Guard
from edge.model.site.der import ConfiguredRating, Der, Reversion
from edge.model.site.meter import Instruments, Meter
from edge.model.site.output import GpioPulse, ModbusCoil, PermitService, TripOutput, outputs_fit
from edge.model.site.phases import most_share, phase_limit_w, share
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
    """Generation behind the PCC that nobody here can limit; it counts at nameplate.

    On a phase with a limit all of it counts, unless the file says which phases it feeds.
    """

    nameplate_w: Watts = 0.0
    phases: Phases | None = None


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

    @property
    def limits_va(self) -> bool:
        """Whether apparent power is limited, so that the meter must show reactive power."""
        agreement = self.agreement
        return agreement.export_limit_va is not None or agreement.export_limit_phase_va is not None

    @property
    def limited_phases(self) -> str:
        """The phases that each have a limit of their own."""
        return "" if phase_limit_w(self.agreement) is None else self.site.phases

    @property
    def phase_limit_w(self) -> float:
        """The active power that each of the limited phases may export."""
        limit_w = phase_limit_w(self.agreement)
        return self.limit_w if limit_w is None else limit_w

    def share(self, der: Der, phase: str) -> float:
        """The part of a DER's output that is on `phase`."""
        return share(der.phases or self.site.phases, phase)

    def most_share(self, der: Der, phase: str) -> float:
        """The same at the most, voltages as far apart as may be."""
        return most_share(der.phases or self.site.phases, phase)

    def unmanaged_w(self, phase: str | None = None) -> float:
        """What generation that nobody here can limit makes at the most: altogether, or on one phase."""
        phases = self.unmanaged.phases
        part = 1.0 if phase is None or phases is None else most_share(phases, phase)
        return part * self.unmanaged.nameplate_w

    def expected_var(self, phase: str | None = None) -> float:
        """The largest reactive flow at the PCC while nobody measures it: altogether, or on one phase.

        As declared; a declared flow counts wholly on each phase. Otherwise what all DERs can make, and generation
        that nobody can limit as much again as its nameplate.
        """
        if self.meter.instruments is not None:
            return self.meter.instruments.expected_var
        ders = ((1.0 if phase is None else self.most_share(der, phase)) * der.most_var for der in self.der)
        return sum(ders) + self.unmanaged_w(phase)

    @model_validator(mode="after")
    def _phases_fit(self) -> Site:
        """Each phase is one of the site's; limits that say nothing beside others are mistakes."""
        agreement, phases = self.agreement, self.site.phases
        for index, der in enumerate(self.der):
            if not set(der.phases or "") <= set(phases):
                raise misfit(f"the site's phases are {phases!r}", "der", index, "phases")
        if not set(self.unmanaged.phases or "") <= set(phases):
            raise misfit(f"the site's phases are {phases!r}", "unmanaged", "phases")
        by_phase = {
            "export_limit_phase_w": agreement.export_limit_phase_w,
            "export_limit_phase_va": agreement.export_limit_phase_va,
        }
        for key, given in by_phase.items():
            if given is not None and len(phases) == 1:
                raise misfit("a single-phase site has one limit, that of the whole", "agreement", key)
        for key, least in (
            ("export_limit_va", "export_limit_w"),
            ("export_limit_phase_va", "export_limit_phase_w"),
        ):
            va, watts = getattr(agreement, key), getattr(agreement, least)
            if va is not None and watts is not None and va < watts:
                raise misfit(
                    f"must not be below {least}, {watts:g} W: no active power is above its apparent power, so that"
                    " limit would say nothing",
                    "agreement",
                    key,
                )
        for index, element in enumerate(self.guard.element):
            if element.pickup_phase_w != "auto" and (not self.limited_phases or element.kind == "import"):
                raise misfit(
                    "says nothing: there is no export limit on the phases"
                    if element.kind != "import"
                    else "an import element looks at the total alone",
                    "guard",
                    "element",
                    index,
                    "pickup_phase_w",
                )
        return self

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
