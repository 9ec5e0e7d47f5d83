"""What a DER, or a plant of them, can do by its nameplate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rating:
    """Nameplate (IEEE 1547-2018 10.3), in SI.

    Attributes:
        p_w: Active power when generating, at unity power factor (NP_P_MAX).
        va: Apparent power when generating (NP_VA_MAX).
        q_inj_var: Reactive power injected, at most (NP_Q_MAX_INJ).
        q_abs_var: Reactive power absorbed, at most, as a positive number (NP_Q_MAX_ABS).
        charge_w: Active power when absorbing (NP_P_MAX_CHARGE); 0 for a DER that only generates.
        charge_va: Apparent power when absorbing (NP_APPARENT_POWER_CHARGE_MAX).
    """

    p_w: float
    va: float
    q_inj_var: float
    q_abs_var: float
    charge_w: float = 0.0
    charge_va: float = 0.0

    def pu_of_w(self, p_w: float) -> float:
        """`p_w` per unit of the generating or, below zero, of the charging rating; 0 where there is none."""
        rated_w = self.p_w if p_w >= 0.0 else self.charge_w
        return p_w / rated_w if rated_w else 0.0

    def w_of_pu(self, p_pu: float) -> float:
        """The inverse of `pu_of_w`, in W."""
        return p_pu * (self.p_w if p_pu >= 0.0 else self.charge_w)
