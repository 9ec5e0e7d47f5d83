"""Frequency droop (frequency-power): active power that follows frequency beyond a dead band (6.5.2.7)."""

from __future__ import annotations

from dataclasses import dataclass

from tiir.known import amount, enabled
from tiir.values import Values

NOMINAL_HZ = 60.0


def outside_hz(settings: Values, f_hz: float) -> float:
    """How far `f_hz` is beyond the dead band: above zero over it, below zero under it, 0 inside or when off."""
    if not enabled(settings, "PF_MODE_ENABLE"):
        return 0.0
    over_hz = f_hz - (NOMINAL_HZ + amount(settings, "PF_DBOF"))
    under_hz = f_hz - (NOMINAL_HZ - amount(settings, "PF_DBUF"))
    return max(over_hz, 0.0) + min(under_hz, 0.0)


@dataclass(frozen=True, slots=True)
class Droop:
    """What droop remembers: active power before the disturbance, in per unit of rating; None in the dead band."""

    before_pu: float | None = None

    def noticed(self, settings: Values, f_hz: float, p_pu: float) -> Droop:
        """The memory at `f_hz`, with `p_pu` put out until now."""
        if outside_hz(settings, f_hz) == 0.0:
            return Droop()
        return Droop(p_pu) if self.before_pu is None else self

    def wanted_pu(self, settings: Values, f_hz: float, least_pu: float, most_pu: float) -> float | None:
        """Active power at `f_hz` after the response time, per unit of rating; None in the dead band.

        Args:
            settings: What is in force.
            f_hz: Frequency.
            least_pu: The least it may fall to: the least output of a DER that generates, minus the charging
                power of one that can absorb. Power already below stays.
            most_pu: What is available.
        """
        change_pu = _change_pu(settings, f_hz)
        if change_pu == 0.0 or self.before_pu is None:
            return None
        wanted_pu = self.before_pu + change_pu
        if change_pu < 0.0:
            return max(wanted_pu, min(least_pu, self.before_pu))
        return min(wanted_pu, most_pu)


def rise_pu(settings: Values, f_hz: float) -> float:
    """By how much under-frequency asks for more power, per unit of rating; 0 elsewhere."""
    return max(_change_pu(settings, f_hz), 0.0)


def _change_pu(settings: Values, f_hz: float) -> float:
    hz = outside_hz(settings, f_hz)
    if hz == 0.0:
        return 0.0
    return -hz / (NOMINAL_HZ * amount(settings, "PF_KOF" if hz > 0.0 else "PF_KUF"))
