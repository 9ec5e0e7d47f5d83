"""Enter service: the window to the last bit, the delay without a break, the ramp, the random delay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir.complete import complete
from tiir.enter_service import Service, in_window
from tiir.setting import Der
from tiir.trip import Grid

B3 = Der(normal="B", abnormal="III", rated_va=10e3)
SETTINGS = complete({}, B3)
GOOD = Grid(1.0, 1.0, 60.0)
BAD = Grid(0.9, 1.0, 60.0)


@pytest.mark.parametrize(
    ("seen", "inside"),
    [
        (Grid(0.917, 1.05, 60.0), True),
        (Grid(0.917 - 1e-9, 1.0, 60.0), False),
        (Grid(1.0, 1.05 + 1e-9, 60.0), False),
        (Grid(1.0, 1.0, 59.5), True),
        (Grid(1.0, 1.0, 59.5 - 1e-9), False),
        (Grid(1.0, 1.0, 60.1), True),
        (Grid(1.0, 1.0, 60.1 + 1e-9), False),
    ],
)
def test_window(seen: Grid, inside: bool) -> None:
    assert in_window(SETTINGS, seen) is inside
    assert in_window({**SETTINGS, "ES_PERMIT_SERVICE": False}, seen) is False


def test_enters_after_the_delay_and_not_before() -> None:
    waiting = Service().at(SETTINGS, GOOD, 1000.0)
    assert waiting.at(SETTINGS, GOOD, 1299.999).entered_s is None
    assert waiting.at(SETTINGS, GOOD, 1300.0).entered_s == 1300.0
    assert waiting.left_s(SETTINGS, 1100.0) == 200.0
    assert waiting.left_s(SETTINGS, 1500.0) == 0.0
    assert Service().left_s(SETTINGS, 1100.0) == 300.0
    assert waiting.at(SETTINGS, GOOD, 1300.0).left_s(SETTINGS, 1301.0) == 0.0


def test_one_bad_sample_starts_the_delay_over() -> None:
    broken = Service().at(SETTINGS, GOOD, 0.0).at(SETTINGS, BAD, 299.9)
    assert broken.good_s is None
    again = broken.at(SETTINGS, GOOD, 300.0)
    assert again.at(SETTINGS, GOOD, 599.9).entered_s is None
    assert again.at(SETTINGS, GOOD, 600.0).entered_s == 600.0


def test_ramp() -> None:
    entered = Service(entered_s=100.0)
    ceilings = [entered.ceiling_pu(SETTINGS, t) for t in (100.0, 175.0, 250.0, 400.0, 999.0)]
    assert ceilings == pytest.approx([0.0, 0.25, 0.5, 1.0, 1.0])
    assert Service().ceiling_pu(SETTINGS, 1e6) == 0.0
    at_once = {**SETTINGS, "ES_RAMP_RATE": 0.0}
    assert entered.ceiling_pu(at_once, 100.0) == 1.0


@given(draw=st.floats(0.0, 1.0))
def test_the_random_delay_follows_the_delay(draw: float) -> None:
    settings = complete({"ES_RANDOMIZED_DELAY": 100.0, "ES_DELAY": 50.0}, B3)
    waiting = Service(draw).at(settings, GOOD, 0.0)
    entry_s = 50.0 + 100.0 * draw
    assert waiting.at(settings, GOOD, entry_s - 1e-3).entered_s is None
    assert waiting.at(settings, GOOD, entry_s).entered_s == entry_s
    assert waiting.at(settings, GOOD, entry_s).ceiling_pu(settings, entry_s) == 1.0


def test_no_delay_enters_on_the_first_good_sample() -> None:
    settings = complete({"ES_DELAY": 0.0}, B3)
    assert Service().at(settings, BAD, 5.0).entered_s is None
    assert Service().at(settings, GOOD, 5.0).entered_s == 5.0


def test_in_service_the_window_is_not_looked_at_but_the_permit_is() -> None:
    entered = Service(0.5, 0.0, 300.0)
    assert entered.at(SETTINGS, BAD, 301.0) == entered
    refused = {**SETTINGS, "ES_PERMIT_SERVICE": False}
    assert entered.at(refused, GOOD, 301.0) == replace(entered, good_s=None, entered_s=None)
    assert Service().at(refused, GOOD, 301.0).good_s is None
