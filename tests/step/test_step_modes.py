"""Every mode and service has a way in and a way out, and no step between them is one that nobody meant."""

from __future__ import annotations

import functools
from collections.abc import Callable
from itertools import pairwise, product

import pytest
from plant import Plant, settled

from edge.model.durable import STATE_LOST, Durable
from edge.model.view import Mode, Service

Stand = tuple[Mode, Service]

# The fallback's hold and the delay of enter service may end in the same scan: then two steps are one.
ALLOWED: dict[Stand, set[Stand]] = {
    ("starting", "waiting"): {
        ("entering-service", "waiting"),
        ("starting", "ramping"),
        ("entering-service", "ramping"),
    },
    ("starting", "ramping"): {("entering-service", "ramping")},
    ("entering-service", "waiting"): {("entering-service", "ramping"), ("fallback", "waiting")},
    ("entering-service", "ramping"): {
        ("regulating", "in-service"),
        ("tripped", "tripped"),
        ("fallback", "ramping"),
    },
    ("regulating", "in-service"): {
        ("fallback", "in-service"),
        ("fallback", "waiting"),
        ("tripped", "tripped"),
        ("tripped", "lockout"),
    },
    ("fallback", "in-service"): {
        ("regulating", "in-service"),
        ("tripped", "tripped"),
        ("tripped", "lockout"),
    },
    ("fallback", "waiting"): {
        ("entering-service", "waiting"),
        ("fallback", "ramping"),
        ("entering-service", "ramping"),
    },
    ("fallback", "ramping"): {("entering-service", "ramping"), ("tripped", "tripped")},
    ("tripped", "tripped"): {
        ("entering-service", "ramping"),
        ("entering-service", "waiting"),
        ("fallback", "waiting"),
    },
    ("tripped", "lockout"): {
        ("entering-service", "waiting"),
        ("entering-service", "ramping"),
        ("fallback", "waiting"),
    },
}


class Walk:
    """Notes each change of (mode, service) of a plant."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.seen: list[Stand] = [(plant.view.mode, plant.view.service)]
        plant.on_scan = self.look

    def look(self, plant: Plant) -> None:
        """After each scan."""
        stand: Stand = (plant.view.mode, plant.view.service)
        if stand != self.seen[-1]:
            self.seen.append(stand)


def lose_meter(plant: Plant) -> None:
    """For long enough to trip at full output."""
    plant.meter_lost = True
    plant.run(4.0)
    plant.meter_lost = False
    plant.run(20.0)


def lock_out(plant: Plant) -> None:
    """Three trips."""
    for _ in range(3):
        lose_meter(plant)


def reset(plant: Plant) -> None:
    """By hand."""
    plant.reset = True
    plant.run(20.0)


def reset_blind(plant: Plant) -> None:
    """By hand, while the meter is lost."""
    plant.meter_lost = True
    plant.run(3.0)
    plant.reset = True
    plant.run(3.0)
    plant.meter_lost = False
    plant.run(20.0)


def stop_agent(plant: Plant) -> None:
    """For three seconds."""
    plant.agent_stopped = True
    plant.run(3.0)
    plant.agent_stopped = False
    plant.run(20.0)


def glimpse(plant: Plant) -> None:
    """Sight lost for a moment: fallback without a trip, the powers being proven low."""
    plant.sun_w = 2_000.0
    plant.run(3.0)
    plant.meter_lost = True
    plant.run(3.0)
    plant.meter_lost = False
    plant.run(10.0)
    plant.sun_w = float("inf")
    plant.run(10.0)


STARTS = [Durable(tripped=False, in_service=True), Durable(tripped=True, target="32"), STATE_LOST]
TURNS = [lose_meter, lock_out, reset, reset_blind, stop_agent, glimpse]


@functools.cache
def walked(turn: Callable[[Plant], None], durable: Durable) -> tuple[Stand, ...]:
    """Every (mode, service) from a start, through a turn, to a reset by hand."""
    walk = Walk(Plant(durable=durable))
    walk.plant.run(20.0)
    turn(walk.plant)
    reset(walk.plant)
    return tuple(walk.seen)


@pytest.mark.parametrize("durable", STARTS, ids=["new", "latched", "state-lost"])
@pytest.mark.parametrize("turn", TURNS)
def test_only_allowed_steps_and_always_a_way_back(durable: Durable, turn: Callable[[Plant], None]) -> None:
    seen = walked(turn, durable)
    for before, after in pairwise(seen):
        assert after in ALLOWED[before], seen
    assert seen[-1] == ("regulating", "in-service")


def test_every_mode_and_every_service_was_walked() -> None:
    stands = {stand for turn, durable in product(TURNS, STARTS) for stand in walked(turn, durable)}
    assert {mode for mode, _ in stands} == {
        "starting",
        "regulating",
        "fallback",
        "tripped",
        "entering-service",
    }
    assert {service for _, service in stands} == {"in-service", "waiting", "ramping", "tripped", "lockout"}


def test_the_view_is_that_of_the_state() -> None:
    plant = settled()
    view = plant.view
    assert [
        (element.name, element.pickup_w, element.dropout_w, element.delay_s) for element in view.elements
    ] == [
        ("32", 25_000.0, 24_500.0, 1.25),
        ("PCS", 25_000.0, 25_000.0, 30.0),
    ]
    assert view.export_limit_w == 25_000.0
    assert view.remaining_s is None
    assert not any(element.picked_up or element.operated or element.blocked for element in view.elements)
    plant.load_w -= 36_000.0
    plant.run(0.4)
    assert plant.view.elements[0].picked_up
    assert 0.1 < plant.view.elements[0].elapsed_s < 0.7
