"""What a site requires of one DER, and of the device itself."""

from __future__ import annotations

from pathlib import Path

from edge.model.required import asked_of_device, device_requires, required_settings
from edge.model.site import Site
from edge.model.strict_toml import load
from tiir.elsewhere import run_elsewhere
from tiir.held import site_requires

DEMO = Path(__file__).parents[2] / "sim" / "sites" / "demo.site.toml"


def site(extra: str) -> Site:
    """The demo site; inverter-1 has `extra` keys."""
    text = DEMO.read_text(encoding="utf-8")
    return load(Site, text.replace('"sunspec-7xx"\n', f'"sunspec-7xx"\n{extra}\n', 1), "demo")


def test_without_more_it_is_what_the_profile_requires() -> None:
    plain = site("")
    asked = site_requires("irec-2023-inverter", bidirectional=False, rated_va=None)
    assert device_requires(plain, plain.der[0]) == asked
    complete = required_settings(plain, plain.der[0])
    assert {label: complete[label] for label in asked if label in complete} == {
        label: value for label, value in asked.items() if not label.startswith("NP_")
    }


def test_the_least_output_and_the_rating_of_the_der_count() -> None:
    made = site("min_pct = 12.0\nnameplate_va = 21_000.0")
    assert required_settings(made, made.der[0])["PV_CURVE_P2"] == 0.12
    storage = site('kind = "storage"')
    assert required_settings(storage, storage.der[0])["PV_CURVE_P2"] == 0.0


def test_a_configured_rating_is_a_setting_of_the_device() -> None:
    made = site("configured = { limit_w = 15_000.0, limit_va = 16_000.0 }")
    asked = device_requires(made, made.der[0])
    assert (asked["CFG_P_MAX"], asked["CFG_VA_MAX"]) == (15_000.0, 16_000.0)
    active = site("configured = { limit_w = 15_000.0 }")
    assert "CFG_VA_MAX" not in device_requires(active, active.der[0])
    apparent = site("configured = { limit_va = 15_000.0 }")
    assert "CFG_P_MAX" not in device_requires(apparent, apparent.der[0])


def test_what_the_gateway_runs_is_off_in_the_device() -> None:
    made = site('gateway_functions = ["volt_watt", "volt_var"]')
    asked = site_requires("irec-2023-inverter", bidirectional=False, rated_va=None)
    assert asked_of_device(asked, made.der[0]) == run_elsewhere(asked, ["volt_watt", "volt_var"])
