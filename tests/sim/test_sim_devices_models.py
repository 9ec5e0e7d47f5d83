"""Every model read by pysunspec2 over real sockets, its points held against the plant's truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import hypot, sqrt
from typing import Any

import pytest
from hand_moved_site import HandMoved
from scanned_device import Tree, scanned
from site_tables import battery, inverter, site_of

from sim.files.device import INVERTER_MODELS
from sim.files.script import ScriptEvent

LEGACY = [1, 103, 113, *(model for model in range(120, 137) if model != 124), 160]
ONE_PHASE = [1, 101, 111, 120, 121, 122, 123]
SPLIT_PHASE = [1, 102, 112]
MODERN = [1, *(model for model in range(701, 716) if model != 713)]
STORAGE = [1, 120, 124, 701, 702, 704, 713, 714, 802]

SETTINGS = {
    "CONST_Q_MODE_ENABLE": True,
    "CONST_Q": 0.2,
    "PF_MODE_ENABLE": True,
    "PF_DBOF": 0.1,
    "PF_KOF": 0.04,
    "OV1_TRIP_V": 1.15,
    "UV2_TRIP_T": 3.0,
    "QV_CURVE_V2": 0.97,
    "PV_CURVE_P2": 0.2,
}


def served(*units: dict[str, Any], **tables: Any) -> HandMoved:
    return HandMoved(site_of(*units, **tables))


@asynccontextmanager
async def unbalanced(models: list[int], **changes: Any) -> AsyncIterator[tuple[HandMoved, dict[int, Tree]]]:
    """A PV inverter with reactive power at three different voltages, after a while of running."""
    unit = inverter(1, models=models, settings=SETTINGS, sun_pu=0.7, **changes)
    async with served(unit) as site:
        for phase, v_pu in (("a", 1.0), ("b", 0.98), ("c", 1.02)):
            site.plant.apply(ScriptEvent.model_validate({"at_s": 0.0, "v_pu": v_pu, "phase": phase}))
        site.plant.apply(ScriptEvent(at_s=0.0, hz=60.02))
        site.run(20.0)
        yield site, await scanned(site, "pv-1")


def near(value: float, count: float = 1.0) -> Any:
    """`value` as a register with so much to a count may show it."""
    return pytest.approx(value, abs=0.51 * count)


def truth(site: HandMoved) -> tuple[float, float, list[float]]:
    """W, var and the phase voltages of the first inverter."""
    fleet, state = site.plant.fleet, site.plant.site.state
    return (
        float(fleet.power_w[0]),
        float(fleet.reactive_var[0]),
        [480 / sqrt(3) * v_pu for v_pu in state.phase_v_pu],
    )


def between(one: float, other: float) -> float:
    """Line-to-line voltage of two phases at 120 degrees."""
    return sqrt(one**2 + other**2 + one * other)


def test_every_model_is_read_somewhere_here() -> None:
    read = {*LEGACY, *ONE_PHASE, *SPLIT_PHASE, *MODERN, *STORAGE}
    assert read == set(INVERTER_MODELS)


@pytest.mark.parametrize(("model", "percent"), [(103, -1), (113, None)])
async def test_three_phases_of_the_older_kind(model: int, percent: int | None) -> None:
    async with unbalanced(LEGACY) as (site, models):
        watts, var, volts = truth(site)
    shown, exact = models[model], percent is None
    size = 0.001 if exact else 1.0
    assert watts == pytest.approx(14_000)
    assert var == pytest.approx(0.2 * 22_000, rel=1e-3)
    assert shown["W"] == near(watts, size)
    assert shown["VAr"] == near(var, size)
    assert shown["VA"] == near(hypot(watts, var), size)
    assert shown["PF"] == near(100 * watts / hypot(watts, var), 0.1)
    amps = hypot(watts, var) / sum(volts)
    assert [shown[f"Aph{phase}"] for phase in "ABC"] == [near(amps, 0.1)] * 3
    assert shown["A"] == near(3 * amps, 0.1)
    assert [shown[f"PhVph{phase}"] for phase in "ABC"] == [near(each, 0.1) for each in volts]
    pairs = [between(volts[0], volts[1]), between(volts[1], volts[2]), between(volts[2], volts[0])]
    assert [shown[f"PPVph{pair}"] for pair in ("AB", "BC", "CA")] == [near(each, 0.1) for each in pairs]
    assert shown["Hz"] == near(60.02, 0.01)
    assert shown["WH"] == near(float(site.plant.fleet.energy_wh[0]))
    assert shown["DCW"] == near(watts / 0.98)
    assert shown["St"] == 4


async def test_701_of_three_phases() -> None:
    async with unbalanced(MODERN) as (site, models):
        watts, var, volts = truth(site)
    shown = models[701]
    assert (shown["ACType"], shown["St"], shown["InvSt"], shown["ConnSt"]) == (2, 1, 3, 1)
    assert (shown["W"], shown["Var"], shown["VA"]) == (near(watts), near(var), near(hypot(watts, var)))
    assert shown["PF"] == near(watts / hypot(watts, var), 0.001)
    assert [shown[f"VL{line}"] for line in (1, 2, 3)] == [near(each, 0.1) for each in volts]
    assert shown["VL2L3"] == near(between(volts[1], volts[2]), 0.1)
    assert [shown[f"WL{line}"] for line in (1, 2, 3)] == [near(watts / 3)] * 3
    assert shown["Hz"] == near(60.02, 0.001)
    assert shown["TotWhInj"] == near(float(site.plant.fleet.energy_wh[0]))
    assert shown["TotWhAbs"] == 0


@pytest.mark.parametrize("model", [101, 111])
async def test_one_phase(model: int) -> None:
    async with unbalanced(ONE_PHASE, phases="b") as (site, models):
        watts, var, volts = truth(site)
    shown = models[model]
    assert shown["W"] == near(watts)
    assert shown["PhVphA"] == near(volts[1], 0.1)
    assert shown["A"] == shown["AphA"] == near(hypot(watts, var) / volts[1], 0.1)
    assert not {"AphB", "AphC", "PhVphB", "PPVphAB"} & shown.keys()
    assert models[121]["VRef"] == near(480 / sqrt(3), 0.1)


@pytest.mark.parametrize("model", [102, 112])
async def test_the_legs_of_a_split_phase(model: int) -> None:
    unit = inverter(1, models=SPLIT_PHASE, nameplate_w=5_000.0)
    async with served(unit, grid={"nominal_v": 240.0, "phases": "a"}) as site:
        shown = (await scanned(site, "pv-1"))[model]
    assert shown["W"] == 5_000
    assert (shown["PhVphA"], shown["PhVphB"], shown["PPVphAB"]) == (120, 120, 240)
    assert shown["AphA"] == shown["AphB"] == near(5_000 / 240, 0.1)
    assert not {"AphC", "PhVphC", "PPVphBC"} & shown.keys()


async def test_nameplate_and_status_of_the_older_kind() -> None:
    async with unbalanced(LEGACY) as (site, models):
        site.plant.fleet.limit.wmax_pu[0] = 0.9
        after = await scanned(site, "pv-1")
    assert (models[120]["DERTyp"], models[120]["WRtg"], models[120]["VARtg"]) == (4, 20_000, 22_000)
    assert (models[120]["VArRtgQ1"], models[120]["VArRtgQ4"]) == (9_680, -9_680)
    assert models[120]["ARtg"] == near(22_000 / 480 / sqrt(3), 0.1)
    assert (models[121]["WMax"], models[121]["VRef"], models[121]["ECPNomHz"]) == (20_000, 480, 60)
    assert after[121]["WMax"] == 18_000
    status = models[122]
    assert (status["PVConn"], status["StorConn"], status["ECPConn"]) == (0b111, 0, 1)
    assert status["StActCtl"] == 1 << 1 | 1 << 4
    assert (status["ActWh"], status["Tms"]) == (near(float(site.plant.fleet.energy_wh[0])), 20)


async def test_dc_inputs_share_the_power() -> None:
    async with unbalanced(LEGACY) as (site, models):
        watts, _, _ = truth(site)
    mppt = models[160]
    assert (mppt["N"], len(mppt["module"])) == (2, 2)
    assert [module["DCW"] for module in mppt["module"]] == [near(watts / 0.98 / 2)] * 2
    for module in mppt["module"]:
        assert module["DCA"] * module["DCV"] == pytest.approx(module["DCW"], rel=1e-3)
    async with unbalanced(MODERN) as (site, models):
        watts, _, _ = truth(site)
    ports = models[714]
    assert ports["NPrt"] == len(ports["Prt"]) == 2
    assert ports["DCW"] == near(watts / 0.98)
    assert sum(port["DCW"] for port in ports["Prt"]) == pytest.approx(ports["DCW"], abs=2)


async def test_storage_shows_its_charge() -> None:
    storage = {"capacity_wh": 10_000.0, "soc_pu": 0.5, "soc_min_pu": 0.1, "charge_w": 8_000.0}
    async with served(battery(1, models=STORAGE, storage=storage)) as site:
        before = await scanned(site, "battery-1")
        site.plant.apply(ScriptEvent(at_s=0.0, set_w=-6_000.0, role="battery-1"))
        site.run(200.0)
        models = await scanned(site, "battery-1")
        fleet = site.plant.fleet
    soc = float(fleet.soc_pu[0])
    assert soc == pytest.approx(0.53, abs=0.001)
    assert (before[713]["SoC"], before[713]["WHAvail"], before[124]["ChaSt"]) == (50, 4_000, 6)
    assert models[713]["SoC"] == models[802]["SoC"] == models[124]["ChaState"] == near(100 * soc, 0.01)
    assert models[713]["WHAvail"] == near((soc - 0.1) * 10_000)
    assert (models[124]["ChaSt"], models[802]["ChaSt"], models[124]["StorCtl_Mod"]) == (4, 4, 0)
    assert models[802]["W"] == models[714]["DCW"] == near(-6_000 * 0.98)
    assert models[701]["W"] == -6_000
    assert models[701]["TotWhAbs"] == near(float(fleet.absorbed_wh[0]))
    assert (models[702]["WChaRteMaxRtg"], models[702]["WDisChaRteMaxRtg"]) == (8_000, 20_000)
    assert (models[120]["DERTyp"], models[120]["MaxChaRte"], models[120]["WHRtg"]) == (82, 8_000, 10_000)
    assert (models[704]["WSet"], models[704]["WSetPct"], models[704]["WSetEna"]) == (-6_000, -30, 1)


async def test_models_without_a_function_are_off_and_empty() -> None:
    async with served(inverter(1, models=[*LEGACY, 124, 713, 802])) as site:
        models = await scanned(site, "pv-1")
    assert [models[model]["ModEna"] for model in (125, 128, 131, 133)] == [0] * 4
    assert models[124].keys() == models[713].keys() == models[802].keys() == {"ID", "L"}


async def test_ratings_and_control_modes_of_702() -> None:
    async with served(
        inverter(1, models=[1, 701, 702, 704, 705], normal_category="A", abnormal_category="I")
    ) as site:
        few = (await scanned(site, "pv-1"))[702]
    assert (few["NorOpCatRtg"], few["AbnOpCatRtg"], few["CtrlModes"]) == (0, 0, 0b11101)
    assert (few["VarMaxInjRtg"], few["VarMaxAbsRtg"]) == (9_680, 5_500)
    assert "WChaRteMax" not in few


async def test_a_heartbeat_counts_seconds() -> None:
    async with served(inverter(1, models=MODERN)) as site:
        beats = []
        for _ in range(3):
            beats.append((await scanned(site, "pv-1"))[715]["DERHb"])
            site.run(1.0)
    assert beats == [0, 1, 2]
