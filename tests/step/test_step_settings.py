"""A site compiled for the scan; a site that cannot be held is refused with its sums."""

from __future__ import annotations

import math

import pytest
from plant import swapped

from edge.step import Settings, UnfitError

PROVEN = ("contact = ", "power_up_w = 3_000.0\nreversion = { safe_w = 4_000.0 }\ncontact = ")


def test_the_ceiling_is_the_limit_or_an_armed_dropout_below_it() -> None:
    core = Settings.of(swapped()).core
    assert (core.ceiling_by, core.ceiling_w) == ("32-dropout", 24_500.0)
    bare = Settings.of(swapped(('[[guard.element]]\nkind = "32"\n', ""))).core
    assert (bare.ceiling_by, bare.ceiling_w) == ("export-limit", 25_000.0)
    tighter = Settings.of(swapped(("[control]", "[control]\nsite_limit_w = 20_000.0"))).core
    assert (tighter.ceiling_by, tighter.ceiling_w) == ("export-limit", 20_000.0)


def test_an_import_element_does_not_bear_on_export() -> None:
    backwards = swapped(('kind = "32"', 'kind = "import"\npickup_w = 90_000.0'))
    assert Settings.of(backwards).core.ceiling_by == "export-limit"


def test_the_nearest_import_element_bears_on_what_storage_may_take() -> None:
    assert Settings.of(swapped()).core.storage.site_import_w == math.inf
    second = 'kind = "import"\npickup_w = 90_000.0\n\n[[guard.element]]\nkind = "import"\npickup_w = {}'
    for pickup_w, dropout_w in [(60_000.0, 58_800.0), (95_000.0, 88_200.0)]:
        core = Settings.of(swapped(('kind = "32"', second.format(pickup_w)))).core
        assert core.storage.site_import_w == dropout_w


def test_what_an_unheard_der_may_make_is_nameplate_unless_both_values_are_proven() -> None:
    assert [plant.unheard_w for plant in Settings.of(swapped()).core.ders] == [20_000.0, 80_000.0]
    assert Settings.of(swapped(PROVEN)).core.ders[1].unheard_w == 4_000.0
    higher = (PROVEN[0], PROVEN[1].replace("3_000", "7_000"))
    assert Settings.of(swapped(higher)).core.ders[1].unheard_w == 7_000.0
    keeps = (PROVEN[0], 'told_zero = "keeps_minimum"\nmin_pct = 10.0\n' + PROVEN[1].replace("4_000", "0"))
    assert Settings.of(swapped(keeps)).core.ders[1].unheard_w == 8_000.0


def test_stale_is_what_security_adds_up_to() -> None:
    settings = Settings.of(swapped())
    assert settings.core.stale_s == pytest.approx(0.92)
    assert settings.noise_w == 60.0
    assert math.isclose(settings.core.ders[0].unseen_s, 0.5 + 2 * 0.3)


def test_an_unfit_site_is_refused_with_every_problem() -> None:
    with pytest.raises(UnfitError, match=r"agreement\.approval_reference: is required") as caught:
        Settings.of(
            swapped(
                ("approval_reference = ", "listed_device = "), ('kind = "32"', 'kind = "32"\ndelay_s = 1.9')
            )
        )
    assert len(caught.value.problems) == 2
    assert "guard.element[0].delay_s: clearing: 1.90 delay + 0.50" in str(caught.value)
