"""Excursions in sum: the four thresholds at their edges, told once, and again only after they were kept."""

from __future__ import annotations

import pytest
from agent_site import demo_site

from edge.agent.cumulative import HOUR_S, Cumulative, thresholds
from edge.agent.tally import DAY_S, STEP_S, Sum, Tally
from edge.model.site import Site

START_S = 1_790_000_400.0  # a whole number of steps
SITE = demo_site()


def limited(**keys: float) -> Site:
    """The demo site with nothing but these thresholds in reach."""
    far = {"over_1h_s": 9e4, "over_24h_s": 8e4, "over_1h_wh": 1e9, "over_24h_wh": 1e9} | keys
    return SITE.model_copy(update={"guard": SITE.guard.model_copy(update=far)})


def test_the_thresholds_of_a_site_that_states_none() -> None:
    """100 kW for 30 s and for 2 minutes; a minute in an hour, five in a day."""
    assert [(each.span_s, each.unit, each.most) for each in thresholds(SITE)] == [
        (HOUR_S, "s", 60.0),
        (HOUR_S, "Wh", pytest.approx(100_000 * 30 / 3600)),
        (DAY_S, "s", 300.0),
        (DAY_S, "Wh", pytest.approx(100_000 * 120 / 3600)),
    ]


def test_unmanaged_generation_exports_too() -> None:
    bare = SITE.model_copy(update={"unmanaged": SITE.unmanaged.model_copy(update={"nameplate_w": 20_000.0})})
    assert thresholds(bare)[1].most == pytest.approx(120_000 * 30 / 3600)


@pytest.mark.parametrize(
    ("key", "what", "said"),
    [
        ("over_1h_s", Sum(1, 10.0, 0.0), "10.1 s in an hour, more than 10.0 s"),
        ("over_24h_s", Sum(1, 10.0, 0.0), "10.1 s in 24 hours, more than 10.0 s"),
        ("over_1h_wh", Sum(1, 0.0, 10.0), "10.1 Wh in an hour, more than 10.0 Wh"),
        ("over_24h_wh", Sum(1, 0.0, 10.0), "10.1 Wh in 24 hours, more than 10.0 Wh"),
    ],
)
def test_each_is_told_when_it_is_passed_and_once(key: str, what: Sum, said: str) -> None:
    cumulative, tally = Cumulative(limited(**{key: 10.0})), Tally()
    tally.add(what, START_S)
    assert cumulative.look(tally, START_S) == []
    tally.add(Sum(0, 0.1 if what.duration_s else 0.0, 0.1 if what.energy_wh else 0.0), START_S)
    assert cumulative.look(tally, START_S) == [f"export above the limit adds up to {said}"]
    assert cumulative.look(tally, START_S) == []


@pytest.mark.parametrize(("key", "span_s"), [("over_1h_s", HOUR_S), ("over_24h_s", DAY_S)])
def test_it_is_told_again_after_the_window_was_kept(key: str, span_s: float) -> None:
    cumulative, tally = Cumulative(limited(**{key: 10.0})), Tally()
    tally.add(Sum(1, 11.0, 0.0), START_S)
    assert len(cumulative.look(tally, START_S)) == 1
    assert cumulative.look(tally, START_S + span_s) == []
    later_s = START_S + span_s + STEP_S
    assert cumulative.look(tally, later_s) == []
    tally.add(Sum(1, 11.0, 0.0), later_s)
    assert len(cumulative.look(tally, later_s)) == 1
