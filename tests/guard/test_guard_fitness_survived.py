"""What `judge` says of what a site survives: a lost load, a lost meter, slow DERs; told as numbers."""

from __future__ import annotations

import math

import pytest
from guard_bench import ELEMENT, site

from edge.guard import budget
from edge.guard.fitness import judge


@pytest.mark.parametrize(("latency_s", "may"), [(0.19, False), (0.2, True)])
def test_where_sampling_leaves_nothing_any_excursion_may_operate(latency_s: float, may: bool) -> None:
    found = judge(site(("latency_s = 0.02", f"latency_s = {latency_s}")))
    assert any("any excursion may operate element 32" in finding.text for finding in found) is may


def test_a_site_that_proves_its_fallback_in_time_does_not_trip_blind() -> None:
    quick = site(
        ("period_s = 0.2", "period_s = 0.1\ntimeout_s = 0.05\npoll_s = 0.02"),
        ("slope_pct_per_s = 100.0", "slope_pct_per_s = 1000.0\npoll_s = 0.1"),
        ("slope_pct_per_s = 100.0", "slope_pct_per_s = 1000.0\npoll_s = 0.1"),
    )
    assert any("losing the meter at full output does not trip" in finding.text for finding in judge(quick))


@pytest.mark.parametrize(("poll_s", "warns"), [(0.74, False), (0.75, True), (2.0, True)])
def test_a_der_polled_too_seldom_to_prove_anything_is_told_of(poll_s: float, warns: bool) -> None:
    at = site(("slope_pct_per_s = 100.0", f"slope_pct_per_s = 100.0\npoll_s = {poll_s}"))
    said = [finding.text for finding in judge(at) if finding.path == "der[0].poll_s"]
    assert bool(said) is warns
    if poll_s == 2.0:
        assert (
            "inverter-1 makes may have been measured 2.00 poll + 0.30 request + 0.20 scan = 2.50 s ago"
            in said[0]
        )
    nothing_armed = at.model_copy(update={"guard": at.guard.model_copy(update={"element": ()})})
    assert not [finding for finding in judge(nothing_armed) if finding.path == "der[0].poll_s"]


@pytest.mark.parametrize(("load_w", "warns"), [(46_000.0, False), (46_000.05, True), (None, False)])
def test_a_declared_load_that_may_not_be_lost_is_a_warning(load_w: float | None, warns: bool) -> None:
    declared = "" if load_w is None else f"\nhost_load_w = {load_w}"
    found = judge(site(("nominal_hz = 60", f"nominal_hz = 60{declared}")))
    (said,) = (finding for finding in found if "largest step of host load" in finding.text)
    assert said.level == ("warning" if warns else "fact")
    assert ("as declared, losing it trips the site" in said.text) is warns


def test_an_import_element_does_not_mind_a_lost_load() -> None:
    importing = (
        ('kind = "32"', 'kind = "import"\npickup_w = 90_000.0'),
        ("nominal_hz = 60", "nominal_hz = 60\nhost_load_w = 90000.0"),
    )
    (said,) = (finding for finding in judge(site(*importing)) if "largest step of host load" in finding.text)
    assert said.level == "fact"


def ridden(*pairs: tuple[str, str]) -> str:
    """What is said of the largest step."""
    return next(finding.text for finding in judge(site(*pairs)) if "largest step" in finding.text)


def test_the_margin_that_a_fast_element_over_slow_ders_needs_is_told_as_a_number() -> None:
    assert ridden().endswith(
        "; to survive losing a host load of 100000 W the target would have to stand 54000 W below the dropout,"
        " at an import of 29500 W"
    )
    declared = ("nominal_hz = 60", "nominal_hz = 60\nhost_load_w = 60000.0")
    assert "14000 W below the dropout, at an export of 10500 W; as declared, losing it trips" in ridden(
        declared
    )
    at_zero = ("nominal_hz = 60", "nominal_hz = 60\nhost_load_w = 70500.0")
    assert "24500 W below the dropout, at an export of 0 W; as" in ridden(at_zero)
    below_zero = ("nominal_hz = 60", "nominal_hz = 60\nhost_load_w = 70501.0")
    assert "24501 W below the dropout, at an import of 1 W; as" in ridden(below_zero)
    small = ("nominal_hz = 60", "nominal_hz = 60\nhost_load_w = 40000.0")
    assert ridden(small).endswith("; losing a host load of 40000 W is survived without any margin")


