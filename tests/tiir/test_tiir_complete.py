"""What is given, over the standard's defaults."""

from __future__ import annotations

import pytest

from tiir import catalogue, profile
from tiir.complete import RATINGS, SettingsRefusedError, complete
from tiir.setting import Der
from tiir.values import Value

B3 = Der(normal="B", abnormal="III", rated_va=10e3)
A1 = Der(normal="A", abnormal="I", rated_va=10e3)
A2 = Der(normal="A", abnormal="II", rated_va=10e3)
HELD = [s.label for s in catalogue.settings().values() if s.function not in RATINGS]


@pytest.mark.parametrize("der", [A1, A2, B3, B3.model_copy(update={"bidirectional": True})])
def test_every_setting_has_a_value_and_the_defaults_stand(der: Der) -> None:
    assert list(complete({}, der)) == HELD
    assert len(HELD) == 72


def test_defaults_are_those_of_the_category() -> None:
    b3, a1, a2 = complete({}, B3), complete({}, A1), complete({}, A2)
    assert [b3["QV_CURVE_V1"], a1["QV_CURVE_V1"]] == pytest.approx([0.92, 0.9])
    assert (b3["UV1_TRIP_T"], a1["UV1_TRIP_T"], a2["UV1_TRIP_T"]) == (21.0, 2.0, 10.0)
    assert (b3["MC_ENABLE"], a1["MC_ENABLE"]) == (True, False)
    assert (a1["MC_LVRT_V1"], a1["MC_HVRT_V1"]) == (0.5, 1.1)
    assert b3["CONST_PF_MODE_ENABLE"] is True
    assert (b3["ES_RAMP_RATE"], b3["ES_RANDOMIZED_DELAY"]) == (300.0, 0.0)


def test_a_default_in_terms_of_another_setting_follows_it() -> None:
    assert complete({}, B3.model_copy(update={"p_min_pu": 0.1}))["PV_CURVE_P2"] == 0.1
    assert complete({}, B3.model_copy(update={"p_min_pu": 0.3}))["QP_CURVE_P1_GEN"] == 0.3
    moved = complete({"QV_VREF": 0.97}, B3)
    corners = [moved[f"QV_CURVE_V{i}"] for i in (1, 2, 3, 4)]
    assert corners == pytest.approx([0.89, 0.95, 0.99, 1.05])


@pytest.mark.parametrize("mode", ["QV_MODE_ENABLE", "QP_MODE_ENABLE", "CONST_Q_MODE_ENABLE"])
def test_another_reactive_mode_switches_the_default_one_off(mode: str) -> None:
    assert complete({mode: True}, B3)["CONST_PF_MODE_ENABLE"] is False
    assert complete({mode: False}, B3)["CONST_PF_MODE_ENABLE"] is True
    with pytest.raises(SettingsRefusedError, match="exclude each other"):
        complete({mode: True, "CONST_PF_MODE_ENABLE": True}, B3)


def test_random_delay_stands_in_for_the_ramp() -> None:
    chosen = complete({"ES_RANDOMIZED_DELAY": 120.0}, B3)
    assert (chosen["ES_RANDOMIZED_DELAY"], chosen["ES_RAMP_RATE"]) == (120.0, 0.0)
    with pytest.raises(SettingsRefusedError, match="never both"):
        complete({"ES_RANDOMIZED_DELAY": 120.0, "ES_RAMP_RATE": 300.0}, B3)


def test_a_curve_partly_given_is_filled_from_the_default() -> None:
    chosen = complete({"QV_MODE_ENABLE": True, "QV_CURVE_Q1": 0.3}, B3)
    assert (chosen["QV_CURVE_Q1"], chosen["QV_CURVE_Q4"]) == (0.3, -0.44)


def test_every_mistake_has_its_line() -> None:
    given: dict[str, Value] = {"QV_OLRT": 0.5, "UV1_TRIP_T": 51.0, "QV_OLRTT": 5.0, "QV_MODE_ENABLE": 1.0}
    with pytest.raises(SettingsRefusedError) as refused:
        complete(given, B3)
    assert len(refused.value.problems) == 4
    assert str(refused.value).splitlines() == list(refused.value.problems)
    assert any("1 to 90 s (IEEE 1547-2018 5.3.3 Table 8)" in line for line in refused.value.problems)


