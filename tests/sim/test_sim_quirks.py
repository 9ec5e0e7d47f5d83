"""Each quirk of registers and of the limit: what a client sees of it, and where it makes no sense."""

from __future__ import annotations

from typing import Any

import pytest
from hand_moved_site import HandMoved
from pydantic import ValidationError
from scanned_device import scanned
from site_tables import battery, inverter, site_of
from sunspec2.modbus.client import SunSpecModbusClientError
from sunspec2.modbus.modbus import ModbusClientException

from drivers.bus import Bus
from drivers.sunspec.device import SunSpecDevice
from drivers.uri import ModbusUri
from sim.devices.assembly import inverter_unit, meter_unit
from sim.devices.unit import ModbusRefusal, Refusal, Unit
from sim.files.script import ScriptEvent
from sim.plant import Plant
from sim.quirks import FACTS, Quirk

LEGACY = [1, 103, 120, 121, 122, 123, 160]
BASES = {Quirk.BASE_0: 0, Quirk.BASE_50000: 50_000}
MODERN = [1, 701, 702, 704, 714, 715]


def quirky(*quirks: Quirk, models: list[int]) -> HandMoved:
    unit = inverter(1, models=models, quirks=[str(quirk) for quirk in quirks])
    return HandMoved(site_of(unit))


async def chain(site: HandMoved, role: str = "pv-1") -> list[int]:
    ids: list[int] = await site.client(role, lambda device: [model.model_id for model in device.model_list])
    return ids


def night(site: HandMoved) -> None:
    site.plant.apply(ScriptEvent(at_s=0.0, sun_pu=0.0))
    site.run(3.0)


def unit_with(*quirks: Quirk, models: list[int]) -> Unit:
    table = inverter(1, models=models, quirks=[str(quirk) for quirk in quirks])
    return inverter_unit(Plant(site_of(table)), 0, lambda: None)


def refused(unit: Unit, address: int, count: int = 2) -> Refusal | None:
    try:
        unit.read(3, address, count)
    except ModbusRefusal as refusal:
        return refusal.code
    return None


def test_every_quirk_says_what_it_does_and_where_it_was_seen() -> None:
    assert set(FACTS) == set(Quirk)
    assert all(facts.does and facts.source and facts.devices for facts in FACTS.values())


async def test_without_a_quirk_model_1_has_66_registers_and_with_it_65() -> None:
    async with quirky(models=LEGACY) as site:
        plain = await site.client("pv-1", lambda device: device.model_list[1].model_addr)
    async with quirky(Quirk.MODEL_1_OF_65, models=LEGACY) as site:
        models = await scanned(site, "pv-1")
        odd = await site.client("pv-1", lambda device: device.model_list[1].model_addr)
    assert (plain, odd) == (40_070, 40_069)
    assert (models[1]["L"], models[1]["SN"], models[103]["W"]) == (65, "PV-0001", 20_000)


@pytest.mark.parametrize(("quirk", "base"), [(None, 40_000), (Quirk.BASE_0, 0), (Quirk.BASE_50000, 50_000)])
async def test_the_chain_is_found_at_its_base(quirk: Quirk | None, base: int) -> None:
    async with quirky(*([quirk] if quirk else []), models=LEGACY) as site:
        assert await site.client("pv-1", lambda device: device.base_addr) == base
        assert await chain(site) == LEGACY
    unit = unit_with(*([quirk] if quirk else []), models=LEGACY)
    others = {0, 40_000, 50_000} - {base}
    assert [refused(unit, other) for other in others] == [Refusal.ILLEGAL_ADDRESS] * 2


async def test_registers_that_are_not_sunspec() -> None:
    async with quirky(Quirk.NOT_SUNSPEC, models=LEGACY) as site:
        with pytest.raises(SunSpecModbusClientError):
            await chain(site)
    assert unit_with(Quirk.NOT_SUNSPEC, models=LEGACY).read(3, 40_000, 1) == [0xE3DC]


