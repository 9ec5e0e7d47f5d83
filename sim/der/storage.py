"""Batteries behind storage units: what they can take and give, and their state of charge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.der.arrays import Flags, Floats
from sim.files.unit import Storage, Unit

_NONE = Storage(capacity_wh=1.0)


class StorageBank:
    """Charge and discharge limits and the state of charge of the storage among the units.

    The efficiency of a whole cycle is counted when charging. Neither limit lets a step run past the allowed
    range of the state of charge.
    """

    def __init__(self, units: Sequence[Unit], dt_s: float) -> None:
        files = [unit.storage or _NONE for unit in units]
        nameplate_w = np.array([unit.nameplate_w for unit in units])
        self.present: Flags = np.array([unit.storage is not None for unit in units])
        self.any = bool(self.present.any())
        self.charge_pu: Floats = np.array([file.charge_w or np.inf for file in files]) / nameplate_w
        self.charge_pu = np.where(self.present, np.minimum(self.charge_pu, 1.0), 0.0)
        discharge_w = np.array([file.discharge_w or np.inf for file in files])
        self.discharge_pu: Floats = np.minimum(discharge_w / nameplate_w, 1.0)
        self.soc_pu: Floats = np.where(self.present, [file.soc_pu for file in files], np.nan)
        self._soc_min: Floats = np.array([file.soc_min_pu for file in files])
        self._soc_max: Floats = np.array([file.soc_max_pu for file in files])
        self._efficiency: Floats = np.array([file.efficiency for file in files])
        capacity_wh = np.array([file.capacity_wh for file in files])
        self._soc_per_pu: Floats = nameplate_w * (dt_s / 3600.0) / capacity_wh

    def most_pu(self, sun_pu: Floats) -> Floats:
        """What each unit can give in this step: sun for PV, what is left in it for storage."""
        left_pu = np.maximum(self.soc_pu - self._soc_min, 0.0) / self._soc_per_pu
        return np.where(self.present, np.minimum(self.discharge_pu, left_pu), sun_pu)

    def least_pu(self) -> Floats:
        """The other end: 0 for PV, charging power (negative) for storage."""
        room_pu = np.maximum(self._soc_max - self.soc_pu, 0.0) / (self._soc_per_pu * self._efficiency)
        return np.where(self.present, -np.minimum(self.charge_pu, room_pu), 0.0)

    def step(self, p_pu: Floats) -> None:
        """Let one time step pass at `p_pu`."""
        drawn = np.where(p_pu > 0, p_pu, p_pu * self._efficiency)
        self.soc_pu = np.clip(self.soc_pu - drawn * self._soc_per_pu, 0.0, 1.0)
