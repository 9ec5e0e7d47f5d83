"""The PCC meter as every SunSpec meter model, and with registers of makers' own."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from math import hypot, sqrt
from typing import Any

import pytest
from hand_moved_site import HandMoved
from pydantic import ValidationError
from pymodbus.client import AsyncModbusTcpClient
from scanned_device import scanned
from site_tables import inverter, site_of

from edge.model.strict_toml import FileRefusedError, load
from sim.devices.assembly import meter_unit
from sim.devices.unit import ModbusRefusal, Refusal
from sim.files.meter_map import MeterMap, meter_map, meter_map_names
from sim.files.script import ScriptEvent
from sim.meter import MeterReading
from sim.plant import Plant

SETTINGS = {"CONST_Q_MODE_ENABLE": True, "CONST_Q": 0.2}


@asynccontextmanager
async def metered(model: int | str, **changes: Any) -> AsyncIterator[tuple[HandMoved, MeterReading]]:
    """A three-phase site out of balance that has exported for a while and imports now."""
    meter = {"port": 1000, "period_s": 0.2, "model": model, **changes}
    units = inverter(1, settings=SETTINGS), inverter(2, nameplate_w=5_000.0, phases="b")
    async with HandMoved(site_of(*units, meter=meter, load={"base_w": 3_000.0})) as site:
        for phase, v_pu in (("a", 1.0), ("b", 0.98), ("c", 1.02)):
            site.plant.apply(ScriptEvent.model_validate({"at_s": 0.0, "v_pu": v_pu, "phase": phase}))
        site.run(6.0)
        site.plant.apply(ScriptEvent(at_s=0.0, load_w=60_000.0))
        site.run(6.0)
        yield site, site.plant.meter.shown


def near(value: float, count: float) -> Any:
    """`value` as a register with so much to a count may show it."""
    return pytest.approx(value, abs=0.51 * count)


@pytest.mark.parametrize("model", [203, 213, 204, 214])
async def test_totals_are_those_of_the_last_sample(model: int) -> None:
    async with metered(model) as (site, reading):
        shown = (await scanned(site, "meter"))[model]
    state, exact = reading.state, model > 210
    watts = 0.1 if exact else 10.0
    assert state.export_w < -30_000
    assert shown["W"] == near(state.export_w, watts)
    assert shown["VAR"] == near(state.export_var, watts)
    assert shown["VA"] == near(hypot(state.export_w, state.export_var), watts)
    assert shown["PF"] * (100 if exact else 1) == near(
        100 * state.export_w / hypot(state.export_w, state.export_var), 0.1
    )
    assert shown["Hz"] == near(state.hz, 0.01)
    assert shown["A"] == near(sum(state.phase_a), 0.1)
    assert shown["TotWhExp"] == near(reading.exported_wh, 0.1)
    assert shown["TotWhImp"] == near(reading.imported_wh, 0.1)
    assert reading.exported_wh > 0
    assert reading.imported_wh > 0


@pytest.mark.parametrize("model", [203, 213])
async def test_every_phase_is_its_own(model: int) -> None:
    async with metered(model) as (site, reading):
        shown = (await scanned(site, "meter"))[model]
    state = reading.state
    volts = [480 / sqrt(3) * v_pu for v_pu in state.phase_v_pu]
    by_phase: dict[str, Sequence[float]] = {
        "W": state.phase_w,
        "VAR": state.phase_var,
        "A": state.phase_a,
        "PhV": volts,
    }
    for name, values in by_phase.items():
        count = 10.0 if name.startswith(("W", "VAR")) else 0.1
        for phase, value in zip("ABC", values, strict=True):
            assert shown[f"{name}ph{phase}"] == near(value, count)
    assert len({round(value) for value in state.phase_w}) > 1
    energies = zip("ABC", reading.phase_exported_wh, reading.phase_imported_wh, strict=True)
    for phase, exported_wh, imported_wh in energies:
        assert shown[f"TotWhExpPh{phase}"] == near(exported_wh, 0.1)
        assert shown[f"TotWhImpPh{phase}"] == near(imported_wh, 0.1)
    pair = "PhVphBC" if model == 203 else "PPVphBC"
    assert shown[pair] == near(sqrt(volts[1] ** 2 + volts[2] ** 2 + volts[1] * volts[2]), 0.1)


@pytest.mark.parametrize(("model", "pair"), [(204, "PhVphAB"), (214, "PPVphAB")])
async def test_a_delta_meter_knows_no_neutral(model: int, pair: str) -> None:
    async with metered(model) as (site, reading):
        shown = (await scanned(site, "meter"))[model]
    a_v, b_v, _ = (480 / sqrt(3) * v_pu for v_pu in reading.state.phase_v_pu)
    assert shown[pair] == near(sqrt(a_v**2 + b_v**2 + a_v * b_v), 0.1)
    assert [shown[f"Aph{phase}"] for phase in "ABC"] == [near(amps, 0.1) for amps in reading.state.phase_a]
    assert not {"PhV", "PhVphA", "WphA"} & shown.keys()


@pytest.mark.parametrize(("model", "pair"), [(202, "PhVphAB"), (212, "PPVphAB")])
async def test_a_split_phase_meter_sees_two_legs(model: int, pair: str) -> None:
    tables = {"grid": {"nominal_v": 240.0, "phases": "a"}, "load": {"base_w": 1_000.0}}
    meter = {"port": 1000, "period_s": 0.2, "model": model}
    async with HandMoved(site_of(inverter(1, nameplate_w=5_000.0), meter=meter, **tables)) as site:
        site.run(1.0)
        shown = (await scanned(site, "meter"))[model]
    assert (shown["W"], shown["WphA"], shown["WphB"]) == (4_000, 2_000, 2_000)
    assert (shown["PhVphA"], shown["PhVphB"], shown[pair]) == (120, 120, 240)
    assert shown["AphA"] == near(4_000 / 240, 0.1)
    assert not {"AphC", "PhVphC"} & shown.keys()


@pytest.mark.parametrize("model", [201, 211])
async def test_a_single_phase_meter_sees_its_phase(model: int) -> None:
    tables = {"grid": {"nominal_v": 240.0, "phases": "a"}, "load": {"base_w": 1_000.0}}
    meter = {"port": 1000, "period_s": 0.2, "model": model}
    async with HandMoved(site_of(inverter(1, nameplate_w=5_000.0), meter=meter, **tables)) as site:
        site.run(1.0)
        shown = (await scanned(site, "meter"))[model]
    assert (shown["W"], shown["WphA"], shown["PhV"], shown["PhVphA"]) == (4_000, 4_000, 240, 240)
    assert (shown["A"], shown["AphA"]) == (near(4_000 / 240, 0.1), near(4_000 / 240, 0.1))


async def test_power_can_be_import_positive_and_energies_stay() -> None:
    async with metered(203, sign="import_positive") as (site, reading):
        shown = (await scanned(site, "meter"))[203]
    assert shown["W"] == near(-reading.state.export_w, 10)
    assert shown["WphB"] == near(-reading.state.phase_w[1], 10)
    assert shown["TotWhExp"] == near(reading.exported_wh, 0.1)


async def registers(site: HandMoved, function_code: int, address: int, count: int) -> list[int]:
    client = AsyncModbusTcpClient("127.0.0.1", port=site.port("meter"), timeout=1, retries=0)
    assert await client.connect()
    read = client.read_holding_registers if function_code == 3 else client.read_input_registers
    answer = await read(address, count=count)
    client.close()
    assert not answer.isError()
    return list(answer.registers)


@pytest.mark.parametrize(
    ("name", "code", "address", "how", "quantity", "count"),
    [
        ("eastron-sdm630", 4, 52, ">f", "w", 0.1),
        ("eastron-sdm630", 4, 14, ">f", "w_b", 0.1),
        ("eastron-sdm630", 4, 2, ">f", "v_b", 0.01),
        ("eastron-sdm630", 4, 70, ">f", "hz", 0.001),
        ("eastron-sdm630", 4, 72, ">f kilo", "imported_wh", 0.1),
        ("carlo-gavazzi-em24", 4, 40, "low i /10", "w", 0.1),
        ("carlo-gavazzi-em24", 4, 20, "low i /10", "w_b", 0.1),
        ("carlo-gavazzi-em24", 4, 51, ">H /10", "hz", 0.1),
        ("carlo-gavazzi-em24", 4, 78, "low i kilo /10", "exported_wh", 100),
        ("janitza-umg", 3, 19_026, ">f", "w", 0.1),
        ("janitza-umg", 4, 19_068, ">f", "imported_wh", 0.1),
        ("schneider-iem3155", 3, 3_059, ">f kilo", "w", 0.1),
        ("schneider-iem3155", 3, 3_203, ">q", "imported_wh", 1),
        ("abb-b23", 3, 23_316, ">i /100", "w", 0.01),
        ("abb-b23", 3, 23_298, ">I /10", "v_b", 0.1),
        ("abb-b23", 3, 20_484, ">Q kilo /100", "exported_wh", 10),
    ],
)
async def test_a_makers_own_registers(
    name: str, code: int, address: int, how: str, quantity: str, count: float
) -> None:
    """Addresses, types, word orders and scales as `meters.json` collects them, decoded here by hand."""
    order, *rest = how.split()
    kind = rest.pop(0) if order == "low" else order.removeprefix(">")
    size = struct.calcsize(">" + kind) // 2
    async with metered(name) as (site, reading):
        words = await registers(site, code, address, size)
    in_order = struct.pack(f">{size}H", *(reversed(words) if order == "low" else words))
    value = float(struct.unpack(">" + kind, in_order)[0])
    for step in rest:
        value = value * 1000 if step == "kilo" else value / float(step.removeprefix("/"))
    state = reading.state
    truth = {
        "w": -state.export_w,
        "w_b": -state.phase_w[1],
        "v_b": 480 / sqrt(3) * state.phase_v_pu[1],
        "hz": state.hz,
        "imported_wh": reading.imported_wh,
        "exported_wh": reading.exported_wh,
    }
    assert value == near(truth[quantity], count)


@pytest.mark.parametrize("name", meter_map_names())
def test_every_register_of_every_map_can_be_read_and_none_written(name: str) -> None:
    meter = {"port": 1000, "period_s": 0.2, "model": name}
    unit = meter_unit(Plant(site_of(meter=meter)), lambda: None)
    registers = meter_map(name)
    code = registers.function_codes[0]
    for register in registers.registers:
        assert len(unit.read(code, register.address, register.end - register.address)) >= 1
    first = min(register.address for register in registers.registers)
    last = max(register.end for register in registers.registers)
    for address in (first - 1, last):
        if address >= 0:
            with pytest.raises(ModbusRefusal) as refused:
                unit.read(code, address, 1)
            assert refused.value.code == Refusal.ILLEGAL_ADDRESS
    with pytest.raises(ModbusRefusal):
        unit.write(6, first, [0])
    with pytest.raises(ModbusRefusal):
        unit.read(1, first, 1)


def test_there_are_meters_of_several_makers() -> None:
    assert {name.partition("-")[0] for name in meter_map_names()} == {
        "abb",
        "carlo",
        "eastron",
        "janitza",
        "schneider",
    }


def test_short_gaps_read_as_0_and_long_ones_are_refused() -> None:
    """ABB: nothing between 20488 and 21600; Eastron: 36 is between two values."""
    abb = meter_unit(Plant(site_of(meter={"port": 1000, "period_s": 0.2, "model": "abb-b23"})), lambda: None)
    with pytest.raises(ModbusRefusal):
        abb.read(3, 20_486, 10)
    eastron = meter_unit(
        Plant(site_of(meter={"port": 1000, "period_s": 0.2, "model": "eastron-sdm630"})), lambda: None
    )
    assert eastron.read(4, 36, 2) == [0, 0]


def test_a_type_says_what_it_is() -> None:
    em24 = meter_unit(
        Plant(site_of(meter={"port": 1000, "period_s": 0.2, "model": "carlo-gavazzi-em24"})), lambda: None
    )
    assert em24.read(4, 11, 1) == [1648]


def test_an_unknown_meter_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValidationError, match="there is no meter of this name; known are abb-b23, carlo"):
        site_of(meter={"port": 1000, "period_s": 0.2, "model": "sel-735"})
    with pytest.raises(FileRefusedError, match="cannot be read"):
        meter_map("sel-735")


MAP = """
name = "Some meter"
function_codes = [3]
word_order = "high_first"
sign = "import_positive"
registers = [
    { address = 0, type = "float32", quantity = "w" },
    { address = 2, type = "int16", scale = 0.1, quantity = "hz" },
]
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("address = 2", "address = 1"),
        ("int16", "int24"),
        ('"hz"', '"thd"'),
        ("scale = 0.1", "scale = 0.0"),
        ("[3]", "[5]"),
        ("[3]", "[]"),
        ("high_first", "middle_first"),
        ("import_positive", "unknown"),
        ("name =", "nome ="),
    ],
)
def test_a_map_that_is_not_right_is_refused(old: str, new: str) -> None:
    assert load(MeterMap, MAP, "map.toml").registers[1].end == 3
    with pytest.raises(FileRefusedError):
        load(MeterMap, MAP.replace(old, new, 1), "map.toml")
