"""What the limiter is given by a site file."""

from __future__ import annotations

from pathlib import Path

import pytest
from core_bench import SETTINGS

from edge.core.settings import CoreSettings, DerPlant
from edge.model.site import Site
from edge.model.strict_toml import load

BENCH = (Path(__file__).parents[1] / "guard/bench.site.toml").read_text(encoding="utf-8")


def compiled(*pairs: tuple[str, str], dropouts_w: tuple[tuple[str, float], ...] = ()) -> CoreSettings:
    """The bench site's settings with each (old, new) replaced once; the old text must be there."""
    text = BENCH
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    site = load(Site, text, "bench.site.toml")
    return CoreSettings.of(site, stale_s=0.92, dropouts_w=dropouts_w, command_s=0.03)


@pytest.mark.parametrize(
    ("dropouts_w", "ceiling"),
    [
        ((), ("export-limit", 25_000.0)),
        ((("32", 24_500.0),), ("32-dropout", 24_500.0)),
        ((("32", 24_500.0), ("32R", -30.0)), ("32R-dropout", -30.0)),
        ((("32", 25_001.0),), ("export-limit", 25_000.0)),
    ],
)
def test_the_tightest_of_limit_and_dropouts_is_the_ceiling(
    dropouts_w: tuple[tuple[str, float], ...], ceiling: tuple[str, float]
) -> None:
    found = compiled(dropouts_w=dropouts_w)
    assert (found.ceiling_by, found.ceiling_w) == ceiling
    assert found.limit_w == 25_000.0


def test_percents_are_of_the_whole_nameplate() -> None:
    given = "[control]\nramp_up_pct_per_s = 7.0\nmargin_floor_pct = 0.3\nmargin_cap_pct = 1.7\n[guard]"
    found = compiled(("[guard]", given))
    assert found.ramp_up_w_per_s == pytest.approx(7_000.0)
    assert found.margin_floor_w == pytest.approx(300.0)
    assert found.margin_cap_w == pytest.approx(1_700.0)


@pytest.mark.parametrize(
    ("declared", "unheard_w"),
    [
        ("", 20_000.0),
        ("power_up_w = 3_000.0\n", 5_000.0),
        ("power_up_w = 6_000.0\n", 6_000.0),
    ],
)
def test_unheard_it_may_do_what_it_comes_up_with_or_reverts_to(declared: str, unheard_w: float) -> None:
    assert compiled(("reversion = {", f"{declared}reversion = {{")).ders[0].unheard_w == unheard_w


def test_unheard_without_a_reversion_it_may_be_at_nameplate() -> None:
    assert compiled(("reversion = {", "power_up_w = 3_000.0\n# {")).ders[0].unheard_w == 20_000.0


def test_a_der_is_unseen_after_a_poll_with_all_its_attempts() -> None:
    given = "reversion = {", "min_pct = 5.0\npoll_s = 0.7\ntimeout_s = 0.25\nretries = 2\nreversion = {"
    first = compiled(given).ders[0]
    assert first.unseen_s == pytest.approx(0.7 + 3 * 0.25)
    assert first.min_w == pytest.approx(1_000.0)
    assert first.slope_w_per_s == pytest.approx(20_000.0)


SITES = Path(__file__).parents[2] / "sim/sites"


@pytest.mark.parametrize(("name", "by_setpoint"), [("storage", False), ("storage-setpoint", True)])
def test_what_is_known_of_storage(name: str, by_setpoint: bool) -> None:
    text = (SITES / f"{name}.site.toml").read_text(encoding="utf-8")
    site = load(Site, text.replace('kind = "storage"', 'kind = "storage"\nsoc_full_pct = 90.0'), name)
    ders = CoreSettings.of(site, stale_s=1.0, dropouts_w=(), command_s=0.03).ders
    assert [(der.full_pu, der.by_setpoint) for der in ders if der.stores] == [(0.9, by_setpoint)]
    assert {(der.full_pu, der.by_setpoint) for der in ders if not der.stores} == {(1.0, False)}


def test_a_phase_that_hardly_anything_feeds_is_limited_and_one_that_nothing_feeds_is_not() -> None:
    found = compiled(
        ("export_limit_w = 25_000.0", "export_limit_w = 25_000.0\nexport_limit_phase_w = 9_000.0"),
        ("nameplate_w = 20_000.0", 'nameplate_w = 0.5\nphases = "a"'),
        ("safe_w = 5_000.0", "safe_w = 0.1"),
        ("nameplate_w = 80_000.0", 'nameplate_w = 80_000.0\nphases = "b"'),
    )
    assert [phase.phase for phase in found.phases] == [0, 1]
    assert [phase.nameplate_w for phase in found.phases] == [0.5, 80_000.0]


def test_what_is_not_said_of_a_der_or_a_site() -> None:
    assert DerPlant("a", 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, None).full_pu == 1.0
    assert SETTINGS.expected_var == 0.0
