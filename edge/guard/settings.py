"""The guard's settings, made from the site file once: pickups, dropouts, delays, all in export direction."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from edge.guard import budget
from edge.model.site import Element, PermitService, Site
from edge.model.storage_rules import StorageRules

HYSTERESIS_OF_PICKUP = 0.02
NOISE_SIGMAS = 3.0
PICKUP_32R_OF_TRANSFORMER = 0.001
PICKUP_32F_OF_NAMEPLATE = 0.05
BOUND_TOLERANCE = 0.005
"""Of nameplate: what a bound of storage lets pass; as little is within the error of measuring it."""
PROBE = 0.02
"""Of nameplate: taken from the grid while generation shows what it has, where nothing may be exchanged."""

BoundKind = Literal["taken", "import", "sent"]


@dataclass(frozen=True, slots=True)
class ElementSettings:
    """One element; it picks up when `direction * export_w` is above `direction * pickup_w`.

    `pickup_w` and `dropout_w` are exports in W: 32F, which operates when import falls too low, has a negative
    pickup; one on import looks the other way.
    """

    name: str
    pickup_w: float
    dropout_w: float
    delay_s: float
    reset_delay_s: float
    on_import: bool = False
    blocked_at_zero_output: bool = False
    phase: int | None = None
    """The meter's phase that it looks at; None for the total."""
    apparent: bool = False
    """It looks at apparent power, in VA, while active power is exported."""
    bound: bool = False
    """A PCS bound: output is forced down before it operates."""

    @property
    def direction(self) -> float:
        """1 for one that looks at export, -1 for one on import."""
        return -1.0 if self.on_import else 1.0


@dataclass(frozen=True, slots=True)
class StorageBound:
    """The PCS bound of storage: what it takes from the grid, what the site imports while it charges, what it sends."""

    kind: BoundKind
    element: ElementSettings


@dataclass(frozen=True, slots=True)
class DerSettings:
    """What the guard knows of a DER."""

    name: str
    nameplate_w: float
    contact: str | None
    decay_s: float
    lost_after_s: float
    charge_w: float = 0.0
    """The most it absorbs: 0 for what only generates."""
    unheard_w: float = 0.0
    """Of storage: the most it gives when nobody hears it."""
    unheard_charge_w: float = 0.0
    """And the most it takes then."""
    has_permit: bool = False
    """Its permit service is an output: a trip makes it cease, with no contact before it as well."""

    @property
    def is_storage(self) -> bool:
        """Whether it can absorb."""
        return self.charge_w > 0


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """What the guard knows of a trip output.

    `opens_s`: from the command until it is open. `backup` names the outputs that open when it fails to;
    `stands_by`: it is such a backup itself, which stays closed when the site trips.
    """

    name: str
    opens_s: float
    backup: tuple[str, ...] = ()
    stands_by: bool = False


@dataclass(frozen=True, slots=True)
class ZeroLoadSum:
    """A limit beside that on the total, at zero host load: what part of each DER counts, and how much may be made."""

    shares: tuple[float, ...]
    unmanaged_w: float
    safe_w: float


@dataclass(frozen=True, slots=True)
class GuardSettings:
    """Everything the guard works by."""

    elements: tuple[ElementSettings, ...]
    pcs: ElementSettings
    force_fallback_after_s: float
    ders: tuple[DerSettings, ...]
    outputs: tuple[OutputSettings, ...]
    watchdog_s: float
    """The shortest of the modules: after such a gap in the scans an output is opening by itself (inf: none does)."""
    unmanaged_w: float
    export_limit_w: float
    lost_sensing_s: float | None
    reset_is_manual: bool
    lockout_trips: int
    bounds: tuple[StorageBound, ...] = ()
    calm_w: float = 0.0
    """Export up to this may be the meter's count and noise."""
    further: tuple[ElementSettings, ...] = ()
    """Each element and the PCS bound again for what else is limited: each phase, apparent power."""
    sums: tuple[ZeroLoadSum, ...] = ()

    @staticmethod
    def of(site: Site) -> GuardSettings:
        """Compile the guard's part of a site file."""
        elements = tuple(_element(site, element) for element in site.guard.element)
        limit_w = site.agreement.export_limit_w
        slowest_s = max(budget.decay_s(der) for der in site.der)
        bound_s = site.guard.olrt_bound_s
        permits = {output.der for output in site.trip_output if isinstance(output, PermitService)}
        return GuardSettings(
            elements=elements,
            pcs=ElementSettings("PCS", limit_w, limit_w, bound_s, site.guard.reset_s),
            force_fallback_after_s=max(0.5 * bound_s, bound_s - slowest_s - budget.security(site).total_s),
            ders=tuple(
                DerSettings(
                    der.name,
                    der.nameplate_w,
                    der.contact,
                    budget.decay_s(der),
                    der.lost_after_s,
                    der.most_charge_w,
                    der.nameplate_w if der.reversion is None else der.reversion.safe_w,
                    0.0 if der.operation == "setpoint" and der.reversion is not None else der.most_charge_w,
                    der.name in permits,
                )
                for der in site.der
            ),
            outputs=tuple(
                OutputSettings(output.name, output.opens_s, output.backup, output.name in site.standing_by)
                for output in site.trip_output
            ),
            watchdog_s=min(
                (output.watchdog_s for output in site.trip_output if output.watchdog_s is not None),
                default=math.inf,
            ),
            unmanaged_w=site.unmanaged_w(),
            export_limit_w=limit_w,
            lost_sensing_s=min((element.delay_s for element in elements), default=None),
            reset_is_manual=site.guard.reset == "manual",
            lockout_trips=site.guard.lockout_trips,
            bounds=tuple(_storage_bounds(site)),
            calm_w=max(site.meter.count_w, NOISE_SIGMAS * site.meter.noise_w),
            further=tuple(_further(site)),
            sums=tuple(_sums(site)),
        )


