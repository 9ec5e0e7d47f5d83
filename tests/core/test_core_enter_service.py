"""Enter service (IEEE 1547-2018 4.10): the window's edges, the delay without a break, the ramp."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from core_bench import SETTINGS, A, B, image, pcc

from edge.core.enter_service import EnterService, enter_share, enter_step, remaining_s
from edge.model.image import Image, PccReading
from edge.model.sample import Sample

FRESH = EnterService(after_trip=False)
AFTER = EnterService(after_trip=True)


def seen(v_pu: float = 1.0, f_hz: float = 60.0, at_s: float = 100.0) -> Image:
    """The grid at a time."""
    return image(pcc(0.0, at_s, 1, v_pu, f_hz))


def stepped(
    state: EnterService,
    at: Image,
    now_s: float = 100.0,
    *,
    service: bool = False,
    tripped: bool = False,
    held: bool = False,
) -> EnterService:
    """One scan."""
    return enter_step(SETTINGS, state, at, now_s, in_service=service, tripped=tripped, held=held)


VOLTAGES = (0.9, 0.9169, 0.917, 0.9171, 1.0, 1.0499, 1.05, 1.0501)
FREQUENCIES = (59.4, 59.499, 59.5, 59.501, 60.0, 60.099, 60.1, 60.101)


def test_every_corner_of_the_window() -> None:
    inside = 0
    for v_pu, f_hz in itertools.product(VOLTAGES, FREQUENCIES):
        within = 0.917 <= v_pu <= 1.05 and 59.5 <= f_hz <= 60.1
        assert (stepped(FRESH, seen(v_pu, f_hz)).window_s == 100.0) is within
        inside += within
    assert 0 < inside < len(VOLTAGES) * len(FREQUENCIES)


@pytest.mark.parametrize("age_s", [0.9, 1.0, 1.1])
def test_what_is_not_fresh_is_not_in_the_window(age_s: float) -> None:
    assert (stepped(FRESH, seen(at_s=100.0 - age_s)).window_s is not None) is (age_s <= 1.0)


@pytest.mark.parametrize("missing", ["v_pu", "f_hz"])
def test_nor_is_what_the_meter_does_not_have(missing: str) -> None:
    reading = pcc(0.0, 100.0)
    gone = {missing: Sample.none()}
    lacking: PccReading = replace(reading, **gone)  # type: ignore[arg-type]  # v_pu or f_hz
    assert stepped(FRESH, image(lacking)).window_s is None


@pytest.mark.parametrize("waited_s", [299.9, 300.0, 300.1])
def test_ready_after_the_delay(waited_s: float) -> None:
    state = replace(AFTER, window_s=100.0 - waited_s)
    assert stepped(state, seen()).ready is (waited_s >= 300.0)


@pytest.mark.parametrize("broken", ["held", "outside"])
def test_any_break_begins_the_delay_anew(broken: str) -> None:
    ready = replace(AFTER, window_s=-500.0, ready=True)
    state = stepped(ready, seen(0.9) if broken == "outside" else seen(), held=broken == "held")
    assert state == AFTER
    assert stepped(state, seen()).window_s == 100.0


def test_a_trip_is_remembered_until_service_is_done() -> None:
    state = stepped(FRESH, seen(), tripped=True)
    assert state.after_trip
    assert stepped(state, seen()).after_trip
    state = stepped(state, seen(), service=True)
    assert (state.after_trip, state.ramp_s, state.done) == (True, 100.0, False)
    assert stepped(state, seen(), 199.9, service=True).after_trip
    state = stepped(state, seen(), 200.0, service=True)
    assert (state.after_trip, state.done) == (False, True)
    assert stepped(state, seen(), 201.0, service=True).done


def test_out_of_service_again_begins_at_the_beginning() -> None:
    done = stepped(replace(AFTER, ramp_s=0.0), seen(), service=True)
    assert done.done
    assert stepped(done, seen()) == replace(FRESH, window_s=100.0)


@pytest.mark.parametrize(
    ("after_s", "share"),
    [(0.0, 0.0), (1.0, 0.01), (50.0, 0.5), (99.9, 0.999), (100.0, 1.0), (105.0, 1.0), (300.0, 1.0)],
)
def test_the_ramp(after_s: float, share: float) -> None:
    assert enter_share(SETTINGS, replace(AFTER, ramp_s=0.0), B, after_s) == pytest.approx(share)
    assert remaining_s(SETTINGS, replace(AFTER, ramp_s=0.0), after_s) == pytest.approx(
        max(0.0, 100.0 - after_s)
    )


def test_shares_before_and_after_the_ramp() -> None:
    done = replace(FRESH, ramp_s=0.0, done=True)
    # The DER without a contact waits only after a trip: else the agent's absence has not disconnected it.
    found = [[enter_share(SETTINGS, state, plant, 1.0) for plant in (A, B)] for state in (FRESH, AFTER, done)]
    assert found == [[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]]


def test_how_long_is_left() -> None:
    assert remaining_s(SETTINGS, AFTER, 100.0) is None
    assert remaining_s(SETTINGS, replace(AFTER, window_s=90.0), 100.0) == 290.0
    assert remaining_s(SETTINGS, replace(AFTER, window_s=-900.0), 100.0) == 0.0
    assert remaining_s(SETTINGS, replace(AFTER, ramp_s=-900.0), 100.0) == 0.0
    assert remaining_s(SETTINGS, replace(AFTER, done=True), 100.0) is None
