"""One site of a family: the base scenario with the site's parameters laid into its plant and its site file.

What an installer would do goes with it: reversion values are the limit shared out, the profile says what the
parameters say, the meter's noise is that of the load. Powers, energies and impedances that are not drawn keep
their size in per unit of nameplate.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.expect import Expect
from sim.files.script import ScriptEvent
from sim.scenario import Scenario

Table = dict[str, Any]

_POWER = re.compile(r"(^|_)(w|wh|m?va|var)$")
_FIRST_PORT = 20_001


@dataclass(frozen=True, slots=True)
class Seeds:
    """What chance decides in a run: everything of the site's own, and the clouds, which a feeder may share."""

    own: int
    weather: int


def variant(base: Scenario, drawn: Mapping[str, float], seeds: Seeds) -> Scenario:
    """`base` with the parameters of `sim.study.family.Family` that `drawn` names; it expects nothing.

    Raises:
        FileRefusedError: When they make no sim file or no site file.
    """
    plant = base.sim.model_dump(mode="json", exclude_none=True, exclude={"script"})
    agent = base.site_file.model_dump(mode="json", exclude_none=True)
    # What is not given stays so: a default may be for another kind of DER.
    agent["der"] = [
        der.model_dump(mode="json", exclude_none=True, exclude_unset=True) for der in base.site_file.der
    ]
    events = [event.model_dump(mode="json", exclude_none=True) for event in base.event]
    if "nameplate_w" in drawn:
        ratio = drawn["nameplate_w"] / base.sim.nameplate_w
        plant, agent, events = _scaled(plant, ratio), _scaled(agent, ratio), _scaled(events, ratio)
    if "ders" in drawn:
        _copy_first(plant, agent, int(drawn["ders"]))
    _set_limit(agent, drawn)
    _set_ders(plant, agent, drawn)
    _set_meter(plant, agent, drawn)
    _set_load(plant, agent, events, drawn)
    _set_weather(plant, drawn)
    for table, seed in (("load", seeds.own), ("meter", seeds.own), ("weather", seeds.weather)):
        if "seed" in plant.get(table, {}):
            plant[table]["seed"] = seed
    changed = {
        "site": None,
        "seed": seeds.own,
        "plant": plant,
        "agent": agent,
        "event": tuple(ScriptEvent.model_validate(event) for event in events),
        "expect": Expect.model_construct(),
    }
    made = Scenario.model_construct(
        **{**{name: getattr(base, name) for name in Scenario.model_fields}, **changed}
    )
    made.check({})
    return made


def _scaled(value: Any, ratio: float, key: str = "") -> Any:
    """Every power and energy times `ratio`, every impedance divided by it."""
    if isinstance(value, dict):
        return {inner: _scaled(item, ratio, inner) for inner, item in value.items()}
    if isinstance(value, list):
        return [_scaled(item, ratio, key) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if _POWER.search(key):
        return value * ratio
    return value / ratio if key.endswith("_ohm") else value


def _copy_first(plant: Table, agent: Table, ders: int) -> None:
    """`ders` copies of the first inverter share the nameplate; what does not belong to it goes."""
    first = plant["inverter"][0]
    share = _nameplate_w(agent) / first["nameplate_w"] / ders
    told = next(der for der in agent["der"] if der["name"] == first["role"])
    names = [first["role"], *(f"{first['role'][:27]}-{number}" for number in range(2, ders + 1))]
    plant["inverter"] = [{**_scaled(first, share), "role": name} for name in names]
    agent["der"] = [{**_scaled(told, share), "name": name} for name in names]
    agent["agreement"]["controlled"] = names
    plant["coil"] = [{**coil, "opens": names} for coil in plant["coil"] if first["role"] in coil["opens"]]
    kept = {coil["role"] for coil in plant["coil"]}
    agent["trip_output"] = [output for output in agent["trip_output"] if output["name"] in kept]
    _renumber(plant, agent)


def _renumber(plant: Table, agent: Table) -> None:
    """A port of its own for every device, the same in both files."""
    served = [plant["meter"], *plant["inverter"], *plant["coil"], plant["diagnostic"]]
    for number, device in enumerate(served):
        device["port"] = _FIRST_PORT + number
    at = {device["role"]: device["port"] for device in (*plant["inverter"], *plant["coil"])}
    agent["meter"]["uri"] = _uri(_FIRST_PORT)
    for device in (*agent["der"], *agent["trip_output"]):
        device["uri"] = _uri(at[device["name"]])


def _uri(port: int) -> str:
    return f"tcp://127.0.0.1:{port}?unit=1"


def _nameplate_w(agent: Table) -> float:
    return float(sum(der["nameplate_w"] for der in agent["der"]))


def _set_limit(agent: Table, drawn: Mapping[str, float]) -> None:
    if "limit_pu" not in drawn:
        return
    limit_w = drawn["limit_pu"] * _nameplate_w(agent)
    agent["agreement"]["export_limit_w"] = limit_w
    agent["control"].pop("site_limit_w", None)
    for element in agent["guard"]["element"]:
        element.pop("pickup_w", None)
    for der in agent["der"]:
        if "reversion" in der:
            der["reversion"]["safe_w"] = math.floor(drawn["limit_pu"] * der["nameplate_w"])


def _set_ders(plant: Table, agent: Table, drawn: Mapping[str, float]) -> None:
    told = {der["name"]: der for der in agent["der"]}
    for unit in plant["inverter"]:
        der = told[unit["role"]]
        for key, real in (("dead_time_s", "dead_time_s"), ("slope_pct_per_s", "slope_pct_s")):
            der[key] = drawn.get(key, der[key])
            ratio = drawn.get(key.partition("_pct")[0].removesuffix("_s") + "_ratio", 1.0)
            if key in drawn or ratio != 1.0:
                unit[real] = der[key] * ratio
        unit["sun_pu"] = drawn.get("sun_pu", unit["sun_pu"])


def _set_meter(plant: Table, agent: Table, drawn: Mapping[str, float]) -> None:
    for name in ("period_s", "latency_s"):
        if f"meter_{name}" in drawn:
            plant["meter"][name] = agent["meter"][name] = drawn[f"meter_{name}"]
    if "meter_period_s" in drawn:
        agent["meter"].pop("poll_s", None)


def _set_load(plant: Table, agent: Table, events: list[Table], drawn: Mapping[str, float]) -> None:
    load, nameplate_w = plant["load"], _nameplate_w(agent)
    if "load_pu" in drawn:
        load["base_w"] = drawn["load_pu"] * nameplate_w
    if "load_noise_pu" in drawn:
        load["noise_w"] = agent["meter"]["noise_w"] = drawn["load_noise_pu"] * nameplate_w
    if "load_drop_share" in drawn:
        for event in events:
            if "load_step_w" in event:
                size_w = drawn["load_drop_share"] * load["base_w"]
                event["load_step_w"] = math.copysign(size_w, event["load_step_w"])


def _set_weather(plant: Table, drawn: Mapping[str, float]) -> None:
    for name, key in (("cloud_cover", "cover"), ("wind_m_s", "wind_m_s")):
        if name in drawn:
            plant["weather"].setdefault("clouds", {})[key] = drawn[name]