def test_nameplate_bounds_others_and_is_left_out() -> None:
    nameplate: dict[str, Value] = {"NP_VA_MAX": 10e3, "NP_Q_MAX_INJ": 4e3, "NP_Q_MAX_ABS": 5e3}
    chosen = complete({**nameplate, "CONST_Q": 0.4, "QV_CURVE_Q1": 0.4}, B3)
    assert not chosen.keys() & nameplate.keys()
    with pytest.raises(SettingsRefusedError, match=r"CONST_Q = 0\.401 is outside -0\.5 to 0\.4"):
        complete({**nameplate, "CONST_Q": 0.401, "QV_CURVE_Q1": 0.4}, B3)


def test_a_default_that_cannot_stand_is_told_only_where_it_matters() -> None:
    high = B3.model_copy(update={"p_min_pu": 0.45})
    assert complete({}, high)["QP_CURVE_P1_GEN"] == 0.45
    with pytest.raises(SettingsRefusedError, match="QP_CURVE_P1_GEN"):
        complete({"QP_MODE_ENABLE": True}, high)
    assert complete({"QP_MODE_ENABLE": True, "QP_CURVE_P2_GEN": 0.55}, high)["QP_MODE_ENABLE"] is True


@pytest.mark.parametrize("name", catalogue.profile_names())
def test_a_profile_is_completed_unchanged(name: str) -> None:
    loaded = profile.shipped(name)
    der = loaded.der(rated_va=10e3)
    required = profile.required(loaded, der)
    chosen = complete(required, der)
    assert chosen == {**chosen, **{label: v for label, v in required.items() if not label.startswith("NP_")}}


@pytest.mark.parametrize(
    ("label", "plain", "amended"),
    [("UV1_TRIP_T", (21.0, 50.0), (2.0, 50.0)), ("UV2_TRIP_T", (2.0, 21.0), (0.16, 21.0))],
)
def test_the_amendment_widens_category_iii_alone(
    label: str, plain: tuple[float, float], amended: tuple[float, float]
) -> None:
    setting = catalogue.settings()[label]
    later = {"edition": "2018+2020"}
    assert setting.range_for(B3, {}) == plain
    assert setting.range_for(B3.model_copy(update=later), {}) == amended
    for der in (A1, A2):
        assert setting.range_for(der, {}) == setting.range_for(der.model_copy(update=later), {})


# With everything else at its default these bounds break an order, or move a reference away from its curve.
OUT_OF_ORDER = {
    ("UV1_TRIP_V", 0.0): "UV2_TRIP_V",
    ("OF2_TRIP_T", 1000.0): "OF1_TRIP_T",
    ("OF1_TRIP_F", 66.0): "OF2_TRIP_F",
    ("UF1_TRIP_F", 50.0): "UF2_TRIP_F",
    ("UF2_TRIP_T", 1000.0): "UF1_TRIP_T",
}
OUT_OF_ORDER_A = {("QV_VREF", 0.95): "QV_CURVE_V2", ("QV_VREF", 1.05): "QV_CURVE_V2"}


@pytest.mark.parametrize("edition", ["2018", "2018+2020"])
@pytest.mark.parametrize("der", [A1, A2, B3, B3.model_copy(update={"bidirectional": True})])
def test_every_bound_stands_alone_and_a_step_beyond_it_does_not(der: Der, edition: str) -> None:
    der = der.model_copy(update={"edition": edition})
    base = {**complete({}, der), **der.facts}
    exceptions = OUT_OF_ORDER | (OUT_OF_ORDER_A if der.normal == "A" else {})
    met = set()
    for label in HELD:
        setting = catalogue.settings()[label]
        for bound, out in zip(setting.range_for(der, base) or (), (-1e-6, 1e-6), strict=False):
            assert bound is not None
            if (label, bound) in exceptions:
                met.add((label, bound))
                with pytest.raises(SettingsRefusedError, match=exceptions[label, bound]):
                    complete({label: bound}, der)
            else:
                assert complete({label: bound}, der)[label] == bound
            if bound + out != setting.off:
                with pytest.raises(SettingsRefusedError, match=f"{label} = .* (is outside|must be)"):
                    complete({label: bound + out}, der)
    assert met == exceptions.keys()
