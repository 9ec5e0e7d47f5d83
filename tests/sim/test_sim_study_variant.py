"""A site of a family: what is drawn goes into plant and site file alike, what is not keeps its size per unit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.step import Settings
from sim.scenario import Scenario, load_scenario
from sim.study.file import SHIPPED
from sim.study.variant import Seeds, variant

CONTACT = load_scenario(SHIPPED / "scenarios" / "contact.toml")
REVERSION = load_scenario(SHIPPED / "scenarios" / "reversion.toml")
SEEDS = Seeds(11, 22)


def made(base: Scenario = CONTACT, **drawn: float) -> Scenario:
    return variant(base, drawn, SEEDS)


def test_nothing_drawn_leaves_the_site_as_it_is_but_for_its_seeds() -> None:
    plain = made()
    sim = CONTACT.sim
    assert plain.site_file == CONTACT.site_file
    assert plain.event == CONTACT.event
    assert plain.sim.inverter == sim.inverter
    assert plain.sim.grid == sim.grid
    assert (plain.seed, plain.sim.load.seed, plain.sim.meter.seed) == (11, 11, 11)
    assert plain.sim.weather.seed == 22


def test_the_nameplate_scales_powers_and_impedances_and_nothing_else() -> None:
    double = made(nameplate_w=200_000.0)
    before, after = CONTACT.sim, double.sim
    assert after.nameplate_w == 200_000.0
    assert after.load.base_w == 2 * before.load.base_w
    assert after.load.noise_w == 2 * before.load.noise_w
    assert after.grid.resistance_ohm == before.grid.resistance_ohm / 2
    assert after.grid.nominal_v == before.grid.nominal_v
    assert after.meter.period_s == before.meter.period_s
    site = double.site_file
    assert site.nameplate_w == 200_000.0
    assert site.agreement.export_limit_w == 2 * CONTACT.site_file.agreement.export_limit_w
    assert site.site.transformer_va == 2 * CONTACT.site_file.site.transformer_va
    assert site.meter.noise_w == 2 * CONTACT.site_file.meter.noise_w
    assert [event.load_step_w for event in double.event] == [-72_000.0, 72_000.0]
    assert [event.at_s for event in double.event] == [event.at_s for event in CONTACT.event]


def test_ders_share_the_nameplate_behind_the_same_contact_on_wires_of_their_own() -> None:
    five = made(ders=5.0, nameplate_w=50_000.0)
    sim, site = five.sim, five.site_file
    assert [unit.nameplate_w for unit in sim.inverter] == [10_000.0] * 5
    assert [der.name for der in site.der] == [unit.role for unit in sim.inverter]
    assert sim.inverter[0].role == "inverter"
    assert set(sim.coil[0].opens) == {unit.role for unit in sim.inverter}
    assert {der.contact for der in site.der} == {"coil"}
    assert len({der.uri for der in site.der}) == 5
    assert len(set(sim.ports())) == len(sim.ports())
    Settings.of(site)


def test_what_does_not_belong_to_the_first_inverter_goes(tmp_path: Path) -> None:
    file = tmp_path / "demo.toml"
    file.write_text('name = "demo"\nshows = "x"\nduration_s = 9.0\nsite = "demo"\n[expect]\ntrips = 0\n')
    demo = made(load_scenario(file), ders=2.0)
    assert [unit.role for unit in demo.sim.inverter] == ["inverter-1", "inverter-1-2"]
    assert demo.sim.nameplate_w == pytest.approx(100_000.0)
    assert demo.sim.coil == ()
    assert demo.site_file.trip_output == ()


def test_the_limit_is_of_the_nameplate_and_reversion_shares_it_out() -> None:
    site = made(REVERSION, limit_pu=0.3, ders=3.0, nameplate_w=90_000.0).site_file
    assert site.limit_w == pytest.approx(27_000.0)
    safe_w = [der.reversion.safe_w for der in site.der if der.reversion]
    assert safe_w == [9_000.0] * 3
    Settings.of(site)


def test_a_tighter_limit_of_the_owner_gives_way_to_the_drawn_one() -> None:
    own = CONTACT.varied(
        agent={"control": {"site_limit_w": 10.0}, "guard": {"element": [{"kind": "32", "pickup_w": 25e3}]}}
    )
    site = made(own, limit_pu=0.4).site_file
    assert site.limit_w == pytest.approx(40_000.0)
    assert site.guard.element[0].pickup_w == "auto"


@pytest.mark.parametrize(
    ("drawn", "told", "real"),
    [
        ({"dead_time_s": 0.8}, (0.8, 100.0), (0.8, 100.0)),
        ({"dead_time_s": 0.8, "dead_time_ratio": 2.0}, (0.8, 100.0), (1.6, 100.0)),
        ({"dead_time_ratio": 0.5}, (0.2, 100.0), (0.1, 100.0)),
        ({"slope_pct_per_s": 20.0}, (0.2, 20.0), (0.2, 20.0)),
        ({"slope_pct_per_s": 20.0, "slope_ratio": 0.7}, (0.2, 20.0), (0.2, 14.0)),
        ({"slope_ratio": 1.5}, (0.2, 100.0), (0.2, 150.0)),
    ],
)
def test_the_profile_says_what_is_drawn_and_a_ratio_is_what_it_does_not_say(
    drawn: Mapping[str, float], told: tuple[float, float], real: tuple[float, float]
) -> None:
    site = variant(CONTACT, drawn, SEEDS)
    der, unit = site.site_file.der[0], site.sim.inverter[0]
    assert (der.dead_time_s, der.slope_pct_per_s) == pytest.approx(told)
    assert (unit.dead_time_s, unit.slope_pct_s) == pytest.approx(real)


def test_the_meter_is_the_same_on_both_sides_and_polled_as_its_period_asks() -> None:
    slow_poll = CONTACT.varied(agent={"meter": {"poll_s": 0.01}})
    site = made(slow_poll, meter_period_s=0.5, meter_latency_s=0.15)
    assert (site.sim.meter.period_s, site.sim.meter.latency_s) == (0.5, 0.15)
    assert (site.site_file.meter.period_s, site.site_file.meter.latency_s) == (0.5, 0.15)
    assert site.site_file.meter.polling_s == 0.1


def test_the_load_its_noise_and_its_drop() -> None:
    site = made(load_pu=0.5, load_noise_pu=0.01, load_drop_share=0.4)
    assert site.sim.load.base_w == 50_000.0
    assert site.sim.load.noise_w == site.site_file.meter.noise_w == 1_000.0
    assert [event.load_step_w for event in site.event] == [-20_000.0, 20_000.0]


def test_clouds_and_sun() -> None:
    site = made(cloud_cover=0.3, wind_m_s=7.0, sun_pu=0.6)
    assert site.sim.weather.clouds is not None
    assert (site.sim.weather.clouds.cover, site.sim.weather.clouds.wind_m_s) == (0.3, 7.0)
    assert site.sim.inverter[0].sun_pu == 0.6


@settings(max_examples=20, deadline=None)
@given(
    nameplate_w=st.floats(1e3, 1e7),
    ders=st.integers(1, 100),
    limit_pu=st.floats(0.0, 1.0),
    load_pu=st.floats(0.0, 10.0),
)
def test_any_size_is_a_site_file(nameplate_w: float, ders: int, limit_pu: float, load_pu: float) -> None:
    site = made(REVERSION, nameplate_w=nameplate_w, ders=float(ders), limit_pu=limit_pu, load_pu=load_pu)
    assert site.sim.nameplate_w == pytest.approx(nameplate_w)
    assert site.site_file.nameplate_w == pytest.approx(nameplate_w)
    safe_w = sum(der.reversion.safe_w for der in site.site_file.der if der.reversion)
    assert safe_w <= site.site_file.limit_w + 1e-6
