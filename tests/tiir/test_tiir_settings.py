"""Every setting's description, its bounds, and the rules between settings."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir import catalogue, profile
from tiir.profile import ProfileRefusedError
from tiir.rules import check_rules
from tiir.setting import Der, Setting, SettingRefusedError
from tiir.values import Ref, Value, Values

SETTINGS = catalogue.settings()
CAT_III = Der(normal="B", abnormal="III", rated_va=20e3)
CAT_I = Der(normal="A", abnormal="I", rated_va=20e3)
STORAGE = Der(normal="B", abnormal="III", bidirectional=True)

# Typed in by hand: label, DER, least and greatest value allowed with the defaults of Category B around it.
RANGES = [
    ("QV_CURVE_V1", CAT_III, 0.82, 0.96),
    ("QV_CURVE_V2", CAT_III, 0.97, 1.0),
    ("QV_CURVE_V3", CAT_III, 1.0, 1.03),
    ("QV_CURVE_V4", CAT_III, 1.04, 1.18),
    ("QV_OLRT", CAT_III, 1, 90),
    ("QV_VREF", CAT_III, 0.95, 1.05),
    ("PV_CURVE_V1", CAT_III, 1.05, 1.09),
    ("PV_CURVE_V2", CAT_III, 1.07, 1.10),
    ("PV_CURVE_P2", CAT_III, 0.0, 1.0),
    ("PV_CURVE_P2", STORAGE, -1.0, 1.0),
    ("PV_OLRT", CAT_III, 0.5, 60),
    ("OV2_TRIP_V", CAT_III, 1.2, 1.2),
    ("OV1_TRIP_T", CAT_III, 1, 13),
    ("UV1_TRIP_T", CAT_I, 2, 21),
    ("UV1_TRIP_T", CAT_III, 21, 50),
    ("UV2_TRIP_T", CAT_I, 0.16, 2),
    ("UV2_TRIP_T", CAT_III, 2, 21),
    ("OF1_TRIP_F", CAT_III, 61.0, 66.0),
    ("UF2_TRIP_F", CAT_III, 50.0, 57.0),
    ("PF_KOF", CAT_I, 0.03, 0.05),
    ("PF_KOF", CAT_III, 0.02, 0.05),
    ("PF_OLRT", CAT_III, 0.2, 10),
    ("ES_V_LOW", CAT_III, 0.88, 0.95),
    ("ES_V_HIGH", CAT_III, 1.05, 1.06),
    ("ES_F_LOW", CAT_III, 59.0, 59.9),
    ("ES_F_HIGH", CAT_III, 60.1, 61.0),
    ("ES_DELAY", CAT_III, 0, 600),
    ("ES_RAMP_RATE", CAT_III, 1, 1000),
]


def around(der: Der) -> dict[str, Value]:
    """The Category B values of Attachment 9 and the DER's own facts."""
    inverter = profile.shipped("irec-2023-inverter")
    return profile.required(inverter, inverter.der(rated_va=20e3)) | der.facts


@pytest.mark.parametrize(("label", "der", "low", "high"), RANGES)
def test_range_holds_to_the_last_thousandth(label: str, der: Der, low: float, high: float) -> None:
    setting, known = SETTINGS[label], around(der)
    for allowed in (low, (low + high) / 2, high):
        setting.check(float(allowed), der, known)
    for outside in (low - 0.001, high + 0.001):
        with pytest.raises(
            SettingRefusedError, match=rf"{label}.*(outside|must be) .*{setting.clause.split()[0]}"
        ):
            setting.check(outside, der, known)


def test_refusal_says_value_range_unit_and_clause() -> None:
    with pytest.raises(SettingRefusedError) as refused:
        SETTINGS["ES_V_LOW"].check(0.8, CAT_III, {})
    assert str(refused.value) == ("ES_V_LOW = 0.8 is outside 0.88 to 0.95 pu of V_N (IEEE 1547-2018 4.10.2)")


def test_a_setting_with_one_value_says_which() -> None:
    with pytest.raises(
        SettingRefusedError, match=r"OV2_TRIP_V = 1\.21 must be 1\.2 pu of V_N \(IEEE 1547-2018 6\.4"
    ):
        SETTINGS["OV2_TRIP_V"].check(1.21, CAT_III, {})
    SETTINGS["OV2_TRIP_V"].check(1.2, CAT_III, {})


def test_all_91_are_described_and_what_they_refer_to_exists() -> None:
    assert len(SETTINGS) == 91
    known = {*SETTINGS, "NP_P_MIN_PU", "NP_P_MIN_CHARGE_PU"}
    for setting in SETTINGS.values():
        refs = [b for bounds in setting.range.values() for b in bounds if isinstance(b, Ref)]
        refs += [d for d in setting.default.values() if isinstance(d, Ref)]
        assert {r.of for r in refs} | {r.over for r in refs if r.over} <= known


@pytest.mark.parametrize("der", [CAT_I, CAT_III, STORAGE], ids=["I", "III", "storage"])
def test_defaults_lie_in_their_ranges(der: Der) -> None:
    known: dict[str, Value] = dict(der.facts)
    for setting in SETTINGS.values():
        default = setting.default_for(der, known)
        if default is not None:
            known[setting.label] = default
    assert len(known) > 60
    for label in known.keys() & SETTINGS.keys():
        SETTINGS[label].check(known[label], der, known)


