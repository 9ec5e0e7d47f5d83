"""What an inverter gives: 101-103, the same as floats in 111-113, and 701."""

from __future__ import annotations

from functools import partial

from sim.devices.codec import scale_for
from sim.devices.inverter import Inverter, State
from sim.devices.sunspec import Live, Model, Value

MAX_W = 0
"""Bit of 701 ThrotSrc and of 702 CtrlModes for the active power limit."""

_SCALES: dict[str, Value] = {"A_SF": -1, "V_SF": -1, "Hz_SF": -2, "PF_SF": -1, "WH_SF": 0, "Tmp_SF": 0}
_DC_SCALES: dict[str, Value] = {"DCA_SF": -1, "DCV_SF": -1}
_PAIRS = ("AB", "BC", "CA")
_SPLIT = 2


def older(inverter: Inverter, model_id: int) -> Model:
    """101 (one phase), 102 (split phase), 103 (three phases), or 111-113. Other phases are not implemented."""
    lines = model_id % 10

    def amps() -> float:
        # The legs of a split phase carry the same current, against each other.
        return inverter.amps(1 if lines == _SPLIT else lines)

    live: dict[str, Live] = {
        "A": lambda: lines * amps(),
        "W": inverter.watts,
        "Hz": inverter.hz,
        "VA": inverter.voltamps,
        "VAr": inverter.vars,
        "PF": lambda: inverter.power_factor() * 100.0,
        "WH": inverter.energy_wh,
        "DCA": inverter.dc_a,
        "DCV": inverter.dc_v,
        "DCW": inverter.dc_w,
        "St": lambda: inverter.state() + 1,
    }
    live |= {f"Aph{phase}": amps for phase in "ABC"[:lines]}
    if lines == _SPLIT:
        live["PPVphAB"] = inverter.phase_v
        live |= dict.fromkeys(("PhVphA", "PhVphB"), lambda: inverter.phase_v() / _SPLIT)
    else:
        live |= {f"PhVph{phase}": partial(inverter.phase_v, line) for line, phase in enumerate("ABC"[:lines])}
    if lines > _SPLIT:
        live |= {f"PPVph{pair}": partial(inverter.line_v, line) for line, pair in enumerate(_PAIRS)}
    sf_w = scale_for(inverter.nameplate_va * 1.2)
    powers = dict.fromkeys(("W_SF", "VA_SF", "VAr_SF", "DCW_SF"), sf_w)
    return Model(model_id, {**_SCALES, **_DC_SCALES, **powers, "TmpCab": 35, "Evt1": 0, "Evt2": 0}, live)


def measurement(inverter: Inverter) -> Model:
    """701, single-phase or three-phase as the unit is connected."""
    lines = inverter.lines

    def amps() -> float:
        return inverter.amps(lines)

    live: dict[str, Live] = {
        "St": lambda: inverter.state() not in (State.OFF, State.STANDBY),
        "InvSt": inverter.state,
        "ConnSt": inverter.energised,
        "W": inverter.watts,
        "VA": inverter.voltamps,
        "Var": inverter.vars,
        "PF": inverter.power_factor,
        "A": lambda: lines * amps(),
        "LNV": inverter.phase_v,
        "Hz": inverter.hz,
        "TotWhInj": inverter.energy_wh,
        "TotWhAbs": inverter.absorbed_wh,
        "ThrotSrc": lambda: (1 << MAX_W) * inverter.throttled(),
    }
    if lines > 1:
        live["LLV"] = inverter.line_v
        live |= {
            pair: partial(inverter.line_v, line) for line, pair in enumerate(("VL1L2", "VL2L3", "VL3L1"))
        }
    for number in range(1, lines + 1):
        live |= {f"AL{number}": amps, f"PFL{number}": inverter.power_factor}
        live[f"VL{number}"] = partial(inverter.phase_v, number - 1)
        live |= {
            f"WL{number}": lambda: inverter.watts() / lines,
            f"VAL{number}": lambda: inverter.voltamps() / lines,
            f"VarL{number}": lambda: inverter.vars() / lines,
        }
    sf_w = scale_for(inverter.nameplate_va * 1.2)
    scales = {"A_SF": -1, "V_SF": -1, "Hz_SF": -3, "PF_SF": -3, "TotWh_SF": 0}
    powers = dict.fromkeys(("W_SF", "VA_SF", "Var_SF"), sf_w)
    return Model(701, {**scales, **powers, "ACType": 2 if lines > 1 else 0, "Alrm": 0, "DERMode": 1}, live)
