"""The pieces that the measures stand on: sites of any size, light devices that drivers accept, honest stamps."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks import response, step_cost
from benchmarks.sites import UNIT_W, Fleet
from benchmarks.wire import Wire
from drivers.bus import Buses
from drivers.factory import make_inverter, make_meter, make_trip_output
from edge.model.site import Site
from edge.model.strict_toml import load
from edge.step import Settings


@pytest.mark.parametrize("inverters", [1, 10, 100])
def test_generated_sites_are_fit_and_name_the_same_devices(inverters: int) -> None:
    fleet = Fleet(inverters)
    site, sim = fleet.site(), fleet.sim()
    Settings.of(site)
    assert [der.name for der in site.der] == [unit.role for unit in sim.inverter]
    assert site.nameplate_w == sim.nameplate_w == inverters * UNIT_W


def test_step_is_replayed_on_images_with_a_new_sample_at_every_other_scan() -> None:
    recording = step_cost.record(3, seconds=10.0)
    settled = recording.images[recording.settled :]
    sequences = [image.pcc.sequence for image, _ in settled]
    share = (len(set(sequences)) - 1) / (len(sequences) - 1)
    assert 0.4 < share < 0.6
    limits = {der.limit_w.otherwise(0.0) for image, _ in settled for der in image.ders}
    assert len(limits) > 20, "limits must keep moving"
    times_us = step_cost.replay_us(recording)
    assert len(times_us) == len(settled)
    assert min(times_us) > 0


def test_a_load_drop_is_answered_and_judged_against_the_clairvoyant() -> None:
    found, tripped = response.answers(
        response.demo_plant(None, seed=2), response.demo_site(None), seed=2, drops=1
    )
    (answer,) = found
    assert not tripped
    assert 1.0 <= answer.ratio < response.DEMO_GOAL
    assert 0.0 < answer.excursion_s < response.EXCURSION_GOAL_S


async def test_the_drivers_take_the_light_devices_for_real_ones() -> None:
    wire = Wire(Fleet(2))
    uris = await wire.start()
    buses = Buses()
    loaded = load(Site, wire.fleet.site_text(uris), "fleet.site.toml")
    try:
        coil = make_trip_output(buses, loaded.trip_output[0], loaded.der)
        await coil.hold()
        assert await coil.read() is True
        assert await coil.read_watchdog_s() == 0.5
        for der in loaded.der:
            inverter = make_inverter(buses, der)
            assert (await inverter.identify()).nameplate_w == UNIT_W
            assert (await inverter.write_limit(3_000.0)).verified
            assert await inverter.read_limit() == 3_000.0
        await wire.run(wire.fleet.period_s)
        raw = await make_meter(buses, loaded.meter).read()
        load_w = 0.45 * wire.fleet.nameplate_w
        assert raw.export_w == pytest.approx(2 * 3_000.0 - load_w, abs=10.0)
    finally:
        buses.close()
        await wire.stop()


async def test_only_new_limits_after_the_answer_are_stamped() -> None:
    wire = Wire(Fleet(2, period_s=0.1))
    uris = await wire.start()
    buses = Buses()
    site = load(Site, wire.fleet.site_text(uris), "fleet.site.toml")
    meter = make_meter(buses, site.meter)
    inverters = [make_inverter(buses, der) for der in site.der]
    try:
        for inverter in inverters:
            await inverter.write_limit(4_000.0)
        await meter.read()
        renewing = asyncio.create_task(wire.run(0.1))
        await asyncio.sleep(0.01)
        await inverters[0].write_limit(3_000.0)
        (round_,) = wire.rounds
        assert (round_.answered_s, round_.written_s) == (None, {}), "nobody has seen the new sample yet"
        await meter.read()
        await inverters[0].write_limit(3_000.0)
        await inverters[1].write_limit(2_000.0)
        await renewing
        assert list(round_.written_s) == ["inverter-2"], "a limit said again is not a new one"
        assert round_.answered_s is not None
        assert round_.written_s["inverter-2"] > round_.answered_s
    finally:
        buses.close()
        await wire.stop()