def pickup_w(site: Site, element: Element, phase: str | None = None) -> float:
    """The pickup as an export in W, defaults after IREC 2023 Section IV.B.3.

    On one phase it is that phase's limit, and its part of the transformer or of the nameplate.
    """
    asked_w = element.pickup_w if phase is None else element.pickup_phase_w
    given = None if asked_w == "auto" else asked_w
    if element.kind == "32R":
        transformer_va = site.site.transformer_va / (1 if phase is None else len(site.site.phases))
        return PICKUP_32R_OF_TRANSFORMER * transformer_va if given is None else given
    if element.kind == "32":
        limit_w = site.agreement.export_limit_w if phase is None else site.phase_limit_w
        return limit_w if given is None else given
    if element.kind == "32F":
        ders_w = (der.nameplate_w * (1.0 if phase is None else site.share(der, phase)) for der in site.der)
        total_w = sum(ders_w) + site.unmanaged_w(phase)
        return -(PICKUP_32F_OF_NAMEPLATE * total_w if given is None else given)
    return -(given or 0.0)


def safe_w(site: Site, phase: str | None = None) -> float:
    """The output that is within the limits when nobody measures what flows and the host load may be zero.

    For the site as a whole or on one phase; with a limit on apparent power it is what the expected reactive flow
    leaves of that.
    """
    agreement = site.agreement
    limit_w = agreement.export_limit_w if phase is None else site.phase_limit_w
    limit_va = agreement.export_limit_va if phase is None else agreement.export_limit_phase_va
    if limit_va is None:
        return limit_w
    return min(limit_w, math.sqrt(max(0.0, limit_va**2 - site.expected_var(phase) ** 2)))


def _sums(site: Site) -> Iterator[ZeroLoadSum]:
    """Apparent power and each limited phase, at zero host load."""
    if site.agreement.export_limit_va is not None:
        yield ZeroLoadSum((1.0,) * len(site.der), site.unmanaged_w(), safe_w(site))
    for phase in site.limited_phases:
        shares = tuple(site.most_share(der, phase) for der in site.der)
        yield ZeroLoadSum(shares, site.unmanaged_w(phase), safe_w(site, phase))


def _further(site: Site) -> Iterator[ElementSettings]:
    """Export elements on each limited phase; the PCS bound of apparent power, of each phase, and of both."""
    for element in site.guard.element:
        if element.kind != "import":
            for phase in site.limited_phases:
                yield _element(site, element, phase)
    agreement = site.agreement
    yield from _bound(site, "PCS-va", agreement.export_limit_va, None, apparent=True)
    for phase in site.limited_phases:
        yield from _bound(site, f"PCS-{phase}", agreement.export_limit_phase_w, phase)
        yield from _bound(site, f"PCS-{phase}-va", agreement.export_limit_phase_va, phase, apparent=True)


def _bound(
    site: Site, name: str, limit: float | None, phase: str | None, *, apparent: bool = False
) -> Iterator[ElementSettings]:
    """The PCS bound of one limit, if there is one."""
    if limit is not None:
        yield ElementSettings(
            name,
            limit,
            limit,
            site.guard.olrt_bound_s,
            site.guard.reset_s,
            phase=_place(phase),
            apparent=apparent,
            bound=True,
        )


def _place(phase: str | None) -> int | None:
    """A phase's place among the meter's."""
    return None if phase is None else "abc".index(phase)


def hysteresis_w(site: Site, at_w: float) -> float:
    """The largest of 2 % of pickup, one meter count and 3 σ of the noise fixed at commissioning."""
    return max(HYSTERESIS_OF_PICKUP * abs(at_w), site.meter.count_w, NOISE_SIGMAS * site.meter.noise_w)


def _element(site: Site, element: Element, phase: str | None = None) -> ElementSettings:
    at_w = pickup_w(site, element, phase)
    apart_w = hysteresis_w(site, at_w)
    return ElementSettings(
        name=element.kind if phase is None else f"{element.kind}-{phase}",
        pickup_w=at_w,
        dropout_w=at_w + apart_w if element.kind == "import" else at_w - apart_w,
        delay_s=budget.auto_delay_s(site) if element.delay_s == "auto" else element.delay_s,
        reset_delay_s=element.reset_delay_s,
        on_import=element.kind == "import",
        blocked_at_zero_output=element.kind == "32F",
        phase=_place(phase),
    )


def _storage_bounds(site: Site) -> Iterator[StorageBound]:
    """One bound for each thing that was agreed of storage; none where there is no storage."""
    if not any(der.kind == "storage" for der in site.der):
        return
    rules, slack_w = StorageRules.of(site.agreement), BOUND_TOLERANCE * site.nameplate_w
    exchanges = rules.import_w + site.limit_w >= slack_w
    agreed: tuple[tuple[BoundKind, str, float], ...] = (
        ("taken", "PCS-storage-import", rules.import_w + (0.0 if exchanges else PROBE * site.nameplate_w)),
        ("import", "PCS-import", rules.site_import_w),
        ("sent", "PCS-storage-export", rules.export_w),
    )
    for kind, name, limit_w in agreed:
        if limit_w < math.inf:
            at_w = limit_w + slack_w
            element = ElementSettings(name, at_w, at_w, site.guard.olrt_bound_s, site.guard.reset_s)
            yield StorageBound(kind, element)