async def test_two_devices_in_one_chain() -> None:
    async with quirky(Quirk.TWO_DEVICES_IN_ONE_CHAIN, models=LEGACY) as site:
        site.run(1.0)
        assert await chain(site) == [*LEGACY, 1, 203]
        models = await scanned(site, "pv-1")
        serials = await site.client("pv-1", lambda device: [one.SN.cvalue for one in device.models[1]])
    assert serials == ["PV-0001", "METER-0001"]
    assert models[203]["W"] == pytest.approx(site.plant.meter.shown.state.export_w, abs=1)


@pytest.mark.parametrize("quirk", [Quirk.END_MARKER_MISSING, Quirk.END_MARKER_ZERO])
async def test_the_end_of_the_chain(quirk: Quirk) -> None:
    plain, unit = unit_with(models=MODERN), unit_with(quirk, models=MODERN)
    end = next(address for address in range(40_070, 40_500) if refused(plain, address, 1)) - 2
    assert plain.read(3, end, 2) == [0xFFFF, 0]
    if quirk is Quirk.END_MARKER_MISSING:
        assert refused(unit, end) == Refusal.ILLEGAL_ADDRESS
        assert refused(unit, end - 1, 1) is None
    else:
        assert unit.read(3, end, 2) == [0, 0]


async def test_a_length_that_changes_with_light() -> None:
    """By day the ports are claimed and refused, as a whole scan is; by night they are not there."""
    async with quirky(Quirk.MODEL_LENGTH_CHANGES_WITH_LIGHT, models=MODERN) as site:
        with pytest.raises((SunSpecModbusClientError, ModbusClientException)):
            await scanned(site, "pv-1")
        unit = inverter_unit(site.plant, 0, lambda: None)
        at = 40_002 + 68 + 155 + 52 + 67
        assert unit.read(3, at, 2) == [714, 18 + 2 * 25]
        assert unit.read(3, at + 20 + 50, 2) == [715, 7]
        assert refused(unit, at + 20, 1) == Refusal.ILLEGAL_ADDRESS
        assert refused(unit, at + 19, 1) is None
        night(site)
        assert unit.read(3, at, 2) == [714, 18]
        assert unit.read(3, at + 20, 2) == [715, 7]
        models = await scanned(site, "pv-1")
    assert models[714]["NPrt"] == 0


async def test_scale_factors_follow_the_power() -> None:
    seen = {}
    async with quirky(Quirk.SCALE_FACTOR_CHANGES, models=LEGACY) as site:
        for sun_pu in (1.0, 0.03, 0.001):
            site.plant.apply(ScriptEvent(at_s=0.0, sun_pu=sun_pu))
            site.run(3.0)
            models = await scanned(site, "pv-1")
            power_w = float(site.plant.fleet.power_w[0])
            seen[sun_pu] = models[103]["W_SF"]
            assert models[103]["W"] == pytest.approx(power_w, rel=1e-3)
            assert models[160]["DCW_SF"] == models[103]["W_SF"]
    assert seen == {1.0: 0, 0.03: -1, 0.001: -3}


@pytest.mark.parametrize(("models", "measured", "energy"), [(LEGACY, 103, "WH"), (MODERN, 701, "TotWhInj")])
async def test_at_night_nothing_but_energy_is_implemented(
    models: list[int], measured: int, energy: str
) -> None:
    async with quirky(Quirk.NOT_IMPLEMENTED_AT_NIGHT, models=models) as site:
        site.run(5.0)
        day = (await scanned(site, "pv-1"))[measured]
        night(site)
        dark = (await scanned(site, "pv-1"))[measured]
    assert day["W"] == 20_000
    assert not {"W", "A", "Hz", "St", "InvSt", "VA"} & dark.keys()
    assert dark[energy] >= day[energy] > 0


async def test_a_plain_device_measures_zeros_at_night() -> None:
    async with quirky(models=LEGACY) as site:
        night(site)
        models = await scanned(site, "pv-1")
    assert (models[103]["W"], models[103]["Hz"], models[103]["St"], models[120]["WRtg"]) == (0, 60, 2, 20_000)


