"""Configured power rating: each generator by a certified setting below its nameplate, and their sum."""

from __future__ import annotations

import pytest
from guard_bench import site

from edge.guard.finding import Finding
from edge.guard.fitness import judge
from edge.guard.ratings import exported_w
from edge.model.site import Site
from edge.model.strict_toml import FileRefusedError

METHOD = ('method = "agreed_means"', 'method = "configured_rating"')
FIRST, SECOND = "nameplate_w = 20_000.0", "nameplate_w = 80_000.0"
PAPERS = 'certificate = "C", derating_tag = "T"'


def rated(first: str = f"limit_w = 5_000.0, {PAPERS}", second: str = f"limit_w = 20_000.0, {PAPERS}") -> Site:
    """The bench site with configured ratings; 5 and 20 kW make its limit of 25 kW."""
    return site(
        METHOD,
        (FIRST, f"{FIRST}\nconfigured = {{ {first} }}"),
        (SECOND, f"{SECOND}\nconfigured = {{ {second} }}"),
    )


def said(at: Site) -> list[Finding]:
    """What is said of configured ratings."""
    return [finding for finding in judge(at) if "configured" in finding.path]


def test_settings_that_make_the_limit_need_nothing_said() -> None:
    assert said(rated()) == []
    assert [exported_w(der) for der in rated().der] == [5_000.0, 20_000.0]


@pytest.mark.parametrize(
    ("first", "path", "level", "text"),
    [
        (
            f"limit_w = 20_000.0, {PAPERS}",
            "der[0].configured",
            "problem",
            "20000 W (or VA) must be below the 20000 W nameplate of inverter-1",
        ),
        ('limit_w = 5_000.0, derating_tag = "T"', "der[0].configured.certificate", "problem", "IEEE 1547.1"),
        ('limit_w = 5_000.0, certificate = "C"', "der[0].configured.derating_tag", "warning", "inverter-1"),
        (
            f"limit_w = 5_000.1, {PAPERS}",
            "der.configured",
            "problem",
            "sum to 25000.1 W, above the limit of 25000 W",
        ),
    ],
)
def test_each_lack_is_told_at_its_key(first: str, path: str, level: str, text: str) -> None:
    assert any((one.path, one.level) == (path, level) and text in one.text for one in said(rated(first))), (
        said(rated(first))
    )


def test_just_below_the_nameplate_is_a_configured_rating() -> None:
    found = said(rated(f"limit_w = 19_999.9, {PAPERS}"))
    assert [finding.path for finding in found] == ["der.configured"]


def test_unmanaged_generation_counts_at_nameplate_in_the_sum() -> None:
    at = rated().model_copy(update={"unmanaged": site().unmanaged.model_copy(update={"nameplate_w": 1.0})})
    (finding,) = said(at)
    assert "sum to 25001 W" in finding.text


def test_a_limit_in_va_bounds_the_watts_too() -> None:
    at = rated(f"limit_va = 5_000.0, {PAPERS}", f"limit_w = 30_000.0, limit_va = 20_000.0, {PAPERS}")
    assert said(at) == []
    assert [exported_w(der) for der in at.der] == [5_000.0, 20_000.0]


def test_every_generator_needs_its_own() -> None:
    found = said(site(METHOD, (FIRST, f"{FIRST}\nconfigured = {{ limit_w = 5_000.0, {PAPERS} }}")))
    assert ("problem", "der[1].configured") in [(one.level, one.path) for one in found]
    assert any("sum to 85000 W" in one.text for one in found)


def test_under_another_method_nothing_is_asked_and_a_higher_setting_frees_nothing() -> None:
    at = site((FIRST, f"{FIRST}\nconfigured = {{ limit_w = 50_000.0 }}"))
    assert said(at) == []
    assert exported_w(at.der[0]) == 20_000.0


def test_an_empty_setting_is_refused_at_its_key() -> None:
    with pytest.raises(FileRefusedError, match=r"der\[0\].configured: needs limit_w or limit_va"):
        rated(PAPERS)


@pytest.mark.parametrize(("va", "fits"), [(20_000.0, True), (19_999.9, False)])
def test_a_rating_in_va_is_not_below_the_one_in_w(va: float, *, fits: bool) -> None:
    pair = (FIRST, f"{FIRST}\nnameplate_va = {va}")
    if fits:
        assert site(pair).der[0].rated_va == va
    else:
        with pytest.raises(FileRefusedError, match=r"der\[0\].nameplate_va: must not be below nameplate_w"):
            site(pair)
    assert site().der[0].rated_va == 20_000.0
