"""Models that this device has without acting on them, 125, 128, 131, 133, and the heartbeat of 715."""

from __future__ import annotations

from sim.devices.inverter import Inverter
from sim.devices.sunspec import Apply, Changes, Live, Model, RefusedWriteError, Value

_CURVES = {131: {"ActCrv": 0, "NCrv": 1, "NPt": 2}, 133: {"ActSchd": 0, "NSchd": 1, "NPts": 2}}
_REPEATING = {131: {"curve": 1}, 133: {"repeating": 1}}


def inert(model_id: int) -> Model:
    """125 (pricing), 128 (dynamic reactive current), 131 (watt-PF), 133 (schedules): off, all else not implemented."""
    fixed: dict[str, Value] = {"ModEna": 0, "Pad": 0, **_CURVES.get(model_id, {})}
    return Model(model_id, fixed, counts=_REPEATING.get(model_id, {}))


def heartbeat(inverter: Inverter) -> Model:
    """715: both heartbeats and OpCtl, whose START and STOP are the permission of 703."""
    held = {"ControllerHb": 0.0}
    fleet, unit = inverter.plant.fleet, inverter.unit

    def write(changes: Changes) -> Apply:
        permit = {"ES_PERMIT_SERVICE": _permit(changes["OpCtl"])} if "OpCtl" in changes else {}
        configure = inverter.judged(permit)

        def apply() -> None:
            configure()
            held.update({path: amount for path, amount in changes.items() if path in held})

        return apply

    live: dict[str, Live] = {
        "DERHb": lambda: int(inverter.plant.t_s),
        "ControllerHb": lambda: held["ControllerHb"],
        "OpCtl": lambda: bool(fleet.permit[unit]),
    }
    return Model(715, {"LocRemCtl": 0}, live, write)


def _permit(code: float) -> bool:
    if code not in (0, 1):
        raise RefusedWriteError
    return bool(code)