@given(
    value=st.floats(-2, 3),
    der=st.sampled_from([CAT_I, CAT_III, STORAGE]),
    setting=st.sampled_from([*SETTINGS.values()]),
)
def test_check_agrees_with_the_bounds_it_names(value: float, der: Der, setting: Setting) -> None:
    known = around(der)
    bounds = setting.range_for(der, known)
    if setting.unit in {"switch", "word"} or bounds is None or value == setting.off:
        return
    low, high = (
        (-math.inf if bounds[0] is None else bounds[0]),
        (math.inf if bounds[1] is None else bounds[1]),
    )
    if low <= value <= high:
        setting.check(value, der, known)
    elif value < low - 1e-6 or value > high + 1e-6:
        with pytest.raises(SettingRefusedError):
            setting.check(value, der, known)


@pytest.mark.parametrize(
    ("label", "value", "told"),
    [
        ("QV_MODE_ENABLE", 1.0, "true or false"),
        ("QV_OLRT", True, "a number in s"),
        ("QV_OLRT", "fast", "a number in s"),
        ("NP_NORMAL_OP_CAT", "C", "one of A, B"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(label: str, value: Value, told: str) -> None:
    with pytest.raises(SettingRefusedError, match=told):
        SETTINGS[label].check(value, CAT_III, {})


def test_zero_switches_ramp_and_random_delay_off() -> None:
    for label in ("ES_RAMP_RATE", "ES_RANDOMIZED_DELAY"):
        SETTINGS[label].check(0.0, CAT_III, {})
        with pytest.raises(SettingRefusedError, match="or 0 for off"):
            SETTINGS[label].check(0.5, CAT_III, {})


@pytest.mark.parametrize(
    ("values", "der", "told"),
    [
        ({"QV_MODE_ENABLE": True, "CONST_Q_MODE_ENABLE": True}, CAT_III, "exclude each other"),
        ({"ES_RANDOMIZED_DELAY": 300.0, "ES_RAMP_RATE": 300.0}, CAT_III, "never both"),
        ({"ES_RANDOMIZED_DELAY": 300.0}, Der(normal="B", abnormal="III", rated_va=500e3), "below 500 kVA"),
        ({"ES_RANDOMIZED_DELAY": 300.0}, STORAGE, "not known"),
        ({"QV_CURVE_V1": 0.92}, CAT_III, "volt_var curve is incomplete"),
    ],
)
def test_rules_between_settings(values: Values, der: Der, told: str) -> None:
    broken = check_rules(SETTINGS, values, der)
    assert len(broken) == 1
    assert told in broken[0]


def test_what_breaks_no_rule_passes() -> None:
    assert check_rules(SETTINGS, {"QV_MODE_ENABLE": True, "CONST_Q_MODE_ENABLE": False}, CAT_III) == []
    assert check_rules(SETTINGS, {"ES_RANDOMIZED_DELAY": 300.0, "ES_RAMP_RATE": 0.0}, CAT_III) == []


HEAD = """name = "x"
title = "X"
source = "Y"
normal_category = "B"
abnormal_category = "III"
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + "[settings.volt_var]\nQV_OLRTT = 5", "did you mean QV_OLRT"),
        (
            HEAD + "[settings.volt_var]\nQV_OLRT = 0.5",
            r"settings.volt_var.QV_OLRT: .* outside 1 to 90 s .*5\.3\.3",
        ),
        (HEAD + "[settings.volt_var]\nQV_OLRT = 5\nQV_OLRT = 6", "not valid TOML"),
        (HEAD + "[settings.volt_watt]\nQV_OLRT = 5", r"belongs to \[settings.volt_var\]"),
        (HEAD + "extra = 1\n[settings]", "extra"),
        (HEAD.replace('"III"', '"IV"') + "[settings]", "abnormal_category"),
        (HEAD + '[settings.volt_var]\nQV_OLRT = "5"', "a number in s"),
        (HEAD + "[settings.volt_var]\nQV_OLRT = inf", "QV_OLRT"),
        (HEAD + '[settings.volt_var]\nQV_CURVE_V2 = { of = "QV_VREF", add = -0.02 }', "cannot be worked out"),
        (HEAD + '[settings.volt_var]\nQV_OLRT = { off = "QV_VREF" }', "QV_OLRT"),
        (
            HEAD
            + "[settings.volt_var]\nQV_MODE_ENABLE = true\n[settings.const_q]\nCONST_Q_MODE_ENABLE = true",
            "exclude",
        ),
    ],
)
def test_a_profile_that_cannot_stand_is_refused(text: str, told: str) -> None:
    with pytest.raises(ProfileRefusedError, match=told):
        profile.parse(text)
    assert profile.parse(HEAD + "[settings.volt_var]\nQV_OLRT = 5").name == "x"


def test_a_profile_may_draw_the_line_for_random_delay_lower() -> None:
    alternative = '{ value = 100, instead_of = "ES_RAMP_RATE", below_va = 50e3 }'
    text = f"{HEAD}[settings.enter_service]\nES_RAMP_RATE = 300\nES_RANDOMIZED_DELAY = {alternative}"
    own, chosen = profile.parse(text), frozenset({"ES_RANDOMIZED_DELAY"})
    assert profile.required(own, own.der(rated_va=49e3), chosen)["ES_RANDOMIZED_DELAY"] == 100.0
    with pytest.raises(ProfileRefusedError, match="only below 50 kVA; this DER's nameplate is 50 kVA"):
        profile.required(own, own.der(rated_va=50e3), chosen)
