"""An inverter with the DER models: 1, 701 to 706."""

from __future__ import annotations

from math import ceil

from sim.devices.codec import scale_for
from sim.devices.common import PHASES, Inverter, State, common, flag, fraction
from sim.devices.curves import volt_var, volt_watt
from sim.devices.sunspec import Changes, Live, Model, RefusedWriteError
from sim.limit import LimitWrite
from sim.plant import Plant

_MAX_W, _VOLT_VAR, _VOLT_WATT = 0, 4, 10  # bits of 702 CtrlModes and 701 ThrotSrc


def der_models(plant: Plant, unit: int) -> list[Model]:
    """The chain of inverter number `unit` (from 0)."""
    inverter = Inverter(plant, unit)
    name = f"SIM-DER-{inverter.nameplate_w / 1000:g}K"
    return [
        common(name, f"DER-{unit + 1:04d}"),
        _measurement(inverter),
        _capacity(inverter),
        _enter_service(inverter),
        _limit(inverter),
        volt_var(inverter),
        volt_watt(inverter),
    ]


def _measurement(inverter: Inverter) -> Model:
    """701: three-phase, balanced."""

    def throttle_source() -> float:
        return 1 << _MAX_W if inverter.state() is State.THROTTLED else 0

    live: dict[str, Live] = {
        "St": lambda: inverter.state() not in (State.OFF, State.STANDBY),
        "InvSt": inverter.state,
        "ConnSt": inverter.energised,
        "W": inverter.watts,
        "VA": inverter.voltamps,
        "Var": inverter.vars,
        "PF": inverter.power_factor,
        "A": lambda: PHASES * inverter.amps(),
        "LLV": inverter.line_v,
        "LNV": inverter.phase_v,
        "Hz": inverter.hz,
        "TotWhInj": inverter.energy_wh,
        "ThrotSrc": throttle_source,
    }
    for phase, pair in ((1, "VL1L2"), (2, "VL2L3"), (3, "VL3L1")):
        live |= _phase(inverter, phase, pair)
    sf_w = scale_for(inverter.nameplate_va * 1.2)
    scales = {"A_SF": -1, "V_SF": -1, "Hz_SF": -3, "PF_SF": -3, "TotWh_SF": 0}
    fixed = {**scales, "W_SF": sf_w, "VA_SF": sf_w, "Var_SF": sf_w, "ACType": 2, "Alrm": 0, "DERMode": 1}
    return Model(701, fixed, live)


def _phase(inverter: Inverter, phase: int, pair: str) -> dict[str, Live]:
    return {
        f"WL{phase}": lambda: inverter.watts() / PHASES,
        f"VAL{phase}": lambda: inverter.voltamps() / PHASES,
        f"VarL{phase}": lambda: inverter.vars() / PHASES,
        f"AL{phase}": inverter.amps,
        pair: inverter.line_v,
        f"VL{phase}": inverter.phase_v,
    }


def _capacity(inverter: Inverter) -> Model:
    """702: ratings, and the settings that can be below them; only WMax can be changed here."""
    rated_w, rated_va, rated_var = inverter.nameplate_w, inverter.nameplate_va, inverter.nameplate_var
    fixed = {
        "WMaxRtg": rated_w,
        "VAMaxRtg": rated_va,
        "VAMax": rated_va,
        "VarMaxInjRtg": rated_var,
        "VarMaxInj": rated_var,
        "VarMaxAbsRtg": rated_var,
        "VarMaxAbs": rated_var,
        "VNomRtg": inverter.nominal_v,
        "VNom": inverter.nominal_v,
        "VMaxRtg": inverter.nominal_v * 1.2,
        "VMinRtg": inverter.nominal_v * 0.5,
        "AMaxRtg": inverter.nominal_a(),
        "NorOpCatRtg": 1,
        "AbnOpCatRtg": 2,
        "CtrlModes": 1 << _MAX_W | 1 << _VOLT_VAR | 1 << _VOLT_WATT,
        "V_SF": -1,
        "A_SF": -1,
    }
    sf_w = scale_for(rated_va)
    scales = {"W_SF": sf_w, "VA_SF": sf_w, "Var_SF": sf_w}
    return Model(702, {**fixed, **scales}, {"WMax": inverter.wmax_w}, inverter.write_wmax)


def _enter_service(inverter: Inverter) -> Model:
    """703: permit, window, delay and ramp; a random delay is not implemented."""
    service, unit = inverter.plant.fleet.service, inverter.unit
    nominal_hz = inverter.plant.sim.grid.hz
    banks = {
        "ESVHi": (service.v_high_pu, 100.0),
        "ESVLo": (service.v_low_pu, 100.0),
        "ESHzHi": (service.hz_high, 1.0),
        "ESHzLo": (service.hz_low, 1.0),
        "ESDlyTms": (service.delay_s, 1.0),
        "ESRmpTms": (service.ramp_s, 1.0),
    }
    ranges = {
        "ESVHi": (100, 120),
        "ESVLo": (50, 100),
        "ESHzHi": (nominal_hz, 1.1 * nominal_hz),
        "ESHzLo": (0.9 * nominal_hz, nominal_hz),
        "ESDlyTms": (0, 1000),
        "ESRmpTms": (0, 1000),
    }

    def write(changes: Changes) -> None:
        permit = flag(changes, "ES")
        for path, (low, high) in ranges.items():
            if path in changes and not low <= changes[path] <= high:
                raise RefusedWriteError
        for path, (bank, unit_of) in banks.items():
            if path in changes:
                bank[unit] = changes[path] / unit_of
        if permit is not None:
            service.permit[unit] = permit

    def read(path: str) -> Live:
        bank, unit_of = banks[path]
        return lambda: float(bank[unit]) * unit_of

    live: dict[str, Live] = {path: read(path) for path in banks}
    live["ES"] = lambda: bool(service.permit[unit])
    live["ESDlyRemTms"] = lambda: ceil(service.remaining_s(unit) - 1e-6)
    return Model(703, {"V_SF": -2, "Hz_SF": -3}, live, write)


def _limit(inverter: Inverter) -> Model:
    """704: the active power limit with its reversion; nothing else of that model."""
    limit, unit = inverter.plant.fleet.limit, inverter.unit

    def write(changes: Changes) -> None:
        change = LimitWrite(
            enabled=flag(changes, "WMaxLimPctEna"),
            cap_pu=fraction(changes, "WMaxLimPct"),
            revert_enabled=flag(changes, "WMaxLimPctEnaRvrt"),
            revert_cap_pu=fraction(changes, "WMaxLimPctRvrt"),
            revert_after_s=changes.get("WMaxLimPctRvrtTms"),
        )
        limit.write(unit, change)

    live: dict[str, Live] = {
        "WMaxLimPctEna": lambda: bool(limit.enabled[unit]),
        "WMaxLimPct": lambda: float(limit.cap_pu[unit]) * 100.0,
        "WMaxLimPctRvrt": lambda: float(limit.revert_cap_pu[unit]) * 100.0,
        "WMaxLimPctEnaRvrt": lambda: bool(limit.revert_enabled[unit]),
        "WMaxLimPctRvrtTms": lambda: float(limit.revert_after_s[unit]),
        "WMaxLimPctRvrtRem": lambda: limit.remaining_s(unit),
    }
    return Model(704, {"WMaxLimPct_SF": -2}, live, write)
