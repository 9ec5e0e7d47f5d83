"""Whatever happens to the plant, in whatever order, some things hold at every scan (fault model: control.md)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plant import FOREVER, Plant, swapped
from watcher import Watcher

from edge.model.durable import NEW_SITE, STATE_LOST, Durable
from edge.model.image import Override

AUTO = swapped()
MANUAL = swapped(('reset = "auto"', 'reset = "manual"'))
CLEARING_S = 2.0
FAST = settings(
    max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)

DER = st.sampled_from(["inverter-1", "inverter-2"])
OVERRIDE = st.builds(
    Override,
    by=st.just("test"),
    until_s=st.just(FOREVER),
    limit_w=st.none() | st.floats(0, 200_000) | st.just(float("nan")),
    der=st.none() | DER,
    pickup_w=st.none() | st.floats(-50_000, 200_000) | st.just(float("nan")),
    blind=st.booleans(),
    test=st.booleans(),
)


@dataclass(frozen=True)
class Turn:
    """One knob turned, then some time."""

    knob: str
    value: object
    seconds: float

    def apply(self, plant: Plant) -> None:
        """Do it."""
        if self.knob == "restart":
            plant.restart(float(str(self.value)))
        elif self.knob in ("der_lost", "der_refuses"):
            names = getattr(plant, self.knob)
            setattr(plant, self.knob, names ^ {self.value})
        else:
            setattr(plant, self.knob, self.value)
        plant.run(self.seconds)


SECONDS = st.sampled_from([0.05, 0.3, 1.0, 1.3, 2.5, 5.0, 9.0])


def turn(knob: str, values: st.SearchStrategy[object]) -> st.SearchStrategy[Turn]:
    """A turn of one knob."""
    return st.builds(Turn, st.just(knob), values, SECONDS)


PLANT_TURN = st.one_of(
    turn("load_w", st.sampled_from([0.0, 9_000.0, 45_000.0, 90_000.0])),
    turn("sun_w", st.sampled_from([0.0, 5_000.0, 30_000.0, FOREVER])),
    turn("meter_lost", st.booleans()),
    turn("writes_ignored", st.booleans()),
    turn("der_lost", DER),
    turn("der_refuses", DER),
    turn("agent_stopped", st.booleans()),
    turn("feedback_lost", st.booleans()),
    turn("noise_w", st.sampled_from([0.0, 200.0, 2_000.0])),
    turn("v_pu", st.sampled_from([0.5, 0.917, 1.0, 1.051])),
    turn("overrides", st.lists(OVERRIDE, max_size=2).map(tuple)),
    turn("reset", st.sampled_from([True])),
    turn("restart", st.sampled_from([0.0, 0.3, 2.0])),
)
START = st.sampled_from([NEW_SITE, STATE_LOST, Durable(tripped=True, target="32"), Durable(tripped=False)])


@given(turns=st.lists(PLANT_TURN, min_size=1, max_size=12), durable=START, seed=st.integers(0, 99))
@FAST
@pytest.mark.parametrize("site", [AUTO, MANUAL], ids=["auto", "manual"])
def test_every_sequence_keeps_the_rules_and_ends_an_excursion_in_time(
    site: object, turns: list[Turn], durable: Durable, seed: int
) -> None:
    plant = Plant(site=site, durable=durable, seed=seed)  # type: ignore[arg-type]  # a Site, by parametrize
    watcher = Watcher(plant)
    plant.run(12.0)
    for each in turns:
        each.apply(plant)
        watcher.only_narrows(plant)
    assert watcher.scans > 50
    assert plant.longest_excursion_s(25_000.0) <= CLEARING_S
