"""What 123, 124, 703, 704 and 715 are told, and what the plant makes of it."""

from __future__ import annotations

import pytest
from device_registers import Registers
from site_tables import battery, inverter

from sim.devices.unit import ModbusRefusal, Refusal
from sim.files.script import ScriptEvent

PV = [1, 701, 702, 703, 704, 715]
STORAGE = [1, 124, 701, 702, 704]
LEGACY = [1, 103, 120, 121, 123]


@pytest.fixture
def pv() -> Registers:
    return Registers(inverter(1, models=PV))


@pytest.fixture
def storage() -> Registers:
    return Registers(battery(1, models=STORAGE))


@pytest.fixture
def legacy() -> Registers:
    return Registers(inverter(1, models=LEGACY))


def refuses(
    device: Registers, model: int, path: str, raw: int, code: Refusal = Refusal.ILLEGAL_VALUE
) -> None:
    before = device.raw(model, path)
    with pytest.raises(ModbusRefusal) as refused:
        device.write(model, path, raw)
    assert refused.value.code == code
    assert device.raw(model, path) == before


def test_704_power_factor_brings_reactive_power(pv: Registers) -> None:
    pv.write(704, "PFWInj.PF", 900)
    pv.write(704, "PFWInj.Ext", 0)
    pv.write(704, "PFWInjEna", 1)
    pv.run(15.0)
    assert float(pv.plant.fleet.reactive_var[0]) > 0
    assert pv.raw(701, "PF") == pytest.approx(900, abs=1)
    pv.write(704, "PFWInj.Ext", 1)
    pv.run(15.0)
    assert float(pv.plant.fleet.reactive_var[0]) < 0
    for raw in (0, 1001):
        refuses(pv, 704, "PFWInj.PF", raw)
    refuses(pv, 704, "PFWInj.Ext", 2)


@pytest.mark.parametrize(
    ("mode", "raw", "wanted_var"),
    [(0, 2_500, 5_000), (1, 5_000, 4_840), (3, 2_000, 4_400), (3, -2_000, -4_400)],
)
def test_704_reactive_power_is_of_what_the_mode_says(
    pv: Registers, mode: int, raw: int, wanted_var: float
) -> None:
    """20 kW, 9.68 kvar, 22 kVA."""
    pv.write(704, "VarSetMod", mode)
    pv.write(704, "VarSetPct", raw)
    pv.write(704, "VarSetEna", 1)
    pv.run(20.0)
    assert pv.raw(704, "VarSet") == wanted_var
    assert float(pv.plant.fleet.reactive_var[0]) == pytest.approx(wanted_var, abs=5)
    assert (pv.raw(704, "VarSetPct"), pv.raw(704, "PFWInjEna")) == (raw, 0)


def test_704_reactive_power_in_var(pv: Registers) -> None:
    pv.write(704, "VarSet", -3_000)
    assert pv.setting("CONST_Q") == pytest.approx(-3_000 / 22_000)
    assert pv.raw(704, "VarSetPct") == round(-3_000 / 22_000 * 10_000)
    refuses(pv, 704, "VarSet", 22_001)
    refuses(pv, 704, "VarSetPct", 10_001)
    refuses(pv, 704, "VarSetMod", 2)


def test_704_setpoint_of_storage_charges_and_discharges(storage: Registers) -> None:
    storage.write(704, "WSet", -6_000)
    storage.run(1.0)
    assert storage.plant.fleet.power_w[0] == 0
    storage.write(704, "WSetEna", 1)
    storage.run(1.0)
    assert storage.plant.fleet.power_w[0] == pytest.approx(-6_000)
    assert (storage.raw(704, "WSetPct"), storage.raw(701, "W")) == (-3_000, -6_000)
    storage.write(704, "WSetPct", 2_500)
    storage.run(1.0)
    assert (storage.raw(704, "WSet"), storage.raw(701, "W")) == (5_000, 5_000)
    refuses(storage, 704, "WSet", 20_001)
    refuses(storage, 704, "WSetPct", -10_001)


def test_704_setpoint_reverts(storage: Registers) -> None:
    for path, raw in (
        ("WSetRvrt", -1_000),
        ("WSetEnaRvrt", 1),
        ("WSetRvrtTms", 3),
        ("WSet", 4_000),
        ("WSetEna", 1),
    ):
        storage.write(704, path, raw)
    storage.run(2.5)
    assert (storage.raw(701, "W"), storage.raw(704, "WSetRvrtRem")) == (4_000, 1)
    storage.run(1.5)
    assert (storage.raw(701, "W"), storage.raw(704, "WSet"), storage.raw(704, "WSetRvrtRem")) == (
        -1_000,
        -1_000,
        0,
    )


