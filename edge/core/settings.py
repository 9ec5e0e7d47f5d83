"""The limiter's settings, made from the site file once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from edge.core.plant_functions import PlantFunctions
from edge.core.run_here import run_here
from edge.model.site import Site
from edge.model.site.phases import UNBALANCE
from edge.model.storage_rules import NO_RULES, StorageRules

Order = Literal["proportional", "priority", "equal"]


@dataclass(frozen=True, slots=True)
class DerPlant:
    """What is known of how one DER answers a limit, and the most it may do when nobody hears it.

    `unheard_w` is the largest of power-up value and reversion value, nameplate where either is unproven.
    """

    name: str
    nameplate_w: float
    dead_time_s: float
    slope_w_per_s: float
    min_w: float
    unheard_w: float
    unseen_s: float
    """With an output older than this it may be making anything below its limit."""
    contact: str | None
    charge_w: float = 0.0
    """The most it absorbs: 0 for what only generates."""
    full_pu: float = 1.0
    """State of charge at which it absorbs no more."""
    by_setpoint: bool = False
    """The gateway operates it; else it runs itself within its band."""
    share: float = 1.0
    """The part of its output that counts here: less than all of it on one phase."""

    @property
    def stores(self) -> bool:
        """Whether it can absorb."""
        return self.charge_w > 0


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """Everything the limiter works by. Powers in W, times in s.

    They are those of one boundary, the site as a whole; each phase that has a limit is a boundary too, with settings
    of its own in `phases`, whose nameplate is what its DERs can put on it.
    """

    ders: tuple[DerPlant, ...]
    nameplate_w: float
    ceiling_w: float
    """The highest export the limiter may aim at: the limit, or an armed element's dropout below it."""
    ceiling_by: str
    limit_w: float
    """The export limit itself, whatever the limiter stays clear of below it."""
    unmanaged_w: float
    ramp_up_w_per_s: float
    margin_floor_w: float
    margin_cap_w: float
    stale_s: float
    fallback_hold_s: float
    command_s: float
    v_low_pu: float
    v_high_pu: float
    f_low_hz: float
    f_high_hz: float
    enter_delay_s: float
    enter_ramp_s: float
    functions: tuple[PlantFunctions, ...] = ()
    """What the gateway runs for DERs that lack it."""
    storage: StorageRules = NO_RULES
    order: Order = "proportional"
    charge_w: float = 0.0
    """The most that all storage absorbs."""
    limit_va: float | None = None
    """The limit on apparent power; `expected_var` is the reactive flow to reckon with while nobody measures it."""
    expected_var: float = 0.0
    phase: int | None = None
    """Place among the meter's phases of the boundary that these are for; None for the site as a whole."""
    unbalance: float = 1.0
    """How much more of a DER's output than its share may be on this phase."""
    phases: tuple[CoreSettings, ...] = ()

    @staticmethod
    def of(
        site: Site,
        *,
        stale_s: float,
        dropouts_w: tuple[tuple[str, float], ...],
        command_s: float,
        chains_s: Mapping[str, float] | None = None,
        import_dropout_w: float = math.inf,
        phase_dropouts_w: Mapping[str, tuple[tuple[str, float], ...]] | None = None,
    ) -> CoreSettings:
        """Compile the limiter's part of a site file.

        Args:
            site: The site file.
            stale_s: Age past which a PCC sample no longer counts as sight.
            dropouts_w: Name and dropout (export in W) of each armed export element.
            command_s: From a decision until the limit is on the wire, at most.
            chains_s: By DER whose functions run here: from a change at the PCC until its output starts to move.
            import_dropout_w: The lowest dropout (import in W) of an armed import element.
            phase_dropouts_w: The same as `dropouts_w`, by phase.
        """
        ceiling_by, ceiling_w = _lowest("export-limit", site.limit_w, dropouts_w)
        total_w = site.nameplate_w
        whole = CoreSettings(
            ders=tuple(_plant(site, index) for index in range(len(site.der))),
            nameplate_w=total_w,
            ceiling_w=ceiling_w,
            ceiling_by=ceiling_by,
            limit_w=site.limit_w,
            unmanaged_w=site.unmanaged_w(),
            ramp_up_w_per_s=total_w * site.control.ramp_up_pct_per_s / 100,
            margin_floor_w=total_w * site.control.margin_floor_pct / 100,
            margin_cap_w=total_w * site.control.margin_cap_pct / 100,
            stale_s=stale_s,
            fallback_hold_s=site.control.fallback_hold_s,
            command_s=command_s,
            v_low_pu=site.enter_service.v_low_pu,
            v_high_pu=site.enter_service.v_high_pu,
            f_low_hz=site.enter_service.f_low_hz,
            f_high_hz=site.enter_service.f_high_hz,
            enter_delay_s=site.enter_service.delay_s,
            enter_ramp_s=site.enter_service.ramp_s,
            functions=tuple(run_here(site, stale_s=stale_s, chains_s=chains_s or {})),
            storage=StorageRules.of(site.agreement).clear_of(import_dropout_w),
            order=site.control.dispatch,
            charge_w=sum(der.most_charge_w for der in site.der),
            limit_va=site.agreement.export_limit_va,
            expected_var=site.expected_var(),
        )
        found = (
            _phase(site, whole, phase, (phase_dropouts_w or {}).get(phase, ()))
            for phase in site.limited_phases
        )
        # Where no DER feeds a phase there is nothing to limit.
        return replace(whole, phases=tuple(each for each in found if each.nameplate_w > 0))


