"""The DC side of an inverter: 160 and 714."""

from __future__ import annotations

from sim.devices.codec import scale_for
from sim.devices.inverter import DC_EFFICIENCY, Inverter
from sim.devices.sunspec import Live, Model, Value

INPUTS = 2
"""DC inputs of a PV inverter, which share its power evenly."""

_PV, _ESS = 0, 1  # 714 PrtTyp


def mppt(inverter: Inverter) -> Model:
    """160."""
    live: dict[str, Live] = {}
    fixed: dict[str, Value] = {"DCA_SF": -2, "DCV_SF": -1, "DCWH_SF": 0, "Evt": 0, "N": INPUTS}
    fixed["DCW_SF"] = scale_for(inverter.nameplate_va * 1.2)
    for number in range(1, INPUTS + 1):
        prefix = f"module.{number}."
        fixed |= {prefix + "ID": number, prefix + "IDStr": f"String {number}", prefix + "DCEvt": 0}
        live |= {
            prefix + "DCA": lambda: inverter.dc_a() / INPUTS,
            prefix + "DCV": inverter.dc_v,
            prefix + "DCW": lambda: inverter.dc_w() / INPUTS,
            prefix + "DCWH": lambda: inverter.energy_wh() / DC_EFFICIENCY / INPUTS,
            prefix + "DCSt": lambda: inverter.state() + 1,
        }
    return Model(160, fixed, live, counts={"module": INPUTS})


def ports(inverter: Inverter) -> Model:
    """714: PV has as many ports as inputs, storage has its battery's."""
    count = 1 if inverter.stores else INPUTS
    totals: dict[str, Live] = {
        "DCA": inverter.dc_a,
        "DCW": inverter.dc_w,
        "DCWhInj": lambda: inverter.energy_wh() / DC_EFFICIENCY,
        "DCWhAbs": lambda: inverter.absorbed_wh() * DC_EFFICIENCY,
    }
    live = dict(totals)
    fixed: dict[str, Value] = {"PrtAlrms": 0, "DCA_SF": -1, "DCV_SF": -1, "DCWH_SF": 0, "Tmp_SF": 0}
    fixed["DCW_SF"] = scale_for(inverter.nameplate_va * 1.2)
    for number in range(1, count + 1):
        prefix = f"Prt.{number}."
        fixed |= {prefix + "PrtTyp": _ESS if inverter.stores else _PV, prefix + "ID": number}
        fixed |= {prefix + "IDStr": f"Port {number}", prefix + "DCAlrm": 0}
        live |= {prefix + name: _share(total, count) for name, total in totals.items()}
        live |= {prefix + "DCV": inverter.dc_v, prefix + "DCSta": lambda: not inverter.dark()}
    return Model(714, fixed, live, counts={"NPrt": count})


def _share(total: Live, count: int) -> Live:
    return lambda: (total() or 0.0) / count
