"""What the guard is given by a site file."""

from __future__ import annotations

import pytest
from guard_bench import site

from edge.guard.settings import GuardSettings, pickup_w
from edge.model.site import Element

ELEMENT = 'kind = "32"'


@pytest.mark.parametrize(("reset", "manual"), [("auto", False), ("manual", True)])
def test_who_resets(reset: str, manual: bool) -> None:
    assert GuardSettings.of(site(('reset = "auto"', f'reset = "{reset}"'))).reset_is_manual is manual


def test_the_quickest_element_sets_how_long_it_may_be_blind() -> None:
    two = site((ELEMENT, f"{ELEMENT}\ndelay_s = 1.4\n[[guard.element]]\n{ELEMENT}\ndelay_s = 1.3"))
    assert GuardSettings.of(two).lost_sensing_s == 1.3


@pytest.mark.parametrize(("kind", "blocked"), [("32R", False), ("32", False), ("32F", True)])
def test_only_minimum_power_is_blocked_at_zero_output(kind: str, blocked: bool) -> None:
    assert GuardSettings.of(site((ELEMENT, f'kind = "{kind}"'))).elements[0].blocked_at_zero_output is blocked


def test_the_pcs_bound_looks_out_to_the_grid_at_the_limit() -> None:
    pcs = GuardSettings.of(site()).pcs
    assert not pcs.blocked_at_zero_output
    assert (pcs.direction, pcs.pickup_w, pcs.dropout_w, pcs.delay_s, pcs.reset_delay_s) == (
        1.0,
        25_000.0,
        25_000.0,
        30.0,
        10.0,
    )


def test_no_rule_gives_the_pickup_of_an_import_element() -> None:
    assert pickup_w(site(), Element(kind="import")) == 0.0
    assert pickup_w(site(), Element(kind="import", pickup_w=30_000.0)) == -30_000.0


def test_unmanaged_generation_counts_in_the_pickup_of_minimum_power() -> None:
    at = site(("[guard]", "[unmanaged]\nnameplate_w = 20_000.0\n[guard]"))
    assert pickup_w(at, Element(kind="32F")) == -0.05 * 120_000.0
