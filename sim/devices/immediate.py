"""Model 123: what an inverter of the older generation is told at once."""

from __future__ import annotations

from sim.devices.common import flag, fraction
from sim.devices.inverter import Inverter
from sim.devices.reactive import Reactive
from sim.devices.sets import reactive_bases
from sim.devices.sunspec import Apply, Changes, Live, Model
from sim.limit import LimitWrite
from tiir.values import Value

_OF_WMAX, _OF_VAR_MAX = 1, 2  # VArPct_Mod


def immediate(inverter: Inverter) -> Model:
    """123: Conn, the limit, whose reversion is full power, constant power factor and reactive power.

    OutPFSet is negative when absorbing reactive power.
    """
    fleet, unit = inverter.plant.fleet, inverter.unit
    limit, connect = fleet.limit, fleet.connect
    reactive = Reactive(inverter, reactive_bases(_OF_WMAX, _OF_VAR_MAX), _OF_VAR_MAX)

    def write(changes: Changes) -> Apply:
        conn = flag(changes, "Conn")
        change = LimitWrite(
            enabled=flag(changes, "WMaxLim_Ena"),
            cap_pu=fraction(changes, "WMaxLimPct"),
            revert_after_s=changes.get("WMaxLimPct_RvrtTms"),
        )
        mode = reactive.mode_of(changes.get("VArPct_Mod"))
        configure = inverter.judged(_reactive(reactive, changes))

        def apply() -> None:
            reactive.mode = mode
            configure()
            if conn is not None:
                connect[unit] = conn
            if change != LimitWrite():
                limit.write(unit, change)

        return apply

    live: dict[str, Live] = {
        "Conn": lambda: bool(connect[unit]),
        "WMaxLimPct": lambda: float(limit.cap_pu[unit]) * 100.0,
        "WMaxLimPct_RvrtTms": lambda: float(limit.revert_after_s[unit]),
        "WMaxLim_Ena": lambda: bool(limit.enabled[unit]),
        "OutPFSet": reactive.signed_power_factor,
        "OutPFSet_Ena": lambda: inverter.number("CONST_PF_MODE_ENABLE"),
        "VArWMaxPct": lambda: reactive.percent(_OF_WMAX),
        "VArMaxPct": lambda: reactive.percent(_OF_VAR_MAX),
        "VArPct_Mod": lambda: reactive.mode,
        "VArPct_Ena": lambda: inverter.number("CONST_Q_MODE_ENABLE"),
    }
    return Model(123, {"WMaxLimPct_SF": -2, "OutPFSet_SF": -3, "VArPct_SF": -2}, live, write)


def _reactive(reactive: Reactive, changes: Changes) -> dict[str, Value]:
    wanted = reactive.enables(changes, "OutPFSet_Ena", "VArPct_Ena")
    if "OutPFSet" in changes:
        wanted["CONST_PF"] = abs(changes["OutPFSet"])
        wanted["CONST_PF_EXCITATION"] = "INJ" if changes["OutPFSet"] > 0 else "ABS"
    for code, path in ((_OF_WMAX, "VArWMaxPct"), (_OF_VAR_MAX, "VArMaxPct")):
        if path in changes:
            wanted |= reactive.of_percent(changes[path], code)
    return wanted
