"""When the PCS bound forces a fallback: above the limit near the bound, or back too late for its reset."""

from __future__ import annotations

from dataclasses import replace

import pytest
from guard_bench import SETTINGS

from edge.guard.element import ElementState
from edge.guard.guard import permit
from edge.guard.settings import ElementSettings
from edge.guard.state import guard_start
from edge.model.durable import NEW_SITE

SLOW = replace(
    SETTINGS, pcs=ElementSettings("PCS", 25_000.0, 25_000.0, 30.0, 10.0), force_fallback_after_s=15.0
)


@pytest.mark.parametrize(
    ("elapsed_s", "clear_s", "forced"),
    [
        (14.9, None, False),
        (15.0, None, True),
        (15.0, 6.0, False),  # a slow start at full sun, long over: it was forced all the same
        (15.0, 12.5, False),
        (15.0, 12.6, True),
        (14.9, 12.6, False),
    ],
)
@pytest.mark.parametrize("begun_s", [0.0, 1000.0])
def test_near_the_bound(begun_s: float, elapsed_s: float, clear_s: float | None, forced: bool) -> None:
    cleared_s = None if clear_s is None else begun_s + clear_s
    pcs = ElementState(begun_s, picked_up=True, clear_s=cleared_s)
    found = permit(SLOW, guard_start(SLOW, NEW_SITE, begun_s)._replace(pcs=pcs), begun_s + elapsed_s)
    assert found.force_fallback == forced


def test_without_an_excursion_nothing_is_forced() -> None:
    found = permit(SLOW, guard_start(SLOW, NEW_SITE, 0.0), 99.0)
    assert not found.force_fallback
