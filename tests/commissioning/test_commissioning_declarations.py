"""Blanks of the application, method by method, and whose function the means is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from commissioning.declarations import blanks, declarations, means
from edge.model.site import Agreement, Site
from edge.model.strict_toml import load

SITE = load(Site, Path(__file__).with_name("quick.site.toml").read_text(), "quick.site.toml")
PLAIN: dict[str, Any] = {
    "export_limit_w": 25_000.0,
    "controlled": ["inverter-1", "inverter-2"],
    "rpa_justification": "a reason",
    "detection_justification": "a reason",
}


def site(method: str, **fields: object) -> Site:
    agreement = Agreement.model_validate({"method": method, **PLAIN, **fields}, strict=False)
    return SITE.model_copy(update={"agreement": agreement})


RESPONSE = ("Open-loop response time, maximum, s", "Open-loop response time, average, s", "PCS modes")
LISTED = "Listed device (relay or PCS)"


@pytest.mark.parametrize(
    ("method", "blank"),
    [
        ("reverse_power_32r", (LISTED,)),
        ("minimum_power_32f", (LISTED,)),
        ("directional_power_32", (LISTED,)),
        ("pcs", (LISTED, *RESPONSE)),
        ("agreed_means", ("Utility's approval reference", *RESPONSE)),
        ("relative_rating", ()),
        ("configured_rating", ()),
    ],
)
def test_what_each_method_asks_for(method: str, blank: tuple[str, ...]) -> None:
    assert blanks(site(method)) == blank


def test_a_complete_application_has_no_blank() -> None:
    assert blanks(SITE) == ()


def test_a_default_is_nobodys_declaration() -> None:
    """Response times of the model's own making are blank; the same figures stated are not."""
    stated = {
        "olrt_max_s": 30.0,
        "olrt_average_s": 30.0,
        "pcs_modes": ["export_only"],
        "approval_reference": "R",
    }
    assert blanks(site("agreed_means", **stated)) == ()
    assert declarations(site("agreed_means"))["Open-loop response time, maximum, s"] is None


def test_what_is_used_has_to_be_declared() -> None:
    storage = site("relative_rating", pcs_modes=["import_limiting_to_ess"])
    assert blanks(storage) == ("Method of import limitation",)
    plant = site("relative_rating", volt_watt_at="plant")
    assert blanks(plant) == ("Managing device certified for volt-watt",)
    assert blanks(site("relative_rating", volt_watt_at="plant", volt_watt_manager_certified=False)) == ()


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("reverse_power_32r", "the listed device: SEL-751A; dergate supervises it"),
        ("pcs", "the listed device: SEL-751A"),
        ("agreed_means", "dergate's limiter and elements, as agreed in writing with the utility (REF)"),
        ("configured_rating", "certified DERs"),
        ("relative_rating", "no device limits export"),
    ],
)
def test_the_means_is_never_claimed(method: str, words: str) -> None:
    assert words in means(site(method, listed_device="SEL-751A", approval_reference="REF"))
