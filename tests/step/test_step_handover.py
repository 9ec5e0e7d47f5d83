"""One DER takes another one's place: whatever is capped, and whichever is slow, nothing more goes out meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from plant import FOREVER, Plant, swapped

from edge.model.image import Override
from edge.model.site import Site

LIMIT_W = 25_000.0


def slow(order: str) -> Site:
    """The large inverter takes 20 s, and a second before it moves; the small one follows at once."""
    return swapped(
        (
            'profile = "sunspec-1xx"\nnameplate_w = 80_000.0\ndead_time_s = 0.2\nslope_pct_per_s = 100.0',
            'profile = "sunspec-1xx"\nnameplate_w = 80_000.0\ndead_time_s = 1.0\nslope_pct_per_s = 5.0',
        ),
        ("[control]", f'[control]\ndispatch = "{order}"'),
    )


@pytest.mark.parametrize("order", ["proportional", "priority", "equal"])
@pytest.mark.parametrize(
    "capped", [{"limit_w": 0.0, "der": "inverter-2"}, {"limit_w": 0.0, "der": "inverter-1"}]
)
def test_a_cap_on_one_is_no_excursion_nor_is_its_end(order: str, capped: dict[str, Any]) -> None:
    plant = Plant(site=slow(order)).run(60.0)
    assert plant.view.mode == "regulating"
    for overrides in ((Override("portal", FOREVER, test=False, **capped),), ()):
        since_s = plant.now_s
        plant.overrides = overrides
        plant.run(40.0)
        assert plant.longest_excursion_s(LIMIT_W, since_s) == 0.0
        assert "trip" not in plant.kinds()
        assert "pickup" not in plant.kinds(since_s)
    assert plant.export_w > 23_500.0, "and in the end all of the limit is used"
