"""The shipped profiles against Attachment 9 of the IREC 2023 model procedures, typed in here by hand."""

from __future__ import annotations

import pytest

from tiir import catalogue, profile
from tiir.profile import ProfileRefusedError
from tiir.values import Value

COMMON: dict[str, Value] = {
    "OF2_TRIP_F": 62.0,
    "OF2_TRIP_T": 0.16,
    "OF1_TRIP_F": 61.2,
    "OF1_TRIP_T": 300.0,
    "UF1_TRIP_F": 58.5,
    "UF1_TRIP_T": 300.0,
    "UF2_TRIP_F": 56.5,
    "UF2_TRIP_T": 0.16,
    "PF_DBOF": 0.036,
    "PF_DBUF": 0.036,
    "PF_KOF": 0.05,
    "PF_KUF": 0.05,
    "PF_OLRT": 5.0,
    "CONST_PF_MODE_ENABLE": False,
    "QV_MODE_ENABLE": True,
    "QP_MODE_ENABLE": False,
    "CONST_Q_MODE_ENABLE": False,
    "QV_VREF_AUTO_MODE": False,
    "QV_VREF": 1.0,
    "QV_CURVE_Q2": 0.0,
    "QV_CURVE_Q3": 0.0,
    "ES_V_LOW": 0.917,
    "ES_V_HIGH": 1.05,
    "ES_F_LOW": 59.5,
    "ES_F_HIGH": 60.1,
    "ES_DELAY": 300.0,
    "ES_RAMP_RATE": 300.0,
    "ES_RANDOMIZED_DELAY": 0.0,
}

INVERTER: dict[str, Value] = COMMON | {
    "NP_NORMAL_OP_CAT": "B",
    "NP_ABNORMAL_OP_CAT": "III",
    "OV2_TRIP_V": 1.20,
    "OV2_TRIP_T": 0.16,
    "OV1_TRIP_V": 1.10,
    "OV1_TRIP_T": 13.0,
    "UV1_TRIP_V": 0.88,
    "UV1_TRIP_T": 21.0,
    "UV2_TRIP_V": 0.50,
    "UV2_TRIP_T": 2.0,
    "QV_CURVE_V1": 0.92,
    "QV_CURVE_V2": 0.98,
    "QV_CURVE_V3": 1.02,
    "QV_CURVE_V4": 1.08,
    "QV_CURVE_Q1": 0.44,
    "QV_CURVE_Q4": -0.44,
    "QV_OLRT": 5.0,
    "PV_MODE_ENABLE": True,
    "PV_CURVE_V1": 1.06,
    "PV_CURVE_P1": 1.0,
    "PV_CURVE_V2": 1.10,
    "PV_CURVE_P2": 0.0,
    "PV_OLRT": 10.0,
}

ROTATING: dict[str, Value] = COMMON | {
    "NP_NORMAL_OP_CAT": "A",
    "NP_ABNORMAL_OP_CAT": "I",
    "OV2_TRIP_V": 1.20,
    "OV2_TRIP_T": 0.16,
    "OV1_TRIP_V": 1.10,
    "OV1_TRIP_T": 2.0,
    "UV1_TRIP_V": 0.70,
    "UV1_TRIP_T": 2.0,
    "UV2_TRIP_V": 0.45,
    "UV2_TRIP_T": 0.16,
    "QV_CURVE_V1": 0.9,
    "QV_CURVE_V2": 1.0,
    "QV_CURVE_V3": 1.0,
    "QV_CURVE_V4": 1.1,
    "QV_CURVE_Q1": 0.25,
    "QV_CURVE_Q4": -0.25,
    "QV_OLRT": 10.0,
}

TABLES = [("irec-2023-inverter", INVERTER), ("irec-2023-rotating", ROTATING)]


@pytest.mark.parametrize(("name", "table"), TABLES)
def test_every_row_and_no_other(name: str, table: dict[str, Value]) -> None:
    loaded = profile.shipped(name)
    required = profile.required(loaded, loaded.der(rated_va=20e3))
    assert required == pytest.approx(table, abs=1e-12)
    assert {label: type(value) for label, value in required.items()} == {k: type(v) for k, v in table.items()}


def test_both_profiles_ship_and_are_told_by_name() -> None:
    assert catalogue.profile_names() == ("irec-2023-inverter", "irec-2023-rotating")
    with pytest.raises(ProfileRefusedError, match="irec-2023-inverter, irec-2023-rotating"):
        profile.shipped("irec-2032")


@pytest.mark.parametrize(
    ("bidirectional", "p_min_pu", "p2"),
    [(False, 0.0, 0.0), (False, 0.1, 0.1), (False, 0.2, 0.2), (False, 0.35, 0.2), (True, 0.1, 0.0)],
)
def test_volt_watt_p2_is_the_lesser_of_a_fifth_and_pmin_or_zero_when_bidirectional(
    bidirectional: bool, p_min_pu: float, p2: float
) -> None:
    inverter = profile.shipped("irec-2023-inverter")
    der = inverter.der(bidirectional=bidirectional, p_min_pu=p_min_pu)
    assert profile.required(inverter, der)["PV_CURVE_P2"] == pytest.approx(p2)


RANDOM = frozenset({"ES_RANDOMIZED_DELAY"})


def test_random_delay_stands_in_for_the_ramp_below_500_kva() -> None:
    inverter = profile.shipped("irec-2023-inverter")
    required = profile.required(inverter, inverter.der(rated_va=499_999.0), RANDOM)
    assert (required["ES_RANDOMIZED_DELAY"], required["ES_RAMP_RATE"]) == (300.0, 0.0)


@pytest.mark.parametrize("rated_va", [500e3, 2e6, None])
def test_random_delay_is_not_open_to_a_der_of_500_kva_or_of_unknown_rating(rated_va: float | None) -> None:
    inverter = profile.shipped("irec-2023-inverter")
    with pytest.raises(ProfileRefusedError, match="below 500 kVA"):
        profile.required(inverter, inverter.der(rated_va=rated_va), RANDOM)


def test_only_what_the_profile_offers_can_be_chosen() -> None:
    inverter = profile.shipped("irec-2023-inverter")
    with pytest.raises(ProfileRefusedError, match="QV_OLRT is not an alternative"):
        profile.required(inverter, inverter.der(rated_va=1e3), frozenset({"QV_OLRT"}))
