"""Settings to SunSpec points and back, on decoded models with the scale factors that devices use."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiir import catalogue, profile
from tiir.compare import Verdict, compare, verified
from tiir.setting import Der
from tiir.sunspec_map import Model, tolerances
from tiir.sunspec_plan import CurveWrite, PlainWrite, SettingsPlan, Step, plan_settings
from tiir.sunspec_read import read_settings
from tiir.values import Value, Values

INVERTER = profile.shipped("irec-2023-inverter")
REQUIRED = profile.required(INVERTER, INVERTER.der(rated_va=20e3))
CURVE_POINTS = {705: ("Var", 4), 706: ("W", 2)}


def model(number: int, points: dict[str, Any], groups: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"id": number, "address": 0, "length": 0, "points": points, "groups": groups or {}}


def curve_model(
    number: int, v_sf: int = -2, dept_sf: int = -2, tms_sf: int = -1, act_pt: int = 0
) -> dict[str, Any]:
    """A 705 or 706 with two sets, none of whose points holds anything yet."""
    ordinate, count = CURVE_POINTS[number]
    own = {"VRef": 100.0, "VRefAutoEna": 1, "VRefAutoTms": 300, "Pri": 1} if number == 705 else {}
    curve = {
        "points": {"ActPt": act_pt, "DeptRef": 0, "RspTms": 1.0, "ReadOnly": 1, **own},
        "groups": {"Pt": [{"points": {"V": 0.0, ordinate: 0.0}, "groups": {}} for _ in range(count)]},
    }
    points = {"Ena": 0, "V_SF": v_sf, "DeptRef_SF": dept_sf, "RspTms_SF": tms_sf}
    return model(number, points, {"Crv": [curve, deepcopy(curve)]})


def der_703(v_sf: int = -2, hz_sf: int = -2) -> dict[str, Any]:
    names = ("ESVHi", "ESVLo", "ESHzHi", "ESHzLo", "ESDlyTms", "ESRndTms", "ESRmpTms")
    return model(703, {"ES": 1, **dict.fromkeys(names, 7), "V_SF": v_sf, "Hz_SF": hz_sf})


def der_702(**points: Any) -> dict[str, Any]:
    return model(
        702, {"NorOpCatRtg": 1, "AbnOpCatRtg": 2, "WMax": 20e3, "VAMax": 25e3, "VarMaxInj": 11e3, **points}
    )


def inverter_one(**scale: int) -> list[dict[str, Any]]:
    return [
        der_702(),
        der_703(),
        model(704, {"PFWInjEna": 0, "VarSetEna": 0}),
        curve_model(705, **scale),
        curve_model(706, **scale),
    ]


INVERTER_TWO = [model(n, {}) for n in (1, 103, 120, 121, 123)]


def write(models: list[dict[str, Any]], steps: Sequence[Step]) -> None:
    """What a device does with the steps of a plan, registers and scale factors apart."""
    held = {m["id"]: m for m in models}
    for step in steps:
        if isinstance(step, PlainWrite):
            held[step.model]["points"].update(step.values)
            continue
        ordinate = CURVE_POINTS[step.model][0]
        in_force = held[step.model]["groups"]["Crv"][0]
        in_force["points"] |= {"ActPt": len(step.points), **step.settings}
        for place, (v_pct, amount) in zip(in_force["groups"]["Pt"], step.points, strict=True):
            place["points"] = {"V": v_pct, ordinate: amount}
        if step.enable:
            held[step.model]["points"]["Ena"] = 1


def findings(required: Values, models: Sequence[Model]) -> dict[str, Verdict]:
    compared = compare(required, read_settings(models, required), tolerances(models, required))
    return {finding.setting: finding.verdict for finding in compared}


def test_plan_for_inverter_one_in_points() -> None:
    plan = plan_settings(REQUIRED, inverter_one())
    volt_var, volt_watt, enter_service = plan.steps
    assert volt_var == CurveWrite(
        705,
        ((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)),
        {"DeptRef": 3, "Pri": 1, "VRef": 100.0, "VRefAutoEna": 0, "VRefAutoTms": 300, "RspTms": 5.0},
        enable=True,
    )
    assert volt_watt == CurveWrite(
        706, ((106.0, 100.0), (110.0, 0.0)), {"DeptRef": 0, "RspTms": 10.0}, enable=True
    )
    assert enter_service == PlainWrite(
        703,
        {
            "ESVLo": 91.7,
            "ESVHi": 105.0,
            "ESHzLo": 59.5,
            "ESHzHi": 60.1,
            "ESDlyTms": 300,
            "ESRmpTms": 300,
            "ESRndTms": 0,
        },
    )


def test_permit_service_is_never_touched() -> None:
    assert "ES" not in [
        name
        for step in plan_settings(REQUIRED, inverter_one()).steps
        if isinstance(step, PlainWrite)
        for name in step.values
    ]


def test_applied_then_read_back_matches() -> None:
    models = inverter_one()
    before = findings(REQUIRED, models)
    assert before["QV_CURVE_V1"] == Verdict.DIFFERS
    assert before["ES_V_LOW"] == Verdict.DIFFERS
    write(models, plan_settings(REQUIRED, models).steps)
    after = findings(REQUIRED, models)
    offered = {label for label, verdict in after.items() if verdict == Verdict.MATCH}
    assert offered == {
        label for label in REQUIRED if label.startswith(("QV_", "PV_", "ES_", "NP_", "CONST_"))
    }
    assert {after[label] for label in REQUIRED.keys() - offered} == {Verdict.NOT_SUPPORTED}
    assert plan_settings(REQUIRED, models, changes=()).steps == ()


def test_a_configured_rating_is_written_where_it_is_a_setting() -> None:
    asked: Values = {"CFG_P_MAX": 15_000.0, "NP_P_MAX": 15_000.0}
    models = [model for model in inverter_one() if model["id"] != 702]
    models.append({"id": 702, "points": {"WMax": 20_000, "WMaxRtg": 20_000, "W_SF": 0}, "groups": {}})
    plan = plan_settings(asked, models)
    assert plan.steps == (PlainWrite(702, {"WMax": 15_000.0}),)
    assert plan.refused == {"NP_P_MAX": "is a rating of the device and cannot be set"}
    assert findings(asked, models)["CFG_P_MAX"] == Verdict.DIFFERS


def test_only_what_differs_is_written() -> None:
    models = inverter_one()
    (slower,) = plan_settings(REQUIRED, models, changes=["PV_OLRT"]).steps
    assert isinstance(slower, CurveWrite)
    assert (slower.model, len(slower.points)) == (706, 2)
    (delay,) = plan_settings(REQUIRED, models, changes=["ES_DELAY"]).steps
    assert delay == PlainWrite(703, {"ESDlyTms": 300})


def test_switching_a_function_on_puts_its_whole_curve_in_force() -> None:
    (step,) = plan_settings(REQUIRED, inverter_one(), changes=["QV_MODE_ENABLE"]).steps
    assert isinstance(step, CurveWrite)
    assert (step.model, len(step.points), step.enable) == (705, 4, True)
    (alone,) = plan_settings({"QV_MODE_ENABLE": True}, inverter_one()).steps
    assert alone == PlainWrite(705, {"Ena": 1})


def test_switching_a_function_off_leaves_its_curve() -> None:
    off: dict[str, Value] = {**REQUIRED, "PV_MODE_ENABLE": False}
    assert plan_settings(off, inverter_one(), changes=["PV_MODE_ENABLE"]).steps == (
        PlainWrite(706, {"Ena": 0}),
    )


def test_a_function_required_off_is_adopted_and_switched_off() -> None:
    off: dict[str, Value] = {**REQUIRED, "QV_MODE_ENABLE": False}
    curve, switch, *_ = plan_settings(off, inverter_one()).steps
    assert isinstance(curve, CurveWrite)
    assert curve.enable is False
    assert switch == PlainWrite(705, {"Ena": 0})


def test_a_response_time_alone_keeps_the_curve_in_force() -> None:
    models = inverter_one()
    write(models, plan_settings(REQUIRED, models).steps)
    (step,) = plan_settings({"QV_OLRT": 7.0}, models).steps
    assert isinstance(step, CurveWrite)
    assert step.points == ((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0))
    assert (step.settings["RspTms"], step.settings["DeptRef"]) == (7.0, 3)
    assert step.enable is False


def test_inverter_two_says_setting_by_setting_what_cannot_be_set() -> None:
    plan = plan_settings(REQUIRED, INVERTER_TWO)
    assert plan.steps == ()
    assert plan.refused.keys() == REQUIRED.keys()
    why = "cannot be set on this device, because it has no model"
    assert plan.refused["QV_CURVE_V1"] == f"{why} 705, nor the older 126"
    assert plan.refused["PV_OLRT"] == f"{why} 706, nor the older 132"
    assert plan.refused["ES_V_LOW"] == f"{why} 703"
    assert plan.refused["CONST_PF_MODE_ENABLE"] == (
        f"{why} 704, and its older model 123 is not used for this setting"
    )
    compared = compare(REQUIRED, read_settings(INVERTER_TWO, REQUIRED))
    assert {finding.verdict for finding in compared} == {Verdict.NOT_SUPPORTED}
    assert verified(compared) is None


def test_points_that_a_device_does_not_implement() -> None:
    models = inverter_one()
    models[1]["points"]["ESRndTms"] = None
    models[2]["points"] = {}
    models[3]["groups"]["Crv"][0]["points"]["VRefAutoEna"] = None
    plan = plan_settings(REQUIRED, models)
    why = "cannot be set on this device, because its model"
    assert plan.refused["ES_RANDOMIZED_DELAY"] == f"{why} 703 does not implement ESRndTms"
    assert plan.refused["CONST_PF_MODE_ENABLE"] == f"{why} 704 does not implement PFWInjEna"
    assert plan.refused["QV_VREF_AUTO_MODE"] == f"{why} 705 does not implement VRefAutoEna"
    curve = plan.steps[0]
    assert isinstance(curve, CurveWrite)
    assert "VRefAutoEna" not in curve.settings
    assert findings(REQUIRED, models)["QV_VREF_AUTO_MODE"] == Verdict.NOT_SUPPORTED


def test_ratings_and_the_limiter_s_model_are_not_written() -> None:
    plan = plan_settings(REQUIRED, inverter_one())
    assert plan.refused["NP_NORMAL_OP_CAT"] == "is a rating of the device and cannot be set"
    assert "set it on the device itself" in plan.refused["CONST_PF_MODE_ENABLE"]
    assert {step.model for step in plan.steps} == {703, 705, 706}


@pytest.mark.parametrize(
    ("v_sf", "v1", "verdict"), [(-1, 91.7, Verdict.MATCH), (0, 92, Verdict.MATCH), (1, 90, Verdict.DIFFERS)]
)
def test_coarse_registers_round_to_the_nearest_and_too_coarse_ones_differ(
    v_sf: int, v1: float, verdict: Verdict
) -> None:
    models: list[dict[str, Any]] = [der_703(v_sf=v_sf)]
    required: dict[str, Value] = {"ES_V_LOW": 0.917}
    plan = plan_settings(required, models)
    assert plan.steps == (PlainWrite(703, {"ESVLo": v1}),)
    write(models, plan.steps)
    assert findings(required, models)["ES_V_LOW"] == verdict


def test_one_register_step_beside_is_a_difference() -> None:
    models = inverter_one(v_sf=-2, dept_sf=-2)
    write(models, plan_settings(REQUIRED, models).steps)
    models[3]["groups"]["Crv"][0]["groups"]["Pt"][0]["points"]["V"] = 92.01
    models[1]["points"]["ESDlyTms"] = 301
    after = findings(REQUIRED, models)
    assert (after["QV_CURVE_V1"], after["ES_DELAY"]) == (Verdict.DIFFERS, Verdict.DIFFERS)
    assert after["QV_CURVE_V2"] == Verdict.MATCH


@pytest.mark.parametrize("code", [1, 0])
def test_a_curve_in_percent_of_another_rating_is_converted(code: int) -> None:
    models = inverter_one()
    write(models, plan_settings(REQUIRED, models).steps)
    of = {1: 11e3, 0: 20e3}[code]
    curve = models[3]["groups"]["Crv"][0]
    curve["points"]["DeptRef"] = code
    for place, amount in zip(curve["groups"]["Pt"], (0.44, 0.0, 0.0, -0.44), strict=True):
        place["points"]["Var"] = amount * 25e3 / of * 100
    assert findings(REQUIRED, models)["QV_CURVE_Q4"] == Verdict.MATCH
    assert read_settings(models, ["QV_CURVE_Q1"])["QV_CURVE_Q1"].value == pytest.approx(0.44)


def test_a_percentage_of_what_varies_cannot_be_told() -> None:
    models = inverter_one(act_pt=4)
    models[3]["groups"]["Crv"][0]["points"]["DeptRef"] = 2
    found = read_settings(models, ["QV_CURVE_Q1"])["QV_CURVE_Q1"]
    assert (found.value, found.verdict) == (None, Verdict.NOT_READABLE)
    assert "DeptRef 2" in (found.reason or "")


def test_a_curve_with_another_number_of_points_differs() -> None:
    models = inverter_one()
    write(models, plan_settings(REQUIRED, models).steps)
    models[3]["groups"]["Crv"][0]["points"]["ActPt"] = 3
    found = read_settings(models, ["QV_CURVE_V1"])["QV_CURVE_V1"]
    assert found.verdict == Verdict.DIFFERS
    assert "has 3 points, not 4" in (found.reason or "")


def test_a_model_that_could_not_be_read_leaves_it_open() -> None:
    models = [m for m in inverter_one() if m["id"] != 705]
    found = read_settings(models, REQUIRED, unreadable={705: "no answer"})
    assert found["QV_OLRT"].verdict == Verdict.NOT_READABLE
    assert found["QV_OLRT"].reason == "model 705 could not be read: no answer"
    assert verified(compare({"QV_OLRT": 5.0}, found)) is None


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_trip_levels_are_told_apart_by_their_thresholds(order: tuple[int, int]) -> None:
    levels = [(88.0, 21.0), (50.0, 2.0)]
    points = [{"points": {"V": levels[i][0], "Tms": levels[i][1]}, "groups": {}} for i in order]
    trip = {"points": {"ActPt": 2}, "groups": {"Pt": points}}
    models = [
        model(707, {"V_SF": 0, "Tms_SF": -2}, {"Crv": [{"points": {}, "groups": {"MustTrip": [trip]}}]})
    ]
    labels = ["UV1_TRIP_V", "UV1_TRIP_T", "UV2_TRIP_V", "UV2_TRIP_T"]
    assert [found.value for found in read_settings(models, labels).values()] == [0.88, 21.0, 0.5, 2.0]


@pytest.mark.parametrize(
    ("held", "verdict"), [(0, Verdict.DIFFERS), (1, Verdict.DIFFERS), (2, Verdict.MATCH)]
)
def test_a_category_is_a_least_one(held: int, verdict: Verdict) -> None:
    assert (
        findings({"NP_ABNORMAL_OP_CAT": "III"}, [der_702(AbnOpCatRtg=held)])["NP_ABNORMAL_OP_CAT"] == verdict
    )
    assert (
        findings({"NP_ABNORMAL_OP_CAT": "I"}, [der_702(AbnOpCatRtg=held)])["NP_ABNORMAL_OP_CAT"]
        == Verdict.MATCH
    )


def test_what_was_not_read_or_means_nothing_is_never_a_match() -> None:
    (finding,) = compare({"QV_OLRT": 5.0}, {})
    assert (finding.verdict, finding.reason) == (Verdict.NOT_READABLE, "it was not read")
    found = read_settings([der_702(AbnOpCatRtg=9)], ["NP_ABNORMAL_OP_CAT"])["NP_ABNORMAL_OP_CAT"]
    assert (found.value, found.verdict) == (None, Verdict.NOT_READABLE)


@given(data=st.data(), v_sf=st.integers(-2, -1), dept_sf=st.integers(-2, 0), tms_sf=st.integers(-2, 0))
def test_any_allowed_values_survive_the_way_to_points_and_back(
    data: st.DataObject, v_sf: int, dept_sf: int, tms_sf: int
) -> None:
    """Within half a register step, whatever the scale factors."""
    known, der = catalogue.settings(), Der(normal="B", abnormal="III")
    required: dict[str, Value] = {"QV_VREF": 1.0, "PV_CURVE_P2": 0.0}
    for label in ("QV_CURVE_V2", "QV_CURVE_V3", "QV_CURVE_V1", "QV_CURVE_V4", "QV_CURVE_Q1", "QV_CURVE_Q4",
                  "QV_CURVE_Q2", "QV_CURVE_Q3", "QV_OLRT", "PV_CURVE_V1", "PV_CURVE_V2", "PV_CURVE_P1", "PV_OLRT",
                  "ES_V_LOW", "ES_F_HIGH"):  # fmt: skip
        low, high = known[label].range_for(der, required | der.facts) or (0.0, 0.0)
        assert low is not None
        assert high is not None
        required[label] = data.draw(st.floats(low, high), label=label)
    models = [der_703(), curve_model(705, v_sf, dept_sf, tms_sf), curve_model(706, v_sf, dept_sf, tms_sf)]
    plan: SettingsPlan = plan_settings(required, models)
    write(models, plan.steps)
    found = read_settings(models, required)
    for label, allowed in tolerances(models, required).items():
        held, wanted = found[label].value, required[label]
        assert isinstance(held, float)
        assert isinstance(wanted, float)
        step = (
            10 ** {"V": v_sf, "Q": dept_sf, "P": dept_sf, "O": tms_sf}[label[-2] if "CURVE" in label else "O"]
        )
        if not label.startswith("ES_"):
            assert abs(held - wanted) <= step / (1 if "OLRT" in label else 100) / 2 + 1e-9
        assert allowed > 0


def test_of_several_instances_of_a_model_the_first_counts() -> None:
    models = [der_702(AbnOpCatRtg=2), der_702(AbnOpCatRtg=0)]
    assert read_settings(models, ["NP_ABNORMAL_OP_CAT"])["NP_ABNORMAL_OP_CAT"].value == "III"