def test_704_without_storage_has_no_setpoint(pv: Registers) -> None:
    assert pv.raw(704, "WSetEna") == 0xFFFF
    refuses(pv, 704, "WSetEna", 1, Refusal.ILLEGAL_ADDRESS)


def test_one_refused_point_refuses_the_whole_write(pv: Registers) -> None:
    address, _, _ = pv.at(704, "WMaxLimPctEna")
    with pytest.raises(ModbusRefusal):
        pv.unit.write(16, address, [1, 10_001])
    assert pv.raw(704, "WMaxLimPctEna") == 0
    pv.unit.write(16, address, [1, 5_000])
    assert pv.plant.fleet.limit.command_pu()[0] == 0.5


def spans(device: Registers, first: tuple[int, str], last: tuple[int, str], raw: dict[str, int]) -> list[int]:
    """The words from one point to another as they are, but for the single-register points in `raw` of `last`'s model."""
    start, (end, size, _) = device.at(*first)[0], device.at(*last)
    words = device.unit.read(3, start, end + size - start)
    for path, value in raw.items():
        words[device.at(last[0], path)[0] - start] = value
    return words


def test_704_a_refused_setpoint_leaves_the_mode(pv: Registers) -> None:
    address, before = pv.at(704, "VarSetEna")[0], pv.plant.fleet.settings(0)
    words = spans(
        pv, (704, "VarSetEna"), (704, "VarSetPct"), {"VarSetEna": 1, "VarSetMod": 0, "VarSetPri": 0}
    )
    with pytest.raises(ModbusRefusal):
        pv.unit.write(16, address, [*words[:-1], 10_001])
    assert (pv.raw(704, "VarSetMod"), pv.raw(704, "VarSetPri")) == (3, 1)
    assert pv.plant.fleet.settings(0) == before


def test_123_a_refused_setpoint_leaves_the_mode(legacy: Registers) -> None:
    address, _, _ = legacy.at(123, "VArPct_Mod")
    before = legacy.plant.fleet.settings(0)
    with pytest.raises(ModbusRefusal):
        legacy.unit.write(16, address, [1, 2])
    with pytest.raises(ModbusRefusal):
        legacy.unit.write(16, address, [3, 1])
    assert (legacy.raw(123, "VArPct_Mod"), legacy.raw(123, "VArPct_Ena")) == (2, 0)
    assert legacy.plant.fleet.settings(0) == before


def test_no_write_reaches_into_the_next_model(storage: Registers) -> None:
    """The header between two models cannot be written."""
    address, _, _ = storage.at(124, "ID")
    before = storage.plant.fleet.settings(0)
    words = storage.unit.read(3, address - 1, 4)
    for start, count in ((-1, 4), (0, 3), (1, 2)):
        with pytest.raises(ModbusRefusal) as refused:
            storage.unit.write(16, address + start, words[start + 1 : start + 1 + count])
        assert refused.value.code == Refusal.ILLEGAL_ADDRESS
    assert storage.plant.fleet.settings(0) == before


def test_703_random_delay_and_permit(pv: Registers) -> None:
    pv.write(703, "ESRmpTms", 0)
    pv.write(703, "ESDlyTms", 2)
    pv.write(703, "ESRndTms", 30)
    assert [pv.setting(label) for label in ("ES_RAMP_RATE", "ES_DELAY", "ES_RANDOMIZED_DELAY")] == [0, 2, 30]
    pv.write(703, "ES", 0)
    pv.run(0.1)
    assert (pv.raw(701, "W"), pv.raw(701, "InvSt"), pv.raw(715, "OpCtl")) == (0, 0, 0)
    pv.write(703, "ES", 1)
    pv.run(33.0)
    assert pv.raw(701, "InvSt") == 3
    refuses(pv, 703, "ESRndTms", 1_001)


def test_715_starts_stops_and_keeps_the_controllers_heartbeat(pv: Registers) -> None:
    pv.write(715, "ControllerHb", 41)
    pv.write(715, "OpCtl", 0)
    pv.run(0.1)
    assert (pv.raw(715, "ControllerHb"), pv.raw(701, "W"), pv.raw(703, "ES")) == (41, 0, 0)
    pv.write(715, "OpCtl", 1)
    assert pv.raw(703, "ES") == 1
    refuses(pv, 715, "OpCtl", 2)


def test_123_power_factor_is_negative_when_absorbing(legacy: Registers) -> None:
    legacy.write(123, "OutPFSet", -950)
    legacy.write(123, "OutPFSet_Ena", 1)
    legacy.run(15.0)
    assert float(legacy.plant.fleet.reactive_var[0]) < 0
    legacy.write(123, "OutPFSet", 950)
    legacy.run(15.0)
    assert float(legacy.plant.fleet.reactive_var[0]) > 0
    assert legacy.raw(103, "PF") == 950
    refuses(legacy, 123, "OutPFSet", 0)


