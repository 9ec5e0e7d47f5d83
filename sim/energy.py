"""A meter's energy counters: by direction, total and by phase."""

from __future__ import annotations

from typing import Literal

from sim.network import Trio
from sim.site import PccState


class Energies:
    """Counters in Wh of what was measured.

    Each phase counts by its own direction. The totals count the direction of the sum of the phases ("net"), or
    are the sums of what the phases counted ("phases"), which is never less.
    """

    def __init__(self, netting: Literal["net", "phases"], dt_s: float) -> None:
        self._netting = netting
        self._hours = dt_s / 3600.0
        self._net_exported = 0.0
        self._net_imported = 0.0
        self._exported = [0.0, 0.0, 0.0]
        self._imported = [0.0, 0.0, 0.0]

    def add(self, state: PccState) -> None:
        """Count one time step at `state`."""
        if state.export_w > 0:
            self._net_exported += state.export_w * self._hours
        else:
            self._net_imported -= state.export_w * self._hours
        for phase, power_w in enumerate(state.phase_w):
            if power_w > 0:
                self._exported[phase] += power_w * self._hours
            else:
                self._imported[phase] -= power_w * self._hours

    def total(self) -> tuple[float, float]:
        """Exported and imported."""
        if self._netting == "net":
            return self._net_exported, self._net_imported
        return sum(self._exported), sum(self._imported)

    def phases(self) -> tuple[Trio, Trio]:
        """Exported and imported by phase."""
        out, into = self._exported, self._imported
        return (out[0], out[1], out[2]), (into[0], into[1], into[2])
