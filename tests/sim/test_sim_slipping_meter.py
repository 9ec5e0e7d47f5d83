"""A meter that became slower than its site file says: an alarm, then fallback, then a trip."""

from __future__ import annotations

import pytest

from edge.model.site import Site
from edge.model.strict_toml import load
from sim.closed_loop import ClosedLoop
from sim.simfile import DEMO, load_simfile

SITE_FILE = DEMO.with_name("demo.site.toml")
SIM = load_simfile(DEMO).model_copy(update={"script": ()})
SITE = load(Site, SITE_FILE.read_text(encoding="utf-8"), str(SITE_FILE))


@pytest.mark.parametrize(
    ("period_s", "expected"),
    [
        (0.2, set()),
        (0.7, {"alarm"}),
        (1.1, {"alarm", "fallback"}),
        (1.6, {"alarm", "fallback", "trip"}),
    ],
)
def test_it_is_an_alarm_then_fallback_then_a_trip(period_s: float, expected: set[str]) -> None:
    loop = ClosedLoop(SIM, SITE, seed=1).run(20.0)
    begun = len(loop.events)
    vars(loop.plant.meter)["_period"] = round(period_s / loop.plant.dt_s)
    events = loop.run(60.0).events[begun:]
    assert {event.kind for event in events} & {"alarm", "fallback", "trip"} == expected
    assert [event.kind for event in events].count("alarm") == len(expected & {"alarm"})
