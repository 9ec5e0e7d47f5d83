"""Storage in a scan at its boundaries: what is not known of a battery, what is only waiting for the ramp, a remote cap."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from core_bench import NONE, SETTINGS, A, B, der, image, pcc, still

from edge.core.control import CoreState, _charge_caps, _level_w, core_start, core_step
from edge.core.enter_service import EnterService
from edge.core.fallback import Fallback
from edge.core.limiter import Limiter, target_w
from edge.core.noise import Noise
from edge.core.settings import CoreSettings, DerPlant
from edge.model.commands import Narrowing
from edge.model.image import Image
from edge.model.permit import Permit
from edge.model.sample import Sample

C = DerPlant("c", 40.0, 0.2, 40.0, 0.0, 40.0, 1.0, "k", charge_w=30.0, full_pu=0.95)
NOW_S = 100.0
SITE = replace(SETTINGS, ders=(A, B, C), charge_w=30.0, nameplate_w=140.0)
SIGHTED, BLIND = Fallback(active=False, since_s=0.0), Fallback(active=True, since_s=0.0)
STARTING = replace(BLIND, starting=True)


def charge_cap_w(
    soc: Sample,
    full_pu: float,
    fallback: Fallback = SIGHTED,
    floor: Sample = NONE,
    until_s: float = -math.inf,
) -> float:
    """The most that battery c may absorb; until `until_s` it is taken for full."""
    c = replace(C, full_pu=full_pu)
    at = image(pcc(0.0, NOW_S), der("c", 0.0, 0.0, NOW_S, soc_pu=soc, floor_w=floor))
    return _charge_caps(replace(SITE, ders=(c,)), fallback, at, (), (until_s,), NOW_S)["c"]


@pytest.mark.parametrize(("full_pu", "cap_w"), [(0.1, 30.0), (0.005, 0.0)])
def test_an_unknown_state_of_charge_is_taken_for_empty(full_pu: float, cap_w: float) -> None:
    assert charge_cap_w(NONE, full_pu) == cap_w


@pytest.mark.parametrize(("soc_pu", "cap_w"), [(0.9449, 30.0), (0.945, 0.0), (1.0, 0.0)])
def test_a_full_one_absorbs_nothing(soc_pu: float, cap_w: float) -> None:
    assert charge_cap_w(Sample.good(soc_pu, NOW_S), 0.95) == cap_w


@pytest.mark.parametrize(("until_s", "cap_w"), [(NOW_S, 30.0), (NOW_S + 0.01, 0.0)])
def test_one_that_is_taken_for_full_absorbs_nothing_until_then(until_s: float, cap_w: float) -> None:
    assert charge_cap_w(NONE, 0.95, until_s=until_s) == cap_w


@pytest.mark.parametrize(
    ("floor_w", "cap_w"), [(-30.1, 30.0), (-30.0, 30.0), (-7.0, 7.0), (-0.05, 0.05), (0.0, 0.0), (7.0, 0.0)]
)
def test_a_start_leaves_the_floor_that_a_device_holds(floor_w: float, cap_w: float) -> None:
    assert charge_cap_w(NONE, 0.95, STARTING, Sample.good(floor_w, NOW_S)) == cap_w
    assert charge_cap_w(NONE, 0.95, BLIND, Sample.good(floor_w, NOW_S)) == 30.0


STACK = (Narrowing("export-limit", 20.0), Narrowing("nameplate", 140.0))


def level_w(load_w: float | None, fallback: Fallback = SIGHTED, *others: Narrowing) -> float:
    """The level at a host load, of a limiter that is still on its ramp."""
    return _level_w(SITE, fallback, Limiter(20.0, 1, 99.8, Noise(0.0), 0.0, load_w), (*STACK, *others))


def test_the_level_is_the_host_load_and_the_aim_or_another_limit() -> None:
    aim_w = target_w(SITE, Noise(0.0))
    assert aim_w > 20.0
    assert level_w(40.0) == 40.0 + aim_w
    assert level_w(-40.0) == -40.0 + aim_w
    assert level_w(400.0) == 140.0
    assert level_w(40.0, SIGHTED, Narrowing("portal", 50.0)) == 50.0
    assert level_w(40.0, BLIND) == level_w(None) == math.inf


def running(settings: CoreSettings) -> CoreState:
    """In service at a ceiling of 20 W, far below what a host load of 35 W allows; a may be making 10 W unheard."""
    start = core_start(settings, 0.0, 0.0, after_trip=False)
    assert start.storage is not None
    return start._replace(
        limiter=Limiter(20.0, 1, 99.8, Noise(0.0), 0.0, 35.0),
        fallback=SIGHTED,
        enter=EnterService(after_trip=False, ramp_s=0.0, done=True),
        tracks=(still(A, 10.0, 99.5), still(B, 60.0, 99.5, last_w=60.0), still(C, 0.0, 99.5, last_w=0.0)),
        storage=replace(start.storage, at_s=99.9, wanted_w=(0.0, 60.0, 0.0), discharge_w=5.0, charge_w=25.0),
    )


def seen(export_w: float | None) -> Image:
    """a is out of reach, holding 10 W; b makes 60 of 60 W, c nothing."""
    return image(
        pcc(export_w, NOW_S, 1),
        der("a", 10.0, 10.0, 90.0, reachable=False),
        der("b", 60.0, 60.0, NOW_S),
        der("c", 0.0, 0.0, NOW_S),
    )


def test_what_an_unheard_der_counts_for_is_no_room_above_the_ramp_either() -> None:
    """b wants 61.6 W; without the ramp all might make the load and the aim, of which a takes 10 W."""
    after, wish = core_step(seen(0.0), SITE, running(SITE), Permit(), NOW_S, in_service=True)
    assert after.limiter.load_w is not None
    room_w = after.limiter.load_w + target_w(SITE, after.limiter.noise) - 10.0
    assert 0.0 < 61.6 - room_w < 25.0
    assert wish.limits_w["c"] == pytest.approx(room_w - 61.6)


def test_a_set_point_serves_nothing_without_sight() -> None:
    """Though at night it might give all that generation leaves."""
    by_setpoint = replace(SITE, ders=(A, B, replace(C, by_setpoint=True)))
    state = running(by_setpoint)
    dark = state.tracks[1]._replace(last_w=0.0, weather_w=0.0)
    night = replace(seen(None), ders=(*seen(None).ders[:1], der("b", 0.0, 60.0, NOW_S), seen(None).ders[2]))
    state = state._replace(tracks=(state.tracks[0], dark, state.tracks[2]))
    _, wish = core_step(night, by_setpoint, state, Permit(), NOW_S, in_service=True)
    assert wish.limits_w["b"] > 1.6
    assert wish.limits_w["c"] == wish.floors_w["c"] == 0.0
