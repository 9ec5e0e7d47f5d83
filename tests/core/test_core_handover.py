"""Limits that go up wait for those that come down; each figure is reckoned by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_bench import SETTINGS, A, B, der, image, pcc, still
from phase_bench import phase

from edge.core.control import core_start, core_step
from edge.core.enter_service import EnterService
from edge.core.fallback import Fallback
from edge.core.handover import handed_over
from edge.core.limiter import Limiter
from edge.core.noise import Noise
from edge.core.settings import CoreSettings, DerPlant
from edge.core.track import Track, sent
from edge.model.image import Override
from edge.model.permit import Permit

NOW_S = 100.0
C = DerPlant("c", 40.0, 0.2, 40.0, 0.0, 40.0, 1.0, "k", charge_w=30.0)


def at(plant: DerPlant, limit_w: float, output_w: float | None = None) -> Track:
    """Long at its limit, and seen there just now; or held lower by the weather."""
    if output_w is None:
        return still(plant, limit_w, NOW_S, last_w=limit_w)
    return still(plant, limit_w, NOW_S, last_w=output_w, weather_w=output_w)


def told(
    limits_w: dict[str, float],
    *tracks: Track,
    total_w: float = 60.0,
    settings: CoreSettings = SETTINGS,
    phases: tuple[tuple[CoreSettings, float], ...] = (),
) -> dict[str, float]:
    """What is told at a ceiling of 60 W."""
    return handed_over(((settings, total_w), *phases), tracks, dict(limits_w), 0.0, NOW_S)


@pytest.mark.parametrize(
    ("a_w", "b_w", "made_w", "told_w"),
    [
        (20.0, 0.0, 48.0, 12.0),
        (20.0, 0.0, 44.0, 16.0),
        (20.0, 0.0, 40.0, 20.0),
        (20.0, 0.0, 39.0, 20.0),
        (20.0, 40.0, 30.0, 20.0),
        (12.0, 0.0, 48.0, 12.0),
        (5.0, 0.0, 48.0, 5.0),
    ],
)
def test_one_gets_what_the_other_no_longer_makes(
    a_w: float, b_w: float, made_w: float, told_w: float
) -> None:
    """A at 12 W, b making this much of the 48 W that it was told before."""
    found = told({"a": a_w, "b": b_w}, at(A, 12.0), at(B, 48.0, made_w))
    assert found == {"a": pytest.approx(told_w), "b": b_w}


def test_it_comes_as_the_other_goes() -> None:
    """80 W/s less what the slowest answer is allowed: 15 % more of the dead time and as much less slope."""
    down = sent(at(B, 48.0), B, 0.0, NOW_S - 1.0, 0.03)
    still_w = 48.0 - 80.0 / 1.15 * (1.0 - 0.2 * 1.15 - 0.03)
    assert still_w < 0.0
    assert told({"a": 20.0, "b": 0.0}, at(A, 12.0), down)["a"] == 20.0
    down = sent(at(B, 48.0), B, 0.0, NOW_S - 0.3, 0.03)
    still_w = 48.0 - 80.0 / 1.15 * (0.3 - 0.2 * 1.15 - 0.03)
    assert told({"a": 20.0, "b": 0.0}, at(A, 12.0), down)["a"] == pytest.approx(60.0 - still_w)


def test_where_all_go_up_or_none_does_nothing_waits() -> None:
    for limits_w in ({"a": 13.0, "b": 90.0}, {"a": 12.0, "b": 48.0}, {"a": 1.0, "b": 2.0}, {"a": 99.0}):
        assert told(limits_w, at(A, 12.0), at(B, 48.0)) == limits_w


def test_nothing_is_held_below_its_last_limit() -> None:
    """A ceiling that has fallen lowers by itself; it takes nothing off what goes up."""
    found = told({"a": 20.0, "b": 0.0}, at(A, 12.0), at(B, 48.0), total_w=-10.0)
    assert found == {"a": 12.0, "b": 0.0}


def test_several_share_what_is_free_by_what_each_is_to_get() -> None:
    plant = replace(SETTINGS, ders=(A, B, C))
    found = told(
        {"a": 20.0, "b": 0.0, "c": 20.0}, at(A, 12.0), at(B, 30.0), at(C, 4.0), total_w=52.0, settings=plant
    )
    assert found == {"a": pytest.approx(14.0), "b": 0.0, "c": pytest.approx(8.0)}, (
        "6 W are free, 24 W asked for"
    )


@pytest.mark.parametrize(("least_w", "told_w"), [(3.9, 4.0), (4.0, 4.0), (4.1, 0.0)])
def test_a_limit_below_its_minimum_would_not_be_obeyed(least_w: float, told_w: float) -> None:
    plant = replace(SETTINGS, ders=(replace(A, min_w=least_w), B))
    found = told({"a": 20.0, "b": 0.0}, at(A, 0.0), at(B, 48.0), total_w=52.0, settings=plant)
    assert found["a"] == told_w


def test_storage_ceases_to_absorb_at_once_and_gives_when_there_is_room() -> None:
    plant = replace(SETTINGS, ders=(A, B, C))
    still_w = {"a": 0.0, "b": 50.0}
    for c_w, told_w in ((-5.0, -5.0), (0.0, 0.0), (10.0, 10.0), (20.0, 10.0)):
        found = told(still_w | {"c": c_w}, at(A, 0.0), at(B, 50.0), at(C, -20.0), settings=plant)
        assert found == still_w | {"c": pytest.approx(told_w)}


def test_what_storage_absorbs_gives_room() -> None:
    """B may go up by what c was measured to take, and no more."""
    plant = replace(SETTINGS, ders=(A, B, C))
    for took_w, told_w in ((-20.0, 80.0), (-10.0, 70.0)):
        c = at(C, -20.0)._replace(last_w=took_w)
        found = told({"a": 0.0, "b": 80.0, "c": -20.0}, at(A, 0.0), at(B, 50.0), c, settings=plant)
        assert found["b"] == pytest.approx(told_w)


def test_one_that_is_not_told_leaves_its_part_to_whoever_counts_it() -> None:
    plant = replace(SETTINGS, ders=(A, B, C))
    found = told({"a": 20.0, "c": 0.0}, at(A, 12.0), at(B, 48.0), at(C, 40.0), total_w=56.0, settings=plant)
    assert found == {"a": pytest.approx(16.0), "c": 0.0}


def test_a_phase_has_its_own_room() -> None:
    """Of b a quarter is on a; the tighter one of both counts, and a phase where nothing goes up asks for nothing."""
    first, other = phase(0, 1.0, 0.25), phase(1, 0.0, 0.25)
    for ceiling_w, told_w in ((99.0, 20.0), (32.0, 20.0), (30.0, 18.0), (24.0, 12.0), (-1.0, 12.0)):
        found = told(
            {"a": 20.0, "b": 0.0},
            at(A, 12.0),
            at(B, 48.0),
            total_w=99.0,
            phases=((first, ceiling_w), (other, -50.0)),
        )
        assert found == {"a": pytest.approx(told_w), "b": 0.0}


@pytest.mark.parametrize("export_w", [24.0, 0.0])
def test_what_the_weather_gives_back_is_no_more_than_the_export_has_risen(export_w: float) -> None:
    """b made 30 W of its 48 W half a second ago, at an export of 14 W less than now: 16 W are left for a."""
    start = core_start(SETTINGS, 0.0, 0.0, after_trip=False)
    state = start._replace(
        limiter=Limiter(60.0, 1, NOW_S - 0.2, Noise(0.0), export_w, 35.0),
        fallback=Fallback(active=False, since_s=0.0),
        enter=EnterService(after_trip=False, ramp_s=0.0, done=True),
        tracks=(
            at(A, 12.0),
            still(B, 48.0, NOW_S - 0.5, last_w=30.0, weather_w=30.0, export_w=export_w - 14.0),
        ),
    )
    off = replace(
        image(pcc(export_w, NOW_S, 1), der("a", 12.0, 12.0, NOW_S - 0.1), der("b", 30.0, 48.0, NOW_S - 0.5)),
        overrides=(Override("portal", 1e9, limit_w=0.0, der="b"),),
    )
    _, wish = core_step(off, SETTINGS, state, Permit(), NOW_S, in_service=True)
    assert wish.limits_w == {"a": pytest.approx(16.0), "b": 0.0}
