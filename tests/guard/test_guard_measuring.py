"""What a 32R pickup is worth beside the error of what it sees; the sums are done by hand."""

from __future__ import annotations

from math import nextafter, sin

import pytest
from guard_bench import site
from hypothesis import given
from hypothesis import strategies as st

from edge.guard.finding import Finding
from edge.guard.fitness import judge
from edge.guard.measuring import error_at, level_of
from edge.model.site import Instruments
from edge.model.strict_toml import FileRefusedError

ELEMENT = 'kind = "32"'
GOLDEN = """
[meter.instruments]
expected_var = 20_000.0
meter_error_pct = 0.2
ratio_error_pct = 0.3
angle_error_min = 15.0
creep_w = 5.0
"""


def reverse_power(instruments: str, element: str = 'kind = "32R"') -> list[Finding]:
    """What is said of the pickup of a 32R element with a table of instruments."""
    at = site(("noise_w = 60.0", f"noise_w = 60.0{instruments}"), (ELEMENT, element), ("= 25_000.0", "= 0.0"))
    return [finding for finding in judge(at) if finding.path == "guard.element[0].pickup_w"]


def test_the_golden_example() -> None:
    # Transformer 150 kVA: the pickup is 0.1 % of it, 150 W. Reactive flow 20 kvar.
    #   meter, 0.2 % of hypot(150, 20 000) = 20 000.56 VA            40.0 W
    #   ratio, 0.3 % of 150 W                                         0.45 W
    #   angle, 15' = 0.25 deg; 20 000 x sin 0.25 deg (0.00436331)    87.27 W
    #   creep                                                         5.0 W
    #   together 132.72 W: 88 % of the pickup, more than half, less than all of it.
    (said,) = reverse_power(GOLDEN)
    assert said.level == "warning"
    assert said.text == (
        "measuring error at a 32R pickup of 150 W and a reactive flow of 20000 var:"
        " 40.0 meter + 0.5 ratio + 87.3 phase displacement + 5.0 creep = 132.7 W (88 % of it);"
        " from half of the pickup on it is worth better instruments"
    )


def test_each_term_by_itself() -> None:
    plain = {"expected_var": 3000.0, "meter_error_pct": 0.0}
    for extra, terms in (
        ({}, (0.0, 0.0, 0.0, 0.0)),
        ({"meter_error_pct": 1.0}, (50.0, 0.0, 0.0, 0.0)),
        ({"ratio_error_pct": 1.0}, (0.0, 40.0, 0.0, 0.0)),
        ({"angle_error_min": 1800.0}, (0.0, 0.0, 1500.0, 0.0)),
        ({"creep_w": 7.0}, (0.0, 0.0, 0.0, 7.0)),
    ):
        for power_w in (4000.0, -4000.0):
            error = error_at(Instruments(**(plain | extra)), power_w)
            assert tuple(watts for _, watts in error.terms) == pytest.approx(terms)
            assert error.total_w == pytest.approx(sum(terms))


@pytest.mark.parametrize(
    ("error_w", "level"),
    [
        (0.0, "fact"),
        (nextafter(75.0, 0.0), "fact"),
        (75.0, "warning"),
        (nextafter(150.0, 0.0), "warning"),
        (150.0, "problem"),
        (nextafter(150.0, 1e9), "problem"),
    ],
)
def test_half_of_the_pickup_warns_and_all_of_it_is_refused(error_w: float, level: str) -> None:
    assert level_of(error_w, 150.0) == level


@pytest.mark.parametrize(
    ("creep_w", "level", "said"),
    [
        (74.9, "fact", "(50 % of it); below half of the pickup"),
        (75.0, "warning", "better instruments"),
        (149.9, "warning", "(100 % of it); from half"),
        (150.0, "problem", "(100 % of it); the element could operate on it alone, or never"),
    ],
)
def test_creep_alone_is_held_against_the_pickup(creep_w: float, level: str, said: str) -> None:
    table = f"\n[meter.instruments]\nexpected_var = 0.0\nmeter_error_pct = 0.0\ncreep_w = {creep_w}"
    (finding,) = reverse_power(table)
    assert finding.level == level
    assert said in finding.text


def test_a_pickup_of_zero_is_within_every_error() -> None:
    table = "\n[meter.instruments]\nexpected_var = 0.0\nmeter_error_pct = 0.0\n"
    (finding,) = reverse_power(table, 'kind = "32R"\npickup_w = 0.0')
    assert finding.level == "problem"
    assert "= 0.0 W; the element" in finding.text
    (finding,) = reverse_power(f"{table}creep_w = 0.5\n", 'kind = "32R"\npickup_w = 1.0')
    assert "= 0.5 W (50 % of it)" in finding.text


def test_without_instruments_a_32r_pickup_is_a_warning_and_other_elements_are_not_asked() -> None:
    (finding,) = reverse_power("")
    assert finding.level == "warning"
    assert "a 32R pickup of 150 W can be measured" in finding.text
    assert reverse_power(GOLDEN, 'kind = "32F"') == []


def test_the_pickup_of_a_phase_is_held_against_what_is_measured_there() -> None:
    # A third of 150 W is 50 W; all of the declared flow may be on one phase:
    #   meter, 0.2 % of hypot(50, 20 000)                             40.0 W
    #   ratio, 0.3 % of 50 W                                           0.15 W
    #   angle                                                         87.27 W
    #   creep                                                          5.0 W
    at = site(
        ("noise_w = 60.0", f"noise_w = 60.0{GOLDEN}"),
        (ELEMENT, 'kind = "32R"'),
        ("= 25_000.0", "= 0.0\nexport_limit_phase_w = 0.0"),
    )
    said = [each for each in judge(at) if each.path == "guard.element[0].pickup_phase_w"]
    assert [each.level for each in said] == ["problem"] * 3
    assert said[1].text == (
        "measuring error at a 32R-b pickup of 50 W and a reactive flow of 20000 var:"
        " 40.0 meter + 0.1 ratio + 87.3 phase displacement + 5.0 creep = 132.4 W (265 % of it);"
        " the element could operate on it alone, or never; at or above the pickup is refused"
    )


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("ct_primary_a", "ct_secondary_a"),
        ("ct_secondary_a", "ct_primary_a"),
        ("pt_primary_v", "pt_secondary_v"),
        ("pt_secondary_v", "pt_primary_v"),
    ],
)
def test_a_ratio_has_two_numbers(given: str, missing: str) -> None:
    with pytest.raises(FileRefusedError, match=f"meter.instruments.{missing}: is required with {given}"):
        reverse_power(f"{GOLDEN}{given} = 5.0")


@given(
    flow_var=st.floats(0, 1e8),
    power_w=st.floats(-1e8, 1e8),
    angle_min=st.floats(0, 5400),
    creep_w=st.floats(0, 1e3),
)
def test_the_error_is_never_less_than_its_parts(
    flow_var: float, power_w: float, angle_min: float, creep_w: float
) -> None:
    one = Instruments(expected_var=flow_var, meter_error_pct=0.5, angle_error_min=angle_min, creep_w=creep_w)
    total_w = error_at(one, power_w).total_w
    assert total_w >= creep_w
    assert total_w >= 0.005 * abs(power_w)
    assert total_w >= flow_var * sin(angle_min / 60 * 3.14159265 / 180) * (1 - 1e-6)
    assert error_at(one, -power_w) == error_at(one, power_w)
