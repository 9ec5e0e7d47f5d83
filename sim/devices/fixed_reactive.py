"""What model 704 says of reactive power: constant power factor (PFWInj) and constant reactive power (VarSet)."""

from __future__ import annotations

from sim.devices.inverter import Inverter
from sim.devices.reactive import Reactive
from sim.devices.reversion import Reversion
from sim.devices.sets import Place, places, reactive_bases
from sim.devices.sunspec import Apply, Changes, Live, RefusedWriteError
from tiir.values import Value, number

_OF_WMAX, _OF_VAR_MAX, _OF_VA_MAX = 0, 1, 3  # VarSetMod
_ACTIVE, _REACTIVE = 0, 1  # VarSetPri


class FixedReactive:
    """Both functions of one inverter, each with its reversion, and what comes first at the apparent rating.

    A power factor while charging (PFWAbs) is not there.
    """

    def __init__(self, inverter: Inverter) -> None:
        self._inverter = inverter
        bases = reactive_bases(_OF_WMAX, _OF_VAR_MAX, _OF_VA_MAX)
        self._reactive = Reactive(inverter, bases, _OF_VA_MAX)
        self._places = {place.path.removeprefix("PFWInj."): place for place in places(704)}
        self._power_factor = Reversion(
            inverter, "PFWInj", "CONST_PF_MODE_ENABLE", {"CONST_PF": 1.0, "CONST_PF_EXCITATION": "INJ"}
        )
        self._power = Reversion(inverter, "VarSet", "CONST_Q_MODE_ENABLE", {"CONST_Q": 0.0})

    def live(self) -> dict[str, Live]:
        """All points."""
        inverter, reactive, factor, power = self._inverter, self._reactive, self._power_factor, self._power
        return {
            "PFWInjEna": lambda: inverter.number("CONST_PF_MODE_ENABLE"),
            "PFWInj.PF": lambda: self._shown("PF", inverter.setting("CONST_PF")),
            "PFWInj.Ext": lambda: self._shown("Ext", inverter.setting("CONST_PF_EXCITATION")),
            "PFWInjRvrt.PF": lambda: self._shown("PF", factor.after["CONST_PF"]),
            "PFWInjRvrt.Ext": lambda: self._shown("Ext", factor.after["CONST_PF_EXCITATION"]),
            **factor.live(),
            "VarSetEna": lambda: inverter.number("CONST_Q_MODE_ENABLE"),
            "VarSetMod": lambda: reactive.mode,
            "VarSetPri": inverter.var_first,
            "VarSetPct": lambda: reactive.percent(reactive.mode),
            "VarSet": reactive.var,
            "VarSetPctRvrt": lambda: reactive.percent(reactive.mode, number(power.after["CONST_Q"])),
            "VarSetRvrt": lambda: reactive.var(number(power.after["CONST_Q"])),
            **power.live(),
        }

    def judged(self, changes: Changes) -> Apply:
        """What takes a write.

        Raises:
            RefusedWriteError: For a value that is not taken.
            TiirError: For settings that are none.
        """
        inverter, reactive = self._inverter, self._reactive
        mode = reactive.mode_of(changes.get("VarSetMod"))
        first = changes.get("VarSetPri", inverter.var_first())
        if first not in (_ACTIVE, _REACTIVE):
            raise RefusedWriteError
        parts = [
            inverter.judged(
                reactive.enables(changes, "PFWInjEna", "VarSetEna")
                | self._factor(changes, "PFWInj")
                | reactive.setpoint(changes, "VarSetPct", "VarSet", mode)
            ),
            self._power_factor.judged(changes, self._factor(changes, "PFWInjRvrt")),
            self._power.judged(changes, reactive.setpoint(changes, "VarSetPctRvrt", "VarSetRvrt", mode)),
        ]

        def apply() -> None:
            reactive.mode = mode
            inverter.put_var_first(first == _REACTIVE)
            for part in parts:
                part()

        return apply

    def _shown(self, point: str, value: Value) -> float:
        return self._places[point].to_model(value, 1.0)

    def _factor(self, changes: Changes, group: str) -> dict[str, Value]:
        written: dict[str, Place] = {
            f"{group}.{point}": place for point, place in self._places.items() if point in ("PF", "Ext")
        }
        return {
            place.label: place.to_setting(changes[path], 1.0)
            for path, place in written.items()
            if path in changes
        }
