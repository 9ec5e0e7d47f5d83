"""What an inverter can do and how it stands: 120 (nameplate), 121 (basic settings), 122 (status), 702."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sim.devices.codec import scale_for
from sim.devices.inverter import Inverter
from sim.devices.sunspec import Apply, Changes, Live, Model, Value

_PV, _PV_STORAGE = 4, 82  # 120 DERTyp
_QUADRANTS = {1: 1, 2: 1, 3: -1, 4: -1}  # sign of var by quadrant

_CONTROL_BITS = {704: (0, 2, 3), 705: (4,), 711: (5,), 707: (7,), 708: (8,), 712: (9,), 706: (10,)}
"""Bits of 702 CtrlModes by the model that controls them: MAX_W, FIXED_VAR and FIXED_PF are all in 704."""

_FIXED_W = 1


def nameplate(inverter: Inverter) -> Model:
    """120."""
    sf_w = scale_for(inverter.nameplate_va)
    storage = inverter.file.storage
    fixed: dict[str, Value] = {
        "DERTyp": _PV_STORAGE if storage else _PV,
        "WRtg": inverter.nameplate_w,
        "VARtg": inverter.nameplate_va,
        "ARtg": inverter.nominal_a(),
        "ARtg_SF": -1,
        "PFRtg_SF": -2,
        "Pad": 0,
    }
    for quadrant, sign in _QUADRANTS.items():
        var = inverter.var_injected_max if sign > 0 else -inverter.var_absorbed_max
        fixed |= {f"VArRtgQ{quadrant}": var, f"PFRtgQ{quadrant}": 0.9 * sign}
    if storage:
        sf_wh = scale_for(storage.capacity_wh)
        fixed |= {"WHRtg": storage.capacity_wh, "WHRtg_SF": sf_wh}
        fixed |= {"MaxChaRte": inverter.charge_w, "MaxDisChaRte": inverter.discharge_w}
        fixed |= {"MaxChaRte_SF": sf_w, "MaxDisChaRte_SF": sf_w}
    return Model(120, fixed | dict.fromkeys(("WRtg_SF", "VARtg_SF", "VArRtg_SF"), sf_w))


def basic_settings(inverter: Inverter) -> Model:
    """121: only WMax can be changed."""
    sf_w = scale_for(inverter.nameplate_va)
    fixed: dict[str, Value] = {
        "VRef": inverter.nominal_v,
        "VRefOfs": 0,
        "VAMax": inverter.nameplate_va,
        "ECPNomHz": inverter.nominal_hz,
        "WMax_SF": sf_w,
        "VAMax_SF": sf_w,
        "VRef_SF": -1,
        "VRefOfs_SF": -1,
        "ECPNomHz_SF": -2,
    }
    return Model(121, fixed, {"WMax": inverter.wmax_w}, _wmax(inverter))


def status(inverter: Inverter) -> Model:
    """122: connection, energy, and which controls act."""
    connected = 0b1

    def connection() -> float:
        """CONNECTED, AVAILABLE, OPERATING from the lowest bit on."""
        running = inverter.in_service()
        return int(inverter.energised()) | int(not inverter.dark()) << 1 | int(running) << 2

    def active_controls() -> float:
        """StActCtl: FixedW, FixedVAR, FixedPF, volt-var, frequency-watt, volt-watt."""
        settings = inverter.settings()
        bits = {
            0: bool(inverter.plant.fleet.limit.enabled[inverter.unit]),
            1: settings["CONST_Q_MODE_ENABLE"],
            2: settings["CONST_PF_MODE_ENABLE"],
            3: settings["QV_MODE_ENABLE"],
            4: settings["PF_MODE_ENABLE"],
            10: settings["PV_MODE_ENABLE"],
        }
        return sum(1 << bit for bit, active in bits.items() if active)

    live: dict[str, Live] = {
        "StorConn" if inverter.stores else "PVConn": connection,
        "ECPConn": lambda: connected * inverter.energised(),
        "ActWh": inverter.energy_wh,
        "StActCtl": active_controls,
        "Tms": lambda: inverter.plant.t_s,
    }
    other: dict[str, Value] = {"PVConn" if inverter.stores else "StorConn": 0}
    return Model(122, {**other, "TmSrc": "SIM"}, live)


def capacity(inverter: Inverter, chain: Collection[int]) -> Model:
    """702: ratings, and the settings that can be below them; only WMax can be changed here."""
    rated_w, rated_va = inverter.nameplate_w, inverter.nameplate_va
    fixed: dict[str, Value] = {
        "WMaxRtg": rated_w,
        "VNomRtg": inverter.nominal_v,
        "VNom": inverter.nominal_v,
        "VMaxRtg": inverter.nominal_v * 1.2,
        "VMinRtg": inverter.nominal_v * 0.5,
        "AMaxRtg": inverter.nominal_a(),
        "NorOpCatRtg": "AB".index(inverter.file.normal_category),
        "AbnOpCatRtg": ("I", "II", "III").index(inverter.file.abnormal_category),
        "CtrlModes": _control_modes(inverter, chain),
        "V_SF": -1,
        "A_SF": -1,
    }
    fixed |= dict.fromkeys(("VAMaxRtg", "VAMax"), rated_va)
    fixed |= dict.fromkeys(("VarMaxInjRtg", "VarMaxInj"), inverter.var_injected_max)
    fixed |= dict.fromkeys(("VarMaxAbsRtg", "VarMaxAbs"), inverter.var_absorbed_max)
    if inverter.stores:
        fixed |= dict.fromkeys(("WChaRteMaxRtg", "WChaRteMax"), inverter.charge_w)
        fixed |= dict.fromkeys(("WDisChaRteMaxRtg", "WDisChaRteMax"), inverter.discharge_w)
        fixed |= dict.fromkeys(("VAChaRteMaxRtg", "VADisChaRteMaxRtg"), rated_va)
    fixed |= dict.fromkeys(("W_SF", "VA_SF", "Var_SF"), scale_for(rated_va))
    return Model(702, fixed, {"WMax": inverter.wmax_w}, _wmax(inverter))


def _control_modes(inverter: Inverter, chain: Collection[int]) -> int:
    bits = {bit for model in chain for bit in _CONTROL_BITS.get(model, ())}
    if 704 in chain and inverter.stores:
        bits.add(_FIXED_W)
    return sum(1 << bit for bit in bits)


def _wmax(inverter: Inverter) -> Callable[[Changes], Apply]:
    return lambda changes: inverter.judged_wmax(changes["WMax"])
