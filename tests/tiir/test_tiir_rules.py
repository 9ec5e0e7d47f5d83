"""Rules between settings, just kept and just broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir import catalogue
from tiir.complete import SettingsRefusedError, complete
from tiir.order import ORDERS, Order, check_orders
from tiir.rules import REACTIVE_MODES, check_rules
from tiir.setting import Der
from tiir.values import Value, Values

SETTINGS = catalogue.settings()
PV = Der(normal="B", abnormal="III", rated_va=10e3)
STORAGE = Der(normal="B", abnormal="III", rated_va=10e3, bidirectional=True)

# Typed in by hand: the lower, the higher, whether they may be equal, the clause.
ORDERED = {
    ("QV_CURVE_V1", "QV_CURVE_V2", False, "5.3.3"),
    ("QV_CURVE_V2", "QV_CURVE_V3", True, "5.3.3"),
    ("QV_CURVE_V3", "QV_CURVE_V4", False, "5.3.3"),
    ("QP_CURVE_P1_GEN", "QP_CURVE_P2_GEN", False, "5.3.4"),
    ("QP_CURVE_P2_GEN", "QP_CURVE_P3_GEN", False, "5.3.4"),
    ("QP_CURVE_P3_LOAD", "QP_CURVE_P2_LOAD", False, "5.3.4"),
    ("QP_CURVE_P2_LOAD", "QP_CURVE_P1_LOAD", False, "5.3.4"),
    ("QP_CURVE_P1_LOAD", "QP_CURVE_P1_GEN", True, "5.3.4"),
    ("PV_CURVE_V1", "PV_CURVE_V2", False, "5.4.2"),
    ("PV_CURVE_P2", "PV_CURVE_P1", True, "5.4.2"),
    ("UV2_TRIP_V", "UV1_TRIP_V", True, "6.4.1"),
    ("UV1_TRIP_V", "OV1_TRIP_V", False, "6.4.1"),
    ("OV1_TRIP_V", "OV2_TRIP_V", True, "6.4.1"),
    ("UV2_TRIP_T", "UV1_TRIP_T", True, "6.4.1"),
    ("OV2_TRIP_T", "OV1_TRIP_T", True, "6.4.1"),
    ("UF2_TRIP_F", "UF1_TRIP_F", True, "6.5.1"),
    ("UF1_TRIP_F", "OF1_TRIP_F", False, "6.5.1"),
    ("OF1_TRIP_F", "OF2_TRIP_F", True, "6.5.1"),
    ("UF2_TRIP_T", "UF1_TRIP_T", True, "6.5.1"),
    ("OF2_TRIP_T", "OF1_TRIP_T", True, "6.5.1"),
    ("ES_V_LOW", "ES_V_HIGH", False, "4.10.2"),
    ("ES_F_LOW", "ES_F_HIGH", False, "4.10.2"),
    ("UV1_TRIP_V", "ES_V_LOW", True, "4.10.2"),
    ("ES_V_HIGH", "OV1_TRIP_V", True, "4.10.2"),
    ("UF1_TRIP_F", "ES_F_LOW", True, "4.10.2"),
    ("ES_F_HIGH", "OF1_TRIP_F", True, "4.10.2"),
    ("MC_LVRT_V1", "MC_HVRT_V1", False, "6.4.2"),
    ("MC_HVRT_V1", "OV2_TRIP_V", True, "6.4.2"),
}


def test_every_order_of_the_table_and_no_other() -> None:
    assert {(o.less, o.more, o.may_equal, o.clause.split()[0].rstrip(",")) for o in ORDERS} == ORDERED
    assert {label for order in ORDERS for label in (order.less, order.more)} <= SETTINGS.keys()


@pytest.mark.parametrize("order", ORDERS, ids=lambda o: f"{o.less}-{o.more}")
@pytest.mark.parametrize("middle", [-0.5, 0.9, 60.0])
def test_an_order_turns_at_equality(order: Order, middle: float) -> None:
    for offset in (1e-6, 1e-3, 1.0):
        assert check_orders({order.less: middle - offset, order.more: middle}) == []
        (told,) = check_orders({order.less: middle + offset, order.more: middle})
        assert order.less in told
        assert order.more in told
        assert f"(IEEE 1547-2018 {order.clause})" in told
    assert (check_orders({order.less: middle, order.more: middle}) == []) is order.may_equal


@pytest.mark.parametrize("order", ORDERS, ids=lambda o: f"{o.less}-{o.more}")
def test_an_order_needs_both(order: Order) -> None:
    assert check_orders({order.less: 1e6}) == []
    assert check_orders({order.more: -1e6}) == []


def test_binary_fractions_break_no_order() -> None:
    assert check_orders({"QV_CURVE_V2": 1.02 - 0.02, "QV_CURVE_V3": 1.0}) == []
    assert check_orders({"QV_CURVE_V2": 0.1 + 0.2, "QV_CURVE_V3": 0.3}) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"UV2_TRIP_T": 21.0, "UV1_TRIP_T": 21.0}, None),
        ({"UV2_TRIP_V": 0.5, "UV1_TRIP_V": 0.5}, None),
        ({"UV2_TRIP_V": 0.5, "UV1_TRIP_V": 0.49}, "UV2_TRIP_V = 0.5 must not exceed UV1_TRIP_V = 0.49"),
        ({"OF1_TRIP_F": 62.0}, None),
        ({"OF1_TRIP_F": 62.1}, "OF1_TRIP_F = 62.1 must not exceed OF2_TRIP_F = 62"),
        ({"OF2_TRIP_T": 300.0}, None),
        ({"OF2_TRIP_T": 300.1}, "OF2_TRIP_T = 300.1 must not exceed OF1_TRIP_T = 300"),
        ({"UF2_TRIP_F": 57.0, "UF1_TRIP_F": 57.0}, None),
        ({"UF2_TRIP_F": 57.0, "UF1_TRIP_F": 56.9}, "UF2_TRIP_F = 57 must not exceed UF1_TRIP_F = 56.9"),
        ({"UF2_TRIP_T": 300.1}, "UF2_TRIP_T = 300.1 must not exceed UF1_TRIP_T = 300"),
    ],
)
def test_trips_inside_their_ranges_still_have_to_be_in_order(given: Values, told: str | None) -> None:
    if told is None:
        complete(given, PV)
    else:
        with pytest.raises(SettingsRefusedError) as refused:
            complete(given, PV)
        assert len(refused.value.problems) == 1
        assert refused.value.problems[0].startswith(told)


@given(st.sets(st.sampled_from(REACTIVE_MODES)))
def test_at_most_one_reactive_mode(enabled: set[str]) -> None:
    broken = check_rules(SETTINGS, {mode: mode in enabled for mode in REACTIVE_MODES}, PV)
    assert bool(broken) is (len(enabled) > 1)
    assert all(mode in broken[0] for mode in enabled if broken)


@pytest.mark.parametrize(
    ("rated_va", "stands"), [(1.0, True), (499_999.9, True), (500e3, False), (2e6, False), (None, False)]
)
def test_random_delay_below_500_kva(rated_va: float | None, stands: bool) -> None:
    der = Der(normal="B", abnormal="III", rated_va=rated_va)
    broken = check_rules(SETTINGS, {"ES_RANDOMIZED_DELAY": 1.0}, der)
    assert (broken == []) is stands
    assert check_rules(SETTINGS, {"ES_RANDOMIZED_DELAY": 0.0, "ES_RAMP_RATE": 300.0}, der) == []
    assert all("4.10.3" in sentence for sentence in broken)
    if rated_va == 500e3:
        assert "nameplate is 500 kVA" in broken[0]


@pytest.mark.parametrize(
    ("der", "p2", "stands"),
    [
        (PV, 0.0, True),
        (PV, -0.001, False),
        (STORAGE, -1.0, True),
        (STORAGE, -1.001, False),
        (PV.model_copy(update={"p_min_pu": 0.1}), 0.1, True),
        (PV.model_copy(update={"p_min_pu": 0.1}), 0.099, False),
        (PV.model_copy(update={"p_min_pu": 0.5}), 0.2, True),
        (PV.model_copy(update={"p_min_pu": 0.5}), 0.199, False),
        (STORAGE.model_copy(update={"p_min_pu": 0.5}), -0.5, True),
    ],
)
def test_volt_watt_p2_by_kind_of_der(der: Der, p2: float, stands: bool) -> None:
    if stands:
        assert complete({"PV_CURVE_P2": p2}, der)["PV_CURVE_P2"] == p2
    else:
        with pytest.raises(SettingsRefusedError, match=r"PV_CURVE_P2 = .* is outside"):
            complete({"PV_CURVE_P2": p2}, der)


LOAD = ("QP_CURVE_P1_LOAD", "QP_CURVE_P2_LOAD", "QP_CURVE_P3_LOAD")


def test_an_absorbing_side_is_wholly_zero_or_in_order() -> None:
    none: dict[str, Value] = dict.fromkeys(LOAD, 0.0)
    assert complete(none, PV)["QP_CURVE_P2_LOAD"] == 0.0
    for label in LOAD[1:]:
        with pytest.raises(SettingsRefusedError, match="must be below"):
            complete({label: 0.0}, PV)


@pytest.mark.parametrize("function", ["volt_var", "watt_var", "volt_watt"])
def test_a_curve_is_required_whole(function: str) -> None:
    points = [s.label for s in SETTINGS.values() if s.function == function and "_CURVE_" in s.label]
    whole = {label: complete({}, PV)[label] for label in points}
    assert check_rules(SETTINGS, whole, PV) == []
    for label in points:
        (told,) = check_rules(SETTINGS, {k: v for k, v in whole.items() if k != label}, PV)
        assert told.startswith(f"the {function} curve is incomplete: {label} missing (IEEE 1547-2018 5.")


def test_several_broken_rules_are_all_told() -> None:
    given: dict[str, Value] = {
        "QV_MODE_ENABLE": True,
        "QP_MODE_ENABLE": True,
        "ES_RANDOMIZED_DELAY": 5.0,
        "ES_RAMP_RATE": 5.0,
        "OF2_TRIP_T": 500.0,
    }
    with pytest.raises(SettingsRefusedError) as refused:
        complete(given, PV)
    assert len(refused.value.problems) == 3
