"""The Inadvertent Export Screen (IREC 2023 model procedures, Section III.B.3.b). Pure.

A DER whose rating exceeds its export capacity by more than 250 kW may, until its control answers, export all of
the difference. The voltage at the nearest primary point may not change by more than 3 % when it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

APPLIES_ABOVE_W = 250_000.0
"""Nameplate rating less export capacity from which on the screen is asked for."""

LARGEST_CHANGE_PU = 0.03


@dataclass(frozen=True, slots=True)
class Screened:
    """The result with the numbers that it rests on; `change_pu` is positive for a rise."""

    applies: bool
    difference_w: float
    delta_p_w: float
    delta_q_var: float
    change_pu: float

    @property
    def passed(self) -> bool:
        """Whether the screen is met, or need not be."""
        return not self.applies or abs(self.change_pu) <= LARGEST_CHANGE_PU

    def __str__(self) -> str:
        """The result as a sentence."""
        difference = f"nameplate less export capacity is {self.difference_w / 1000:.1f} kW"
        if not self.applies:
            return f"not asked for: {difference}, which is not above {APPLIES_ABOVE_W / 1000:.0f} kW"
        verdict = "passed" if self.passed else "failed"
        return (
            f"{verdict}: {difference}; {self.delta_p_w / 1000:.1f} kW and {self.delta_q_var / 1000:.1f} kvar "
            f"change the primary voltage by {100 * self.change_pu:+.2f} %, "
            f"at most {100 * LARGEST_CHANGE_PU:.0f} % is allowed"
        )


def screen(
    *,
    nameplate_w: float,
    nameplate_va: float,
    export_capacity_w: float,
    power_factor: float,
    resistance_ohm: float,
    reactance_ohm: float,
    voltage_v: float,
) -> Screened:
    """Screen a DER: change = (R dP - X dQ) / V².

    dP and dQ are the apparent rating less the export capacity, split by the power factor; the sign of the second
    term counts dQ as absorbed. Whether the screen applies is told by the rating in W.

    Args:
        nameplate_w: Sum of the DER's ratings, limits left aside.
        nameplate_va: The same in VA.
        export_capacity_w: What may be exported for good.
        power_factor: Above 0, at most 1; absorbing.
        resistance_ohm: Of the grid up to the primary point nearest the point of interconnection.
        reactance_ohm: Of the same.
        voltage_v: Line-to-line voltage there.

    Raises:
        ValueError: For a power factor, voltage, impedance or rating that cannot be.
    """
    if not 0.0 < power_factor <= 1.0:
        raise ValueError(f"the power factor must be above 0 and at most 1, not {power_factor:g}")
    if voltage_v <= 0.0:
        raise ValueError(f"the voltage must be above 0 V, not {voltage_v:g}")
    if min(resistance_ohm, reactance_ohm, export_capacity_w) < 0.0:
        raise ValueError("impedance and export capacity must not be negative")
    if not export_capacity_w <= nameplate_w <= nameplate_va:
        raise ValueError("export capacity, nameplate in W and nameplate in VA must be in this order")
    surplus_va = nameplate_va - export_capacity_w
    delta_p_w = surplus_va * power_factor
    delta_q_var = surplus_va * sqrt(1.0 - power_factor**2)
    change_pu = (resistance_ohm * delta_p_w - reactance_ohm * delta_q_var) / voltage_v**2
    difference_w = nameplate_w - export_capacity_w
    return Screened(difference_w > APPLIES_ABOVE_W, difference_w, delta_p_w, delta_q_var, change_pu)
