"""The limiter's settings, made from the site file once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from edge.core.plant_functions import PlantFunctions
from edge.core.run_here import run_here
from edge.model.site import Site
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

    @property
    def stores(self) -> bool:
        """Whether it can absorb."""
        return self.charge_w > 0


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """Everything the limiter works by. Powers in W, times in s."""

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

    @staticmethod
    def of(
        site: Site,
        *,
        stale_s: float,
        dropouts_w: tuple[tuple[str, float], ...],
        command_s: float,
        chains_s: Mapping[str, float] | None = None,
        import_dropout_w: float = math.inf,
    ) -> CoreSettings:
        """Compile the limiter's part of a site file.

        Args:
            site: The site file.
            stale_s: Age past which a PCC sample no longer counts as sight.
            dropouts_w: Name and dropout (export in W) of each armed export element.
            command_s: From a decision until the limit is on the wire, at most.
            chains_s: By DER whose functions run here: from a change at the PCC until its output starts to move.
            import_dropout_w: The lowest dropout (import in W) of an armed import element.
        """
        ceiling_by, ceiling_w = min(
            (("export-limit", site.limit_w), *((f"{name}-dropout", at_w) for name, at_w in dropouts_w)),
            key=lambda item: item[1],
        )
        total_w = site.nameplate_w
        return CoreSettings(
            ders=tuple(_plant(site, index) for index in range(len(site.der))),
            nameplate_w=total_w,
            ceiling_w=ceiling_w,
            ceiling_by=ceiling_by,
            limit_w=site.limit_w,
            unmanaged_w=site.unmanaged.nameplate_w,
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
