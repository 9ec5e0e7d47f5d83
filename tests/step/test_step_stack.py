"""What status and the log are given: the stack of limits, how it started, why it did not."""

from __future__ import annotations

import pytest
from plant import settled, swapped

from edge.model.durable import NEW_SITE, STATE_LOST, Durable
from edge.step import Settings, UnfitError, start


def test_the_export_limit_stands_in_the_stack_beside_the_tighter_dropout() -> None:
    plant = settled().run(1)
    allowed_w = {narrowing.by: narrowing.limit_w for narrowing in plant.reasons.limits if not narrowing.der}
    assert set(allowed_w) == {"32-dropout", "export-limit", "nameplate"}
    assert allowed_w["export-limit"] - allowed_w["32-dropout"] == pytest.approx(500.0)
    assert plant.reasons.limits[0].by == "32-dropout"


def test_a_trip_stands_on_top_and_allows_nothing() -> None:
    plant = settled()
    plant.meter_lost = True
    plant.run(3.0)
    assert plant.view.tripped
    top = plant.reasons.limits[0]
    assert (top.by, top.limit_w, top.der) == ("trip", 0.0, None)


@pytest.mark.parametrize(
    ("durable", "after_trip"),
    [
        (NEW_SITE, False),
        (STATE_LOST, True),
        (Durable(tripped=False), True),
        (Durable(tripped=True, in_service=True), True),
    ],
)
def test_a_start_comes_back_from_a_trip_unless_it_was_in_service(durable: Durable, after_trip: bool) -> None:
    assert start(Settings.of(swapped()), durable, 5.0).core.enter.after_trip is after_trip


def test_an_unfit_site_says_all_its_problems() -> None:
    with pytest.raises(UnfitError, match=r"^one\ntwo$") as refused:
        raise UnfitError(["one", "two"])
    assert refused.value.problems == ["one", "two"]