@pytest.mark.parametrize(("models", "model", "point"), [(LEGACY, 120, "WRtg"), (MODERN, 702, "WMaxRtg")])
async def test_a_rating_of_0_at_night(models: list[int], model: int, point: str) -> None:
    async with quirky(Quirk.RATING_0_AT_NIGHT, models=models) as site:
        day = (await scanned(site, "pv-1"))[model]
        night(site)
        dark = (await scanned(site, "pv-1"))[model]
    assert (day[point], dark[point]) == (20_000, 0)


async def test_power_factors_in_other_units() -> None:
    async with quirky(Quirk.PF_AS_FRACTION, models=[1, 103, 113]) as site:
        models = await scanned(site, "pv-1")
    assert (models[103]["PF"], models[113]["PF"]) == (1.0, 1.0)
    async with quirky(Quirk.PF_IN_PERCENT, models=MODERN) as site:
        assert (await scanned(site, "pv-1"))[701]["PF"] == 100.0


async def test_garbage_behind_a_string() -> None:
    """pysunspec2 gives the whole model up then; the shipped driver cuts strings at the first NUL."""
    async with quirky(Quirk.GARBAGE_AFTER_NUL, models=LEGACY) as site:
        error = await site.client("pv-1", lambda device: str(device.model_list[0].error_info))
        bus = Bus(ModbusUri(host="127.0.0.1", port=site.port("pv-1"), unit=1))
        device = SunSpecDevice(bus, 1)
        strings = (await device.read_model((await device.discover()).models[0])).values.points
        bus.close()
    assert "codec can't decode" in error
    assert (strings["Mn"], strings["SN"]) == ("Dergate", "PV-0001")


async def limit(site: HandMoved, **changes: float) -> None:
    def write(device: Any) -> None:
        model = device.models[123][0]
        for name, value in changes.items():
            getattr(model, name).cvalue = value
        model.write()

    await site.client("pv-1", write)
    site.run(2.0)


def power_w(site: HandMoved) -> float:
    return float(site.plant.fleet.power_w[0])


async def test_an_enable_that_must_toggle() -> None:
    async with quirky(Quirk.ENABLE_MUST_TOGGLE, models=LEGACY) as site:
        await limit(site, WMaxLimPct=50, WMaxLim_Ena=1)
        assert power_w(site) == 10_000
        await limit(site, WMaxLimPct=25)
        assert (await scanned(site, "pv-1"))[123]["WMaxLimPct"] == 25
        assert power_w(site) == 10_000
        await limit(site, WMaxLim_Ena=0)
        await limit(site, WMaxLim_Ena=1)
        assert power_w(site) == 5_000


async def test_a_limit_that_is_acknowledged_and_ignored() -> None:
    async with quirky(Quirk.LIMIT_IGNORED, models=LEGACY) as site:
        await limit(site, WMaxLimPct=50, WMaxLim_Ena=1)
        shown = (await scanned(site, "pv-1"))[123]
    assert (shown["WMaxLimPct"], shown["WMaxLim_Ena"], power_w(site)) == (50, 1, 20_000)


async def test_a_reversion_that_lapses_silently() -> None:
    async with quirky(Quirk.REVERSION_LAPSES_SILENTLY, models=LEGACY) as site:
        await limit(site, WMaxLimPct=50, WMaxLimPct_RvrtTms=5, WMaxLim_Ena=1)
        assert power_w(site) == 10_000
        site.run(5.0)
        shown = (await scanned(site, "pv-1"))[123]
    assert (shown["WMaxLimPct"], shown["WMaxLim_Ena"], power_w(site)) == (50, 1, 20_000)


async def test_a_read_back_that_says_nothing() -> None:
    async with quirky(Quirk.READS_BACK_NOTHING, models=LEGACY) as site:
        await limit(site, WMaxLimPct=50, WMaxLim_Ena=1)
        shown = (await scanned(site, "pv-1"))[123]
    assert (shown["Conn"], shown["WMaxLimPct"], shown["WMaxLim_Ena"], power_w(site)) == (0, 0, 1, 10_000)


