"""The battery behind a storage inverter: 124, 713 and 802."""

from __future__ import annotations

from enum import IntEnum
from functools import partial

from sim.band import CHARGE, DISCHARGE, BandWrite
from sim.devices.codec import scale_for
from sim.devices.common import fraction
from sim.devices.inverter import DC_V, Inverter
from sim.devices.sunspec import Apply, Changes, Live, Model, RefusedWriteError, Value
from sim.files.inverter import Storage

_LITHIUM_ION, _CONNECTED = 4, 3  # 802 Typ and State
_ALMOST = 1e-3


class ChargeState(IntEnum):
    """ChaSt of 124 and 802."""

    EMPTY = 2
    DISCHARGING = 3
    CHARGING = 4
    FULL = 5
    HOLDING = 6


def charge_state(inverter: Inverter, storage: Storage) -> ChargeState:
    """What the battery is doing."""
    watts = inverter.watts()
    if abs(watts) > _ALMOST * inverter.nameplate_w:
        return ChargeState.DISCHARGING if watts > 0 else ChargeState.CHARGING
    if inverter.soc_pu() <= storage.soc_min_pu + _ALMOST:
        return ChargeState.EMPTY
    return ChargeState.FULL if inverter.soc_pu() >= storage.soc_max_pu - _ALMOST else ChargeState.HOLDING


def storage_control(inverter: Inverter, storage: Storage) -> Model:
    """124: each bit of StorCtl_Mod puts a rate in force, both together a band; a negative rate forces the other way."""
    bank, unit = inverter.plant.fleet.band, inverter.unit
    charge_pu = inverter.charge_w / inverter.nameplate_w
    discharge_pu = inverter.discharge_w / inverter.nameplate_w

    def write(changes: Changes) -> Apply:
        mode = changes.get("StorCtl_Mod")
        if mode not in {None, *range((CHARGE | DISCHARGE) + 1)}:
            raise RefusedWriteError
        in_rate, out_rate = fraction(changes, "InWRte", -100), fraction(changes, "OutWRte", -100)
        change = BandWrite(
            mode=None if mode is None else int(mode),
            charge_pu=None if in_rate is None else in_rate * charge_pu,
            discharge_pu=None if out_rate is None else out_rate * discharge_pu,
            revert_after_s=changes.get("InOutWRte_RvrtTms"),
        )
        return partial(bank.write, unit, change)

    live: dict[str, Live] = {
        "StorCtl_Mod": lambda: int(bank.mode[unit]),
        "ChaState": lambda: 100.0 * inverter.soc_pu(),
        "ChaSt": lambda: charge_state(inverter, storage),
        "InWRte": lambda: 100.0 * float(bank.charge_pu[unit]) / charge_pu,
        "OutWRte": lambda: 100.0 * float(bank.discharge_pu[unit]) / discharge_pu,
        "InOutWRte_RvrtTms": lambda: float(bank.revert_after_s[unit]),
    }
    fixed: dict[str, Value] = {"WChaMax": inverter.charge_w, "WChaGra": 100, "WDisChaGra": 100}
    fixed |= {"WChaMax_SF": scale_for(inverter.charge_w), "WChaDisChaGra_SF": 0, "ChaGriSet": 1}
    fixed |= {"ChaState_SF": -2, "InOutWRte_SF": -2}
    return Model(124, fixed, live, write)


def storage_capacity(inverter: Inverter, storage: Storage) -> Model:
    """713."""
    live: dict[str, Live] = {
        "SoC": lambda: 100.0 * inverter.soc_pu(),
        "WHAvail": lambda: storage.capacity_wh * max(0.0, inverter.soc_pu() - storage.soc_min_pu),
    }
    fixed: dict[str, Value] = {"WHRtg": storage.capacity_wh, "SoH": 100, "Sta": 0, "Pct_SF": -2}
    return Model(713, {**fixed, "WH_SF": scale_for(storage.capacity_wh)}, live)


def battery(inverter: Inverter, storage: Storage) -> Model:
    """802: shown only; its own commands stay as they are."""
    live: dict[str, Live] = {
        "SoC": lambda: 100.0 * inverter.soc_pu(),
        "DoD": lambda: 100.0 - 100.0 * inverter.soc_pu(),
        "ChaSt": lambda: charge_state(inverter, storage),
        "A": inverter.dc_a,
        "W": inverter.dc_w,
    }
    fixed: dict[str, Value] = {
        "AHRtg": storage.capacity_wh / DC_V,
        "AHRtg_SF": scale_for(storage.capacity_wh / DC_V),
        "WHRtg": storage.capacity_wh,
        "WHRtg_SF": scale_for(storage.capacity_wh),
        "WChaRteMax": inverter.charge_w,
        "WDisChaRteMax": inverter.discharge_w,
        "WChaDisChaMax_SF": scale_for(inverter.nameplate_w),
        "SoCMax": 100.0 * storage.soc_max_pu,
        "SoCMin": 100.0 * storage.soc_min_pu,
        "SoH": 100,
        "V": DC_V,
        "AChaMax": inverter.charge_w / DC_V,
        "ADisChaMax": inverter.discharge_w / DC_V,
        "W_SF": scale_for(inverter.nameplate_va * 1.2),
        "Typ": _LITHIUM_ION,
        "State": _CONNECTED,
        "SetOp": 1,
        "SetInvState": 3,
    }
    zeros = ("LocRemCtl", "AlmRst", "Evt1", "Evt2", "EvtVnd1", "EvtVnd2", "SoH_SF")
    scales = {"SoC_SF": -2, "DoD_SF": -2, "V_SF": -1, "CellV_SF": -2, "A_SF": -1, "AMax_SF": -1}
    return Model(802, {**fixed, **dict.fromkeys(zeros, 0), **scales}, live)
