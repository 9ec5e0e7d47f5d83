"""Clearing and security of the element over random phases and losses, the limiter's writes ignored."""

from __future__ import annotations

import random

import pytest
from plant import Plant, settled

LIMIT_W = 25_000.0
CLEARING_S = 2.0
DELAY_S = 1.25
OVER_W = 20_000.0


def phases(count: int) -> list[Plant]:
    """Settled plants, each stopped at another phase of meter, polls and scans."""
    return [settled(seed=number % 12).run(random.Random(number).uniform(0.0, 1.0)) for number in range(count)]


def overload(plant: Plant, seconds: float) -> float:
    """A load drop while the writes are ignored; gives the time of its true onset."""
    plant.writes_ignored = True
    at_s = plant.now_s
    plant.load_w -= OVER_W
    plant.run(seconds)
    return at_s


@pytest.mark.parametrize("losses", [0.0, 0.3, 0.7, 1.0])
def test_whatever_samples_are_lost_it_ends_within_two_seconds(losses: float) -> None:
    source = random.Random(f"losses {losses}")
    by_element = 0
    for plant in phases(60):
        plant.drop_sample = lambda _now_s: source.random() < losses
        at_s = overload(plant, 3.0)
        assert plant.longest_excursion_s(LIMIT_W, at_s) <= CLEARING_S
        assert plant.at_s("trip", at_s) - at_s <= DELAY_S + plant.site.control.scan_s + 1e-6
        by_element += plant.view.target == "32"
    assert (by_element == 0) is (losses == 1.0)


def test_a_single_sample_before_the_meter_is_lost_is_enough() -> None:
    for plant in phases(40):
        at_s = plant.now_s
        plant.drop_sample = lambda now_s, at_s=at_s: now_s > at_s + 0.25  # type: ignore[misc]  # bound now
        overload(plant, 3.0)
        assert plant.longest_excursion_s(LIMIT_W, at_s) <= CLEARING_S


def test_an_excursion_shorter_than_the_delay_less_what_measuring_takes_never_trips() -> None:
    """The bound of control.md: delay - (period + averaging + latency + scan)."""
    meter = settled().site.meter
    shortest_s = DELAY_S - (meter.period_s + meter.averaging_s + meter.latency_s + 0.2)
    picked_up = 0
    for plant in phases(60):
        at_s = overload(plant, shortest_s - 0.01)
        plant.load_w += OVER_W
        plant.run(2.0)
        assert "trip" not in plant.kinds(at_s)
        picked_up += "pickup" in plant.kinds(at_s)
    assert picked_up == 60


def test_one_lost_sample_in_healthy_running_never_trips() -> None:
    for plant in phases(40):
        at_s, seen = plant.now_s, len(plant.samples)
        plant.drop_sample = lambda _now_s, plant=plant, seen=seen: len(plant.samples) == seen + 2  # type: ignore[misc]
        plant.load_w -= 36_000.0
        plant.run(4.0)
        assert "trip" not in plant.kinds(at_s)
