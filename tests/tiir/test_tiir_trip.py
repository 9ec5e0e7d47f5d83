"""The eight trips: thresholds, definite time, reset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir.complete import complete
from tiir.setting import Der, TiirError
from tiir.trip import NAMES, Element, Grid, Timers, elements

NORMAL = Grid(1.0, 1.0, 60.0)
TRIPS = elements(complete({}, Der(normal="B", abnormal="III")))
# Typed in by hand: Category III's default, and whether the value is a voltage.
DEFAULTS = {
    "OV2": (1.20, 0.16),
    "OV1": (1.10, 13.0),
    "UV1": (0.88, 21.0),
    "UV2": (0.50, 2.0),
    "OF2": (62.0, 0.16),
    "OF1": (61.2, 300.0),
    "UF1": (58.5, 300.0),
    "UF2": (56.5, 0.16),
}


def grid(name: str, value: float) -> Grid:
    """A grid that is normal but for the value that `name` looks at."""
    if name[1] == "F":
        return Grid(1.0, 1.0, value)
    return Grid(1.0, value, 60.0) if name[0] == "O" else Grid(value, 1.0, 60.0)


def test_the_eight_as_set() -> None:
    assert {e.name: (e.threshold, e.clearing_s) for e in TRIPS} == DEFAULTS
    assert tuple(DEFAULTS) == NAMES
    with pytest.raises(TiirError, match="OV2_TRIP_V is needed"):
        elements({})


@pytest.mark.parametrize("element", TRIPS, ids=lambda e: e.name)
def test_beyond_but_not_at_the_threshold(element: Element) -> None:
    out = 1.0 if element.name[0] == "O" else -1.0
    for offset in (1e-9, 1e-3, 0.1):
        assert element.beyond(grid(element.name, element.threshold + out * offset))
        assert not element.beyond(grid(element.name, element.threshold - out * offset))
    assert not element.beyond(grid(element.name, element.threshold))
    assert not element.beyond(NORMAL)


@pytest.mark.parametrize("element", TRIPS, ids=lambda e: e.name)
@pytest.mark.parametrize("dt_s", [0.01, 0.02, 0.1])
def test_operates_in_its_time_and_not_before(element: Element, dt_s: float) -> None:
    out = 0.01 if element.name[0] == "O" else -0.01
    seen, timers, steps = grid(element.name, element.threshold + out), Timers({}), 0
    while not timers.operated((element,), steps * dt_s):
        timers = timers.at((element,), seen, steps * dt_s)
        steps += bool(not timers.operated((element,), steps * dt_s))
    assert element.clearing_s - 1e-6 <= steps * dt_s < element.clearing_s + dt_s


def test_a_return_for_one_sample_starts_it_over() -> None:
    timers = Timers({}).at(TRIPS, grid("UV2", 0.4), 0.0)
    assert timers.operated(TRIPS, 1.999) == ()
    assert timers.at(TRIPS, NORMAL, 1.9) == Timers({})
    again = timers.at(TRIPS, NORMAL, 1.9).at(TRIPS, grid("UV2", 0.4), 1.91)
    assert again.operated(TRIPS, 3.9) == ()
    assert again.operated(TRIPS, 3.91) == ("UV2",)


def test_a_deep_sag_runs_both_and_recovering_to_a_shallow_one_keeps_the_longer() -> None:
    timers = Timers({}).at(TRIPS, grid("UV2", 0.4), 0.0)
    assert set(timers.since_s) == {"UV1", "UV2"}
    assert timers.left_s(TRIPS, 0.5) == 1.5
    shallow = timers.at(TRIPS, grid("UV1", 0.7), 1.0)
    assert set(shallow.since_s) == {"UV1"}
    assert shallow.operated(TRIPS, 20.99) == ()
    assert shallow.operated(TRIPS, 21.0) == ("UV1",)
    assert Timers({}).left_s(TRIPS, 0.0) is None
    assert shallow.left_s(TRIPS, 30.0) == 0.0


def test_each_phase_counts_by_itself() -> None:
    timers = Timers({}).at(TRIPS, Grid(0.4, 1.25, 60.0), 5.0)
    assert set(timers.since_s) == {"OV2", "OV1", "UV1", "UV2"}


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.sampled_from([0.4, 0.7, 1.0, 1.15, 1.25])), min_size=1, max_size=30
    )
)
def test_an_element_operates_exactly_when_its_last_run_is_long_enough(
    pieces: list[tuple[int, float]],
) -> None:
    """Against a count of the last unbroken run of samples, 0.1 s apart."""
    samples = [value for length, value in pieces for _ in range(length)]
    timers = Timers({})
    for index, value in enumerate(samples):
        timers = timers.at(TRIPS, Grid(value, value, 60.0), index * 0.1)
    now_s = (len(samples) - 1) * 0.1
    for element in TRIPS:
        run = 0
        while run < len(samples) and element.beyond(Grid(samples[-1 - run], samples[-1 - run], 60.0)):
            run += 1
        expected = run > 0 and (run - 1) * 0.1 >= element.clearing_s - 1e-6
        assert (element.name in timers.operated(TRIPS, now_s)) is expected