def _lowest(name: str, limit_w: float, dropouts_w: tuple[tuple[str, float], ...]) -> tuple[str, float]:
    """What holds export lowest, and where: the limit or an element's dropout below it."""
    return min(
        ((name, limit_w), *((f"{element}-dropout", at_w) for element, at_w in dropouts_w)),
        key=lambda item: item[1],
    )


def _phase(
    site: Site, whole: CoreSettings, phase: str, dropouts_w: tuple[tuple[str, float], ...]
) -> CoreSettings:
    """The settings of one phase: of each DER its share, everything in percent of what they can make there."""
    ders = tuple(
        replace(plant, share=site.share(der, phase)) for plant, der in zip(whole.ders, site.der, strict=True)
    )
    nameplate_w = sum(plant.share * plant.nameplate_w for plant in ders)
    ceiling_by, ceiling_w = _lowest(f"export-limit-{phase}", site.phase_limit_w, dropouts_w)
    return replace(
        whole,
        ders=ders,
        nameplate_w=nameplate_w,
        ceiling_w=ceiling_w,
        ceiling_by=ceiling_by,
        limit_w=site.phase_limit_w,
        unmanaged_w=site.unmanaged_w(phase),
        ramp_up_w_per_s=nameplate_w * site.control.ramp_up_pct_per_s / 100,
        margin_floor_w=nameplate_w * site.control.margin_floor_pct / 100,
        margin_cap_w=nameplate_w * site.control.margin_cap_pct / 100,
        limit_va=site.agreement.export_limit_phase_va,
        expected_var=site.expected_var(phase),
        phase="abc".index(phase),
        unbalance=UNBALANCE if any(0.0 < plant.share < 1.0 for plant in ders) else 1.0,
    )


def _plant(site: Site, index: int) -> DerPlant:
    der = site.der[index]
    if der.power_up_w is None or der.reversion is None:
        unheard_w = der.nameplate_w
    else:
        unheard_w = max(der.power_up_w, der.reverts_to_w)
    return DerPlant(
        name=der.name,
        nameplate_w=der.nameplate_w,
        dead_time_s=der.dead_time_s,
        slope_w_per_s=der.slope_w_per_s,
        min_w=der.min_w,
        unheard_w=unheard_w,
        unseen_s=der.poll_s + der.timeout_s * (1 + der.retries),
        contact=der.contact,
        charge_w=der.most_charge_w,
        full_pu=der.soc_full_pct / 100,
        by_setpoint=der.operation == "setpoint",
    )
