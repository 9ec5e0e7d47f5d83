"""What a mode allows storage to exchange, against a rule of one line."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storage_bench import ABILITIES, EXPORT_ONLY, FAST, MODES, NO_EXCHANGE

from edge.core.storage import allowed_w
from edge.model.storage_rules import StorageRules

NETS_W = (
    -100.0,
    -10.001,
    -10.0,
    -5.001,
    -5.0,
    -2.001,
    -1.0,
    -0.001,
    0.0,
    0.001,
    1.0,
    2.0,
    5.0,
    6.0,
    9.9,
    100.0,
)


def test_each_mode_and_ability_at_every_net_load_with_an_export_limit_that_leaves_room() -> None:
    passed = 0
    for rules, net_w in itertools.product((*MODES, *ABILITIES), NETS_W):
        discharge_w, charge_w = allowed_w(rules, net_w, margin_w=1.0, aim_w=20.0)
        need_w, surplus_w = max(net_w, 0.0), max(-net_w, 0.0)
        assert discharge_w == pytest.approx(max(0.0, need_w + rules.export_w - 1.0))
        most_w = min(surplus_w + rules.import_w, rules.site_import_w - net_w) - 1.0
        assert charge_w == pytest.approx(max(0.0, most_w))
        passed += 0.0 < discharge_w < need_w + 5.0
        passed += 0.0 < charge_w < surplus_w + 5.0
    assert passed > 20


@given(
    st.floats(-1e6, 1e6),
    st.sampled_from((*MODES, *ABILITIES)),
    st.floats(0.0, 100.0),
    st.floats(-100.0, 1000.0),
    st.sampled_from([0.0, 50.0]),
)
@FAST
def test_nothing_more_is_exchanged_than_agreed_and_the_overlap_of_two_margins(
    net_w: float, rules: StorageRules, margin_w: float, aim_w: float, probe_w: float
) -> None:
    discharge_w, charge_w = allowed_w(rules, net_w, margin_w, aim_w, probe_w)
    assert min(discharge_w, charge_w) >= 0.0
    assert discharge_w - max(net_w, 0.0) <= rules.export_w + 1e-6 or discharge_w == 0.0
    overlaps = 2 * margin_w > rules.import_w + aim_w
    extra_w = 2 * margin_w - rules.import_w - aim_w + probe_w if overlaps else 0.0
    taken_w = min(charge_w, net_w + charge_w)
    assert taken_w <= rules.import_w + extra_w + 1e-6 or charge_w == 0.0
    assert charge_w == 0.0 or net_w + charge_w <= rules.site_import_w + 1e-6


def test_charging_and_an_export_of_nothing_overlap_by_twice_the_margin() -> None:
    assert allowed_w(NO_EXCHANGE, -10.0, 1.0, -1.0) == (0.0, 12.0)
    assert allowed_w(NO_EXCHANGE, -10.0, 1.0, -1.0, 3.0) == (0.0, 15.0)
    assert allowed_w(NO_EXCHANGE, 1.9, 1.0, -1.0)[1] == pytest.approx(0.1)
    assert allowed_w(NO_EXCHANGE, 2.1, 1.0, -1.0)[1] == 0.0
    assert allowed_w(EXPORT_ONLY, -10.0, 1.0, 1.0, 3.0) == (math.inf, 13.0), "2 W apart is not enough"
    assert allowed_w(EXPORT_ONLY, -10.0, 1.0, 2.0, 3.0) == (math.inf, 9.0), "now there is room"


def test_the_least_overlap_of_two_margins_is_one() -> None:
    assert allowed_w(NO_EXCHANGE, -10.0, 1.0, 1.95, 3.0)[1] == pytest.approx(12.05)