@pytest.mark.parametrize(
    ("quirk", "models"),
    [
        (Quirk.READS_BACK_NOTHING, [1, 701, 704]),
        (Quirk.REVERSION_LAPSES_SILENTLY, [1, 701, 704]),
        (Quirk.LIMIT_IGNORED, [1, 103]),
        (Quirk.MODEL_LENGTH_CHANGES_WITH_LIGHT, [1, 103]),
        (Quirk.RATING_0_AT_NIGHT, [1, 103]),
        (Quirk.SCALE_FACTOR_CHANGES, [1, 113]),
        (Quirk.PF_IN_PERCENT, [1, 103]),
        (Quirk.PF_AS_FRACTION, [1, 701]),
    ],
)
def test_a_quirk_of_a_model_that_is_not_there_is_refused(quirk: Quirk, models: list[int]) -> None:
    with pytest.raises(ValidationError, match=f"{quirk} needs a model"):
        site_of(inverter(1, models=models, quirks=[str(quirk)]))


@pytest.mark.parametrize(
    "quirks",
    [
        ["fc06-only", "fc16-only"],
        ["base-0", "base-50000"],
        ["base-0", "not-sunspec"],
        ["end-marker-missing", "end-marker-zero"],
        ["base-0", "base-0"],
        ["sulks"],
    ],
)
def test_quirks_that_do_not_go_together_are_refused(quirks: list[str]) -> None:
    with pytest.raises(ValidationError):
        site_of(inverter(1, models=LEGACY, quirks=quirks))


@pytest.mark.parametrize(
    "quirk", [Quirk.LIMIT_IGNORED, Quirk.TWO_DEVICES_IN_ONE_CHAIN, Quirk.RATING_0_AT_NIGHT]
)
def test_a_meter_has_no_quirks_of_an_inverter(quirk: Quirk) -> None:
    with pytest.raises(ValidationError, match="makes no sense for this meter"):
        site_of(meter={"port": 1000, "period_s": 0.2, "quirks": [str(quirk)]})


@pytest.mark.parametrize("quirk", [Quirk.BASE_0, Quirk.MODEL_1_OF_65, Quirk.GARBAGE_AFTER_NUL])
def test_a_meter_that_is_not_sunspec_has_no_quirks_of_a_chain(quirk: Quirk) -> None:
    with pytest.raises(ValidationError, match="makes no sense for this meter"):
        site_of(meter={"port": 1000, "period_s": 0.2, "model": "eastron-sdm630", "quirks": [str(quirk)]})


@pytest.mark.parametrize("quirk", [quirk for quirk, facts in FACTS.items() if "meter" in facts.devices])
def test_a_meter_can_have_the_others(quirk: Quirk) -> None:
    sim = site_of(meter={"port": 1000, "period_s": 0.2, "quirks": [str(quirk)]})
    assert len(meter_unit(Plant(sim), lambda: None).read(3, BASES.get(quirk, 40_000), 2)) == 2


def test_a_coil_has_only_quirks_of_the_wire() -> None:
    coil = {"role": "coil", "port": 1002, "opens": ["pv-1"], "quirks": ["base-0"]}
    with pytest.raises(ValidationError, match="makes no sense for this coil"):
        site_of(inverter(1), coil=[coil])
    site_of(inverter(1), coil=[coil | {"quirks": ["one-connection-only"]}])


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        ([103, 1], "starts with model 1"),
        ([1, 103, 103], "each model once"),
        ([1, 120], "says what it gives"),
        ([1, 103, 64_001], "no model 64001"),
        ("modern", "Input should be 'der' or 'legacy'"),
    ],
)
def test_a_chain_that_makes_no_sense_is_refused(models: Any, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        site_of(inverter(1, models=models))


def test_storage_is_never_dark() -> None:
    table = battery(
        1, models=[1, 701, 714], quirks=["model-length-changes-with-light", "not-implemented-at-night"]
    )
    unit = inverter_unit(Plant(site_of(table)), 0, lambda: None)
    assert unit.read(3, 40_002 + 68 + 155, 2) == [714, 43]
