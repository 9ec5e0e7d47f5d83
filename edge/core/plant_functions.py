"""Functions of IEEE 1547-2018 that the gateway runs for a DER that lacks them: volt-watt, droop and volt-var.

Curves, priorities and response times are those of the site's settings profile (`tiir`). Volt-watt (5.4.2) and
over-frequency droop (6.5.2.7) only narrow: each is one more limit on that DER. Under-frequency droop asks for more
power, which no limit can give, and is left to the inverter. Volt-var (5.3.3) gives a reactive power to make.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from edge.model.commands import DerVar, Narrowing
from edge.model.image import DerReading, Image
from tiir.active import volt_watt_pu
from tiir.droop import Droop, outside_hz
from tiir.known import amount
from tiir.response import respond
from tiir.values import Values
from tiir.vref import mean_v_pu, volt_var_about, vref_pu

VOLT_WATT, FREQ_DROOP, VOLT_VAR = "volt_watt", "freq_droop", "volt_var"
BY_VOLT_WATT, BY_DROOP = "volt-watt", "frequency-droop"
OPEN_AGAIN_PU = 0.999
"""Of rating: a limit that has come back this far is none any more."""


@dataclass(frozen=True, slots=True)
class PlantFunctions:
    """What the gateway runs for one DER.

    `chain_s` is what passes from a change at the PCC until the DER's output starts to move: it is taken off the
    response time, so that the whole covers 90 % of a step within it. `at_inverter`: the voltage is the inverter's.
    """

    der: str
    rated_w: float
    rated_va: float
    functions: frozenset[str]
    settings: Values
    at_inverter: bool
    chain_s: float
    fresh_s: float

    def t90_s(self, label: str) -> float:
        """What is left of a response time for the gateway's own lag."""
        return max(0.0, amount(self.settings, label) - self.chain_s)


@dataclass(frozen=True, slots=True)
class FunctionState:
    """How far each function of one DER has come, per unit of its rating; None: nothing was measured yet.

    `mean_v_pu` is the running mean of the voltage, for a reference that adjusts itself.
    """

    at_s: float
    volt_watt_pu: float | None = None
    droop: Droop = field(default_factory=Droop)
    droop_pu: float = 1.0
    var_pu: float = 0.0
    mean_v_pu: float | None = None


def functions_start(plant: tuple[PlantFunctions, ...], now_s: float) -> tuple[FunctionState, ...]:
    """Nothing measured, nothing narrowed."""
    return tuple(FunctionState(now_s) for _ in plant)


def functions_step(
    plant: tuple[PlantFunctions, ...], states: tuple[FunctionState, ...], image: Image, now_s: float
) -> tuple[FunctionState, ...]:
    """Advance every DER's functions by one scan."""
    if not plant:
        return states
    readings = {reading.name: reading for reading in image.ders}
    return tuple(
        _advanced(one, state, image, readings[one.der], now_s)
        for one, state in zip(plant, states, strict=True)
    )


def narrowings(plant: tuple[PlantFunctions, ...], states: tuple[FunctionState, ...]) -> Iterator[Narrowing]:
    """The limits that volt-watt and droop set now."""
    for one, state in zip(plant, states, strict=True):
        if state.volt_watt_pu is not None and state.volt_watt_pu < 1.0:
            yield Narrowing(BY_VOLT_WATT, state.volt_watt_pu * one.rated_w, one.der)
        if state.droop_pu < 1.0:
            yield Narrowing(BY_DROOP, state.droop_pu * one.rated_w, one.der)


def reactive(plant: tuple[PlantFunctions, ...], states: tuple[FunctionState, ...]) -> tuple[DerVar, ...]:
    """The reactive power of each DER whose volt-var runs here, injection positive."""
    return tuple(
        [
            DerVar(one.der, state.var_pu * one.rated_va)
            for one, state in zip(plant, states, strict=True)
            if VOLT_VAR in one.functions
        ]
    )


def _advanced(
    one: PlantFunctions, state: FunctionState, image: Image, reading: DerReading, now_s: float
) -> FunctionState:
    v_pu = (reading.v_pu if one.at_inverter else image.pcc.v_pu).fresh(now_s, one.fresh_s)
    f_hz = image.pcc.f_hz.fresh(now_s, one.fresh_s)
    dt_s = now_s - state.at_s
    state = replace(state, at_s=now_s)
    if VOLT_WATT in one.functions:
        state = _volt_watt(one, state, v_pu, dt_s)
    if FREQ_DROOP in one.functions:
        state = _droop(one, state, reading, f_hz, dt_s)
    if VOLT_VAR in one.functions:
        state = _volt_var(one, state, v_pu, dt_s)
    return state


def _volt_watt(one: PlantFunctions, state: FunctionState, v_pu: float | None, dt_s: float) -> FunctionState:
    """A voltage that nobody measures moves nothing: the limit stays. The first one measured counts at once."""
    wanted_pu = None if v_pu is None else volt_watt_pu(one.settings, v_pu)
    if wanted_pu is None:
        return state
    if state.volt_watt_pu is None:
        return replace(state, volt_watt_pu=wanted_pu)
    moved_pu = respond(state.volt_watt_pu, wanted_pu, dt_s, one.t90_s("PV_OLRT"))
    return replace(state, volt_watt_pu=_opened(moved_pu, wanted_pu))


def _droop(
    one: PlantFunctions, state: FunctionState, reading: DerReading, f_hz: float | None, dt_s: float
) -> FunctionState:
    """Over-frequency takes power off what the DER made before; a frequency that nobody measures moves nothing."""
    if f_hz is None:
        return state
    over = outside_hz(one.settings, f_hz) > 0.0
    output_pu = min(max(reading.output_w.otherwise(one.rated_w) / one.rated_w, 0.0), 1.0)
    droop = state.droop.noticed(one.settings, f_hz, output_pu) if over else Droop()
    wanted_pu = droop.wanted_pu(one.settings, f_hz, 0.0, 1.0)
    if wanted_pu is None:
        wanted_pu = 1.0
    began = over and state.droop.before_pu is None
    from_pu = min(state.droop_pu, output_pu) if began else state.droop_pu
    moved_pu = respond(from_pu, wanted_pu, dt_s, one.t90_s("PF_OLRT"))
    return replace(state, droop=droop, droop_pu=_opened(moved_pu, wanted_pu))


def _volt_var(one: PlantFunctions, state: FunctionState, v_pu: float | None, dt_s: float) -> FunctionState:
    """A voltage that nobody measures is not regulated: reactive power goes back to 0, as fast as it came."""
    if v_pu is None:
        wanted_pu, mean = 0.0, state.mean_v_pu
    else:
        mean = v_pu if state.mean_v_pu is None else mean_v_pu(one.settings, state.mean_v_pu, v_pu, dt_s)
        wanted_pu = volt_var_about(one.settings, vref_pu(one.settings, mean))(v_pu)
    return replace(state, var_pu=respond(state.var_pu, wanted_pu, dt_s, one.t90_s("QV_OLRT")), mean_v_pu=mean)


def _opened(moved_pu: float, wanted_pu: float) -> float:
    """A lag never arrives: a limit that is on its way out is gone when it is nearly there."""
    return 1.0 if wanted_pu >= 1.0 and moved_pu >= OPEN_AGAIN_PU else moved_pu
