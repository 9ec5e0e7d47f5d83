"""An exception inside the limiter: fallback, and the guard runs on."""

from __future__ import annotations

import pytest
from plant import Plant, settled
from watcher import Watcher

import edge.step
from edge.core import control


def broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError("a defect")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Plant:
    plant = settled().run(1.0)
    monkeypatch.setattr(control, "core_step", broken)
    return plant


def test_it_ends_in_fallback_and_is_said_once(failing: Plant) -> None:
    held_w, at_s = failing.commanded_w, failing.now_s
    failing.run(5.0)
    assert failing.view.mode == "fallback"
    assert failing.commanded_w <= min(held_w, failing.site.limit_w)
    assert failing.kinds(at_s).count("alarm") == 1
    assert failing.closed
    assert failing.reasons.limits[0].by == "limiter-failed"


def test_it_is_said_when_the_first_scan_fails_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "core_step", broken)
    assert Plant().run(1.0).kinds() == ["alarm"]


def test_watching_the_meter_s_sign_may_fail_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    plant = settled().run(1.0)
    monkeypatch.setattr(edge.step, "polarity_step", broken)
    at_s = plant.now_s
    plant.run(3.0)
    assert (plant.view.mode, plant.closed, plant.kinds(at_s).count("alarm")) == ("fallback", True, 1)


def test_the_guard_trips_on_an_excursion_all_the_same(failing: Plant) -> None:
    at_s = failing.now_s
    failing.writes_ignored = True
    failing.load_w -= 45_000.0
    failing.run(3.0)
    assert failing.view.target == "32"
    assert failing.at_s("trip", at_s) - at_s <= 1.25 + failing.site.control.scan_s + 1e-6
    assert failing.longest_excursion_s(25_000.0, at_s) <= 2.0


def test_a_der_that_keeps_its_power_is_cut_off_while_it_fails(failing: Plant) -> None:
    guard = failing.state.guard._replace(unresponsive=frozenset({"inverter-2"}))
    failing.state = failing.state._replace(guard=guard)
    failing.run(failing.site.control.scan_s + 0.1)
    assert not failing.commanded_closed
    assert failing.view.target is None


def test_nothing_closes_while_it_fails(failing: Plant) -> None:
    failing.restart(1.0).run(20.0)
    assert not failing.closed
    assert failing.view.fallbacks == 0


def test_it_comes_back_by_itself_when_the_defect_is_gone() -> None:
    plant = settled().run(1.0)
    Watcher(plant)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(control, "core_step", broken)
        plant.run(1.0)
    at_s = plant.now_s
    plant.run(15.0)
    assert plant.view.mode == "regulating"
    assert "trip" not in plant.kinds()
    assert plant.kinds(at_s).count("alarm") == 0
    assert not plant.state.failed
