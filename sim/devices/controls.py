"""Model 704: what an inverter is told at once, each function with its reversion."""

from __future__ import annotations

from sim.devices.common import flag, fraction
from sim.devices.fixed_reactive import FixedReactive
from sim.devices.inverter import Inverter
from sim.devices.sunspec import Apply, Changes, Live, Model, RefusedWriteError, Value
from sim.limit import LimitWrite
from sim.setpoint import SetpointWrite

_IN_WATTS = 1  # WSetMod


def controls(inverter: Inverter) -> Model:
    """704: the active power limit, constant power factor and reactive power; WSet of storage."""
    reactive = FixedReactive(inverter)

    def write(changes: Changes) -> Apply:
        limit, setpoint = _limit_change(changes), _setpoint_change(inverter, changes)
        configure = reactive.judged(changes)

        def apply() -> None:
            configure()
            if limit != LimitWrite():
                inverter.plant.fleet.limit.write(inverter.unit, limit)
            if setpoint != SetpointWrite():
                inverter.plant.fleet.setpoint.write(inverter.unit, setpoint)

        return apply

    fixed: dict[str, Value] = {"WMaxLimPct_SF": -2, "PF_SF": -3, "VarSet_SF": 0, "VarSetPct_SF": -2}
    live = {**_limit(inverter), **reactive.live()}
    if inverter.stores:
        fixed |= {"WSet_SF": 0, "WSetPct_SF": -2, "WSetMod": _IN_WATTS}
        live |= _setpoint(inverter)
    return Model(704, fixed, live, write)


def _limit(inverter: Inverter) -> dict[str, Live]:
    limit, unit = inverter.plant.fleet.limit, inverter.unit
    return {
        "WMaxLimPctEna": lambda: bool(limit.enabled[unit]),
        "WMaxLimPct": lambda: float(limit.cap_pu[unit]) * 100.0,
        "WMaxLimPctRvrt": lambda: float(limit.revert_cap_pu[unit]) * 100.0,
        "WMaxLimPctEnaRvrt": lambda: bool(limit.revert_enabled[unit]),
        "WMaxLimPctRvrtTms": lambda: float(limit.revert_after_s[unit]),
        "WMaxLimPctRvrtRem": lambda: limit.remaining_s(unit),
    }


def _limit_change(changes: Changes) -> LimitWrite:
    return LimitWrite(
        enabled=flag(changes, "WMaxLimPctEna"),
        cap_pu=fraction(changes, "WMaxLimPct"),
        revert_enabled=flag(changes, "WMaxLimPctEnaRvrt"),
        revert_cap_pu=fraction(changes, "WMaxLimPctRvrt"),
        revert_after_s=changes.get("WMaxLimPctRvrtTms"),
    )


def _setpoint(inverter: Inverter) -> dict[str, Live]:
    """WSet in W and in percent of WMax are one setpoint, negative when charging."""
    bank, unit = inverter.plant.fleet.setpoint, inverter.unit
    rated_w = inverter.nameplate_w
    return {
        "WSetEna": lambda: bool(bank.enabled[unit]),
        "WSet": lambda: float(bank.set_pu[unit]) * rated_w,
        "WSetRvrt": lambda: float(bank.revert_set_pu[unit]) * rated_w,
        "WSetPct": lambda: float(bank.set_pu[unit]) * rated_w / inverter.wmax_w() * 100.0,
        "WSetPctRvrt": lambda: float(bank.revert_set_pu[unit]) * rated_w / inverter.wmax_w() * 100.0,
        "WSetEnaRvrt": lambda: bool(bank.revert_enabled[unit]),
        "WSetRvrtTms": lambda: float(bank.revert_after_s[unit]),
        "WSetRvrtRem": lambda: bank.remaining_s(unit),
    }


def _setpoint_change(inverter: Inverter, changes: Changes) -> SetpointWrite:
    return SetpointWrite(
        enabled=flag(changes, "WSetEna"),
        set_pu=_set_pu(inverter, changes, "WSet", "WSetPct"),
        revert_enabled=flag(changes, "WSetEnaRvrt"),
        revert_set_pu=_set_pu(inverter, changes, "WSetRvrt", "WSetPctRvrt"),
        revert_after_s=changes.get("WSetRvrtTms"),
    )


def _set_pu(inverter: Inverter, changes: Changes, watts: str, percent: str) -> float | None:
    """A setpoint in units of nameplate, out of whichever point was written."""
    share = fraction(changes, percent, low=-100.0)
    power_w = changes.get(watts, None if share is None else share * inverter.wmax_w())
    if power_w is None:
        return None
    if abs(power_w) > inverter.nameplate_w:
        raise RefusedWriteError
    return power_w / inverter.nameplate_w