def test_an_import_element_is_not_asked_about_lost_load() -> None:
    assert ridden((ELEMENT, 'kind = "import"\npickup_w = 90_000.0')).endswith("must fit the delay")


@pytest.mark.parametrize(
    ("delay_s", "level"), [(0.88, "warning"), (0.8899, "warning"), (0.8901, "fact"), (0.9, "fact")]
)
def test_less_than_a_tenth_of_nameplate_survived_is_a_warning(delay_s: float, level: str) -> None:
    found = judge(
        site((ELEMENT, f"{ELEMENT}\ndelay_s = {delay_s}"))
    )  # recovery takes 0.79 s, at 100 % a second
    assert [finding.level for finding in found if "largest step" in finding.text] == [level]


def test_a_tenth_of_nameplate_itself_is_enough() -> None:
    slow = ("slope_pct_per_s = 100.0", "slope_pct_per_s = 40.0")
    delay_s = budget.recovery(site(slow)).total_s + 0.25
    at = site(slow, (ELEMENT, f"{ELEMENT}\ndelay_s = {delay_s!r}"))
    assert budget.ride_through_w(at, delay_s) == 0.1 * at.nameplate_w
    assert [finding.level for finding in judge(at) if "largest step" in finding.text] == ["fact"]


@pytest.mark.parametrize(("slope_pct", "warned"), [(7.21, False), (7.20, True)])
def test_a_der_that_needs_half_of_the_pcs_bound_is_a_warning(slope_pct: float, warned: bool) -> None:
    found = judge(
        site(("slope_pct_per_s = 100.0", f"slope_pct_per_s = {slope_pct}"))
    )  # 1.12 s before it moves
    assert ["der[0].slope_pct_per_s"] * warned == [
        finding.path for finding in found if "PCS bound" in finding.text
    ]


def test_half_of_the_pcs_bound_itself_is_in_time() -> None:
    needed_s = budget.security(site()).total_s + budget.decay_s(site().der[0])
    for bound_s, warned in [(2 * needed_s, 0), (math.nextafter(2 * needed_s, 0.0), 2)]:
        found = judge(site(("[guard]", f"[guard]\nolrt_bound_s = {bound_s!r}")))
        assert sum("PCS bound" in finding.text for finding in found) == warned


def test_of_several_ders_the_slowest_proves_fallback_last() -> None:
    for slow in ("dead_time_s = 0.2", "dead_time_s = 0.2\nslope_pct_per_s = 100.0\ncontact"):
        found = judge(site((slow, slow.replace("= 0.2", "= 0.5"))))
        assert any("fallback is proven after 2.92 s" in finding.text for finding in found)


def test_fallback_proven_just_when_the_element_is_due_is_too_late() -> None:
    quick = (
        ("period_s = 0.2", "period_s = 0.1\ntimeout_s = 0.05\npoll_s = 0.02"),
        ("slope_pct_per_s = 100.0", "slope_pct_per_s = 1000.0\npoll_s = 0.1"),
        ("slope_pct_per_s = 100.0", "slope_pct_per_s = 1000.0\npoll_s = 0.1"),
    )
    at = site(*quick)
    proof_s = budget.security(at).total_s + budget.decay_s(at.der[0]) + 0.1
    for delay_s, verdict in [(proof_s, "trips"), (math.nextafter(proof_s, 9.0), "does not trip")]:
        texts = [
            finding.text for finding in judge(site(*quick, (ELEMENT, f"{ELEMENT}\ndelay_s = {delay_s!r}")))
        ]
        assert any(f"losing the meter at full output {verdict} the site" in text for text in texts)


def test_what_is_survived_is_told_in_percent() -> None:
    found = judge(site((ELEMENT, f"{ELEMENT}\ndelay_s = 1.45")))
    assert any("operating: 66000 W (66 % of nameplate)" in finding.text for finding in found)


@pytest.mark.parametrize(
    ("delay_s", "said"),
    [
        (0.91, "; 0 lost samples in a row are survived"),
        (0.92, "; 1 lost sample is survived"),
        (1.11, "; 1 lost sample is survived"),
        (1.12, "; 2 lost samples in a row are survived"),
    ],
)
def test_lost_samples_that_are_survived_are_told_as_people_count(delay_s: float, said: str) -> None:
    found = judge(site((ELEMENT, f"{ELEMENT}\ndelay_s = {delay_s}")))
    assert any(finding.text.endswith(said) for finding in found), [finding.text for finding in found]
