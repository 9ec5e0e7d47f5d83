"""The capacity statement: nameplate, Export Capacity by the declared method, and who exports at the same time.

Nameplate is the sum of all units, limited or not; Export Capacity is what may be exported for good, Inadvertent
Export left aside (IREC 2023 Section I.B, definitions of both; Section IV.B.1). All powers in W or VA.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.engineering import clauses
from edge.guard.ratings import exported_w
from edge.model.site import NON_EXPORT_METHODS, Der, Method, PcsMode, Site

_NEVER_DISCHARGES = (PcsMode.NO_EXCHANGE, PcsMode.IMPORT_ONLY)
_NEVER_CHARGES = frozenset({PcsMode.NO_EXCHANGE, PcsMode.EXPORT_ONLY})


@dataclass(frozen=True, slots=True)
class Unit:
    """One generating or storage unit; `export_w` is what it may add to the export, the common limit left aside."""

    name: str
    kind: Literal["pv", "storage", "unmanaged"]
    nameplate_w: float
    nameplate_va: float
    exports: bool
    export_w: float
    why: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """The numbers for the application, and `statement`, the same in words.

    `export_va` is None where nothing limits apparent power. `charged_from_grid` is None without storage.
    """

    clause: str
    method: Method
    method_clause: str
    units: tuple[Unit, ...]
    nameplate_w: float
    nameplate_va: float
    unmanaged_w: float
    export_w: float
    export_va: float | None
    limited: bool
    at_the_same_time: tuple[str, ...]
    charged_from_grid: bool | None
    emergency_generation: bool
    statement: str


def capacity(site: Site) -> Capacity:
    """The capacity statement of a site."""
    agreement = site.agreement
    units = tuple(_unit(site, der) for der in site.der) + _unmanaged(site)
    nameplate_w = sum(unit.nameplate_w for unit in units)
    nameplate_va = sum(unit.nameplate_va for unit in units)
    export_w = _export_w(site, units)
    export_va = _export_va(site)
    together = tuple(unit.name for unit in units if unit.exports)
    charged = _charged_from_grid(site)
    method_clause, method = clauses.METHOD[agreement.method]
    return Capacity(
        clause=clauses.EXPORT_CAPACITY,
        method=agreement.method,
        method_clause=method_clause,
        units=units,
        nameplate_w=nameplate_w,
        nameplate_va=nameplate_va,
        unmanaged_w=site.unmanaged.nameplate_w,
        export_w=export_w,
        export_va=export_va,
        limited=export_w < nameplate_w,
        at_the_same_time=together,
        charged_from_grid=charged,
        emergency_generation=agreement.emergency_generation,
        statement=" ".join(
            (
                f"Total aggregate nameplate output rating {_kw(nameplate_w)} ({_kva(nameplate_va)});"
                f" Export Capacity {_kw(export_w)}"
                f"{'' if export_va is None else f' ({_kva(export_va)})'}, not counting Inadvertent Export,"
                f" limited by {method} ({method_clause}){_by_whom(site)}.",
                _together(site, together, export_w),
                *_about_va(site),
                *_about_storage(units, charged),
                *_about_the_rest(site),
            )
        ),
    )


def _unit(site: Site, der: Der) -> Unit:
    exports, why = _exports(site, der)
    by_setting = site.agreement.method is Method.CONFIGURED_RATING
    most_w = exported_w(der) if by_setting else der.nameplate_w
    return Unit(der.name, der.kind, der.nameplate_w, der.rated_va, exports, most_w if exports else 0.0, why)


def _exports(site: Site, der: Der) -> tuple[bool, str]:
    """Whether a controlled unit may add to the export, and by which declaration."""
    agreement = site.agreement
    if agreement.method in NON_EXPORT_METHODS:
        return False, f"non-export method, {clauses.METHOD[agreement.method][0]}"
    if der.kind == "storage":
        for mode in _NEVER_DISCHARGES:
            if mode in agreement.pcs_modes:
                return False, f"PCS mode {mode}: storage never discharges to the grid"
        modes = ", ".join(agreement.pcs_modes)
        return True, f"no PCS mode keeps its discharge from the grid ({modes or 'none is declared'})"
    if PcsMode.NO_EXCHANGE in agreement.pcs_modes:
        return False, "PCS mode no_exchange: nothing is exported"
    if agreement.method is Method.CONFIGURED_RATING:
        return True, "at its configured rating" if der.configured else "no configured rating: at nameplate"
    return True, "under the common limit"


def _unmanaged(site: Site) -> tuple[Unit, ...]:
    power_w = site.unmanaged.nameplate_w
    if power_w == 0.0:
        return ()
    if site.agreement.method in NON_EXPORT_METHODS:
        clause = clauses.METHOD[site.agreement.method][0]
        return (
            Unit(
                "unmanaged",
                "unmanaged",
                power_w,
                power_w,
                exports=False,
                export_w=0.0,
                why=f"non-export method, {clause}",
            ),
        )
    return (
        Unit(
            "unmanaged",
            "unmanaged",
            power_w,
            power_w,
            exports=True,
            export_w=power_w,
            why="not limited: counts at nameplate",
        ),
    )


def _export_w(site: Site, units: tuple[Unit, ...]) -> float:
    """Export Capacity: what the exporting units can make, cut to the limit where the method sets one."""
    most_w = sum(unit.export_w for unit in units)
    if site.agreement.method is Method.CONFIGURED_RATING:
        return most_w
    return min(most_w, site.agreement.export_limit_w)


def _export_va(site: Site) -> float | None:
    """Export Capacity in VA, where the agreement or every configured rating limits apparent power."""
    if site.agreement.method is not Method.CONFIGURED_RATING:
        return site.agreement.export_limit_va
    settings = [der.configured.limit_va if der.configured else None for der in site.der]
    known = [limit_va for limit_va in settings if limit_va is not None]
    return sum(known) + site.unmanaged.nameplate_w if len(known) == len(settings) else None


def _charged_from_grid(site: Site) -> bool | None:
    if not any(der.kind == "storage" for der in site.der):
        return None
    return not _NEVER_CHARGES & set(site.agreement.pcs_modes)


def _by_whom(site: Site) -> str:
    agreement = site.agreement
    named = (
        agreement.approval_reference if agreement.method is Method.AGREED_MEANS else agreement.listed_device
    )
    return f": {named}" if named else ""


def _together(site: Site, names: tuple[str, ...], export_w: float) -> str:
    if export_w == 0.0:
        return "No inverter exports, alone or at the same time as another."
    who = f"{_listed(names)} may export{' at the same time' if len(names) > 1 else ''}"
    if site.agreement.method is Method.CONFIGURED_RATING:
        return f"{who}, each up to its configured rating."
    return f"{who}; together they are held to {_kw(export_w)}."


def _about_va(site: Site) -> list[str]:
    missing = tuple(der.name for der in site.der if der.nameplate_va is None)
    return [f"The kVA of {_listed(missing)} are counted at a power factor of 1."] if missing else []


def _about_storage(units: tuple[Unit, ...], charged: bool | None) -> list[str]:
    if charged is None:
        return []
    stores = [unit for unit in units if unit.kind == "storage"]
    told = [
        f"Storage {unit.name} is {'counted' if unit.exports else 'not counted'} in the Export Capacity: {unit.why}."
        for unit in stores
    ]
    return [*told, f"Storage is {'' if charged else 'not '}charged from the grid."]


def _about_the_rest(site: Site) -> list[str]:
    told = []
    if site.unmanaged.nameplate_w:
        told.append(
            f"Generation that is not under this control: {_kw(site.unmanaged.nameplate_w)}, counted in full."
        )
    if site.agreement.emergency_generation:
        told.append(
            "The DER, or part of it, is emergency, legally required or critical backup generation; it is counted in"
            " full and marked in the one-line diagram."
        )
    return told


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _kw(power_w: float) -> str:
    return f"{power_w / 1000:.10g} kW"


def _kva(power_va: float) -> str:
    return f"{power_va / 1000:.10g} kVA"