def test_123_reactive_power(legacy: Registers) -> None:
    legacy.write(123, "VArMaxPct", -5_000)
    legacy.write(123, "VArPct_Ena", 1)
    legacy.run(20.0)
    assert legacy.raw(103, "VAr") == pytest.approx(-4_840, abs=3)
    assert (legacy.raw(123, "VArWMaxPct"), legacy.raw(123, "OutPFSet_Ena")) == (-2_420, 0)
    legacy.write(123, "VArWMaxPct", 1_000)
    assert legacy.setting("CONST_Q") == pytest.approx(2_000 / 22_000)


def test_124_is_a_band_of_which_each_bit_puts_an_end_in_force(storage: Registers) -> None:
    storage.plant.apply(ScriptEvent(at_s=0.0, role="battery-1", wish_w=-20_000.0))
    storage.write(124, "InWRte", 2_500)
    storage.run(2.0)
    assert (storage.raw(701, "W"), storage.raw(124, "StorCtl_Mod")) == (-20_000, 0), "no bit, no limit"
    storage.write(124, "StorCtl_Mod", 1)
    storage.run(2.0)
    assert (storage.raw(701, "W"), storage.raw(124, "ChaSt")) == (-5_000, 4)
    storage.write(124, "OutWRte", 5_000)
    storage.plant.apply(ScriptEvent(at_s=0.0, role="battery-1", wish_w=20_000.0))
    storage.run(2.0)
    assert storage.raw(701, "W") == 20_000, "the other end is not in force"
    storage.write(124, "StorCtl_Mod", 3)
    storage.run(2.0)
    assert (storage.raw(701, "W"), storage.raw(124, "ChaSt")) == (10_000, 3)
    storage.plant.apply(ScriptEvent(at_s=0.0, role="battery-1", wish_w=-20_000.0))
    storage.run(2.0)
    assert storage.raw(701, "W") == -5_000
    refuses(storage, 124, "StorCtl_Mod", 4)
    refuses(storage, 124, "InWRte", 10_001)


def test_124_a_negative_rate_forces_the_other_way(storage: Registers) -> None:
    storage.write(124, "OutWRte", -5_000)
    storage.write(124, "StorCtl_Mod", 3)
    storage.run(2.0)
    assert (storage.raw(701, "W"), storage.raw(124, "OutWRte")) == (-10_000, -5_000)
    storage.write(124, "OutWRte", 10_000)
    storage.write(124, "InWRte", -2_500)
    storage.run(2.0)
    assert storage.raw(701, "W") == 5_000
    storage.write(124, "OutWRte", -1_000)
    storage.run(2.0)
    assert storage.raw(701, "W") == -2_000, "where the ends cross, discharging gives way"


def test_124_is_released_when_its_timer_runs_out(storage: Registers) -> None:
    storage.plant.apply(ScriptEvent(at_s=0.0, role="battery-1", wish_w=20_000.0))
    storage.write(124, "OutWRte", 0)
    storage.write(124, "InOutWRte_RvrtTms", 2)
    storage.write(124, "StorCtl_Mod", 2)
    storage.run(1.5)
    assert storage.raw(701, "W") == 0
    storage.run(2.0)
    assert (storage.raw(701, "W"), storage.raw(124, "StorCtl_Mod")) == (20_000, 0)


@pytest.mark.parametrize(("code", "address"), [(4, 40_000), (1, 40_000), (3, 39_999), (3, 0), (3, 50_000)])
def test_what_is_not_there_is_refused(pv: Registers, code: int, address: int) -> None:
    with pytest.raises(ModbusRefusal) as refused:
        pv.unit.read(code, address, 1)
    assert refused.value.code == (Refusal.ILLEGAL_ADDRESS if code == 3 else Refusal.ILLEGAL_FUNCTION)


def test_the_last_register_of_the_end_marker_is_the_last_one(pv: Registers) -> None:
    end = end_of(pv)
    assert pv.unit.read(3, end, 2) == [0xFFFF, 0]
    with pytest.raises(ModbusRefusal):
        pv.unit.read(3, end + 1, 2)


def end_of(device: Registers) -> int:
    address, size, _ = device.at(715, "OpCtl")
    return address + size


@pytest.mark.parametrize("address", [40_000, 40_002])
def test_marker_and_headers_cannot_be_written(pv: Registers, address: int) -> None:
    with pytest.raises(ModbusRefusal) as refused:
        pv.unit.write(6, address, [1])
    assert refused.value.code == Refusal.ILLEGAL_ADDRESS
    with pytest.raises(ModbusRefusal):
        pv.unit.write(5, address, [1])
