"""An inverter of the older generation: models 1, 103, 120, 121, 123 only."""

from __future__ import annotations

from sim.devices.codec import scale_for
from sim.devices.common import PHASES, Inverter, common, flag, fraction
from sim.devices.sunspec import Changes, Live, Model, Value
from sim.limit import LimitWrite
from sim.plant import Plant

_PV = 4  # 120 DERTyp


def legacy_models(plant: Plant, unit: int) -> list[Model]:
    """The chain of inverter number `unit` (from 0)."""
    inverter = Inverter(plant, unit)
    name = f"SIM-PV-{inverter.nameplate_w / 1000:g}K"
    return [
        common(name, f"PV-{unit + 1:04d}"),
        _measurement(inverter),
        _nameplate(inverter),
        _settings(inverter),
        _controls(inverter),
    ]


def _measurement(inverter: Inverter) -> Model:
    """103: three-phase, balanced; temperatures and the DC side are mostly not implemented."""
    live: dict[str, Live] = {
        "A": lambda: PHASES * inverter.amps(),
        "W": inverter.watts,
        "Hz": inverter.hz,
        "VA": inverter.voltamps,
        "VAr": inverter.vars,
        "PF": lambda: inverter.power_factor() * 100.0,
        "WH": inverter.energy_wh,
        "DCW": lambda: inverter.watts() / 0.98,
        "St": lambda: inverter.state() + 1,
    }
    live |= {f"Aph{phase}": inverter.amps for phase in "ABC"}
    live |= {f"PPVph{pair}": inverter.line_v for pair in ("AB", "BC", "CA")}
    live |= {f"PhVph{phase}": inverter.phase_v for phase in "ABC"}
    sf_w = scale_for(inverter.nameplate_va * 1.2)
    fixed: dict[str, Value] = {"A_SF": -1, "V_SF": -1, "Hz_SF": -2, "PF_SF": -1, "WH_SF": 0, "Tmp_SF": 0}
    fixed |= dict.fromkeys(("W_SF", "VA_SF", "VAr_SF", "DCW_SF"), sf_w)
    return Model(103, {**fixed, "TmpCab": 35, "Evt1": 0, "Evt2": 0}, live)


def _nameplate(inverter: Inverter) -> Model:
    """120."""
    sf_w = scale_for(inverter.nameplate_va)
    var = inverter.nameplate_var
    fixed: dict[str, Value] = {
        "DERTyp": _PV,
        "WRtg": inverter.nameplate_w,
        "VARtg": inverter.nameplate_va,
        "VArRtgQ1": var,
        "VArRtgQ2": var,
        "VArRtgQ3": -var,
        "VArRtgQ4": -var,
        "ARtg": inverter.nominal_a(),
        "PFRtgQ1": 0.9,
        "PFRtgQ2": 0.9,
        "PFRtgQ3": -0.9,
        "PFRtgQ4": -0.9,
        "ARtg_SF": -1,
        "PFRtg_SF": -2,
        "Pad": 0,
    }
    return Model(120, fixed | dict.fromkeys(("WRtg_SF", "VARtg_SF", "VArRtg_SF"), sf_w))


def _settings(inverter: Inverter) -> Model:
    """121: only WMax can be changed."""
    sf_w = scale_for(inverter.nameplate_va)
    fixed: dict[str, Value] = {
        "VRef": inverter.nominal_v,
        "VRefOfs": 0,
        "VAMax": inverter.nameplate_va,
        "ECPNomHz": inverter.plant.sim.grid.hz,
        "WMax_SF": sf_w,
        "VAMax_SF": sf_w,
        "VRef_SF": -1,
        "VRefOfs_SF": -1,
        "ECPNomHz_SF": -2,
    }
    return Model(121, fixed, {"WMax": inverter.wmax_w}, inverter.write_wmax)


def _controls(inverter: Inverter) -> Model:
    """123: Conn and the limit, whose reversion is full power."""
    fleet, unit = inverter.plant.fleet, inverter.unit
    limit, connect = fleet.limit, fleet.service.connect

    def write(changes: Changes) -> None:
        conn = flag(changes, "Conn")
        change = LimitWrite(
            enabled=flag(changes, "WMaxLim_Ena"),
            cap_pu=fraction(changes, "WMaxLimPct"),
            revert_after_s=changes.get("WMaxLimPct_RvrtTms"),
        )
        if conn is not None:
            connect[unit] = conn
        if change != LimitWrite():
            limit.write(unit, change)

    live: dict[str, Live] = {
        "Conn": lambda: bool(connect[unit]),
        "WMaxLimPct": lambda: float(limit.cap_pu[unit]) * 100.0,
        "WMaxLimPct_RvrtTms": lambda: float(limit.revert_after_s[unit]),
        "WMaxLim_Ena": lambda: bool(limit.enabled[unit]),
    }
    disabled: dict[str, Value] = {"OutPFSet": 1.0, "OutPFSet_Ena": 0, "VArPct_Ena": 0}
    return Model(123, {**disabled, "WMaxLimPct_SF": -2, "OutPFSet_SF": -2}, live, write)
