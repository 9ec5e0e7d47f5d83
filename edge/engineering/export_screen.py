"""The Inadvertent Export Screen of a site, with its inputs, its formula and its result. Pure.

Source: IREC 2023 Section III.B.3.b; the formula itself is `tiir.inadvertent_export`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot

from edge.engineering import clauses
from edge.engineering.capacity import Capacity
from edge.model.site import Method, Site, Source
from tiir.inadvertent_export import APPLIES_ABOVE_W, LARGEST_CHANGE_PU, Screened, screen

FORMULA = "(R_source dP - X_source dQ) / V²; dP = (S - export capacity) PF, dQ = (S - export capacity) sqrt(1 - PF²)"


@dataclass(frozen=True, slots=True)
class ExportScreen:
    """`asked_for` by the difference; `change_pu` is None where [site.source] is missing, positive for a rise.

    `passed` is None where it is asked for and cannot be said. `change_at_meter_pu` counts the service transformer
    too, and has no limit in the screen.
    """

    clause: str
    formula: str
    nameplate_w: float
    nameplate_va: float
    export_capacity_w: float
    difference_w: float
    applies_above_w: float
    asked_for: bool
    limit_pu: float
    source: Source | None
    delta_p_w: float | None
    delta_q_var: float | None
    change_pu: float | None
    change_at_meter_pu: float | None
    passed: bool | None
    sentence: str


def export_screen(site: Site, capacity: Capacity) -> ExportScreen:
    """Screen a site; a configured rating leaves nothing to be exported inadvertently."""
    source = site.site.source
    difference_w = capacity.nameplate_w - capacity.export_w
    can = site.agreement.method is not Method.CONFIGURED_RATING
    asked_for = can and difference_w > APPLIES_ABOVE_W
    result = None if source is None else _screened(capacity, source, 0j)
    passed = None if result is None else abs(result.change_pu) <= LARGEST_CHANGE_PU
    return ExportScreen(
        clause=clauses.SCREEN,
        formula=FORMULA,
        nameplate_w=capacity.nameplate_w,
        nameplate_va=capacity.nameplate_va,
        export_capacity_w=capacity.export_w,
        difference_w=difference_w,
        applies_above_w=APPLIES_ABOVE_W,
        asked_for=asked_for,
        limit_pu=LARGEST_CHANGE_PU,
        source=source,
        delta_p_w=None if result is None else result.delta_p_w,
        delta_q_var=None if result is None else result.delta_q_var,
        change_pu=None if result is None else result.change_pu,
        change_at_meter_pu=_at_meter(site, capacity, source),
        passed=passed if asked_for else True,
        sentence=_sentence(difference_w, result, can=can, asked_for=asked_for),
    )


def _screened(capacity: Capacity, source: Source, behind_ohm: complex) -> Screened:
    """The formula, with `behind_ohm` in series with the source."""
    return screen(
        nameplate_w=capacity.nameplate_w,
        nameplate_va=capacity.nameplate_va,
        export_capacity_w=capacity.export_w,
        power_factor=source.power_factor,
        resistance_ohm=source.r_ohm + behind_ohm.real,
        reactance_ohm=source.x_ohm + behind_ohm.imag,
        voltage_v=source.primary_v,
    )


def transformer_ohm(site: Site, source: Source) -> complex | None:
    """The service transformer's impedance seen from its primary; None where the file does not give it."""
    if source.transformer_z_pct is None or source.transformer_x_over_r is None:
        return None
    size_ohm = source.transformer_z_pct / 100 * source.primary_v**2 / site.site.transformer_va
    return size_ohm * complex(1.0, source.transformer_x_over_r) / hypot(1.0, source.transformer_x_over_r)


def _at_meter(site: Site, capacity: Capacity, source: Source | None) -> float | None:
    behind_ohm = None if source is None else transformer_ohm(site, source)
    if source is None or behind_ohm is None:
        return None
    return _screened(capacity, source, behind_ohm).change_pu


def _sentence(difference_w: float, result: Screened | None, *, can: bool, asked_for: bool) -> str:
    difference = f"nameplate less export capacity is {difference_w / 1000:g} kW"
    if not can:
        return f"not asked for: {difference}, and a configured rating keeps it from being exported"
    if not asked_for:
        return f"not asked for: {difference}, not above {APPLIES_ABOVE_W / 1000:g} kW"
    if result is None:
        return f"asked for, not shown: {difference}; [site.source] is missing (r_ohm, x_ohm, primary_v of the utility)"
    return str(result)
