"""Functions that the gateway runs: from the site file through a scan."""

from __future__ import annotations

from plant import Plant, swapped

from edge.core.run_here import run_here
from edge.guard import budget
from edge.model.commands import DerVar
from edge.model.required import required_settings
from edge.step import Settings

TOLD = ("method =", 'volt_watt_at = "plant"\nmethod =')
HERE = (
    'profile = "sunspec-7xx"\n',
    'profile = "sunspec-7xx"\ngateway_functions = ["volt_watt", "volt_var"]\n',
)


def test_a_site_compiles_to_the_functions_that_it_names() -> None:
    site = swapped(
        ('profile = "sunspec-7xx"\n', 'profile = "sunspec-7xx"\ngateway_functions = ["volt_watt"]\n'),
        ('profile = "sunspec-1xx"\n', 'profile = "sunspec-1xx"\ngateway_functions = ["volt_var", "freq_droop"]\n'
         'gateway_voltage = "inverter"\nnameplate_va = 90_000.0\nmin_pct = 10.0\n'),
    )  # fmt: skip
    one, other = run_here(site, stale_s=0.7, chains_s={"inverter-1": 0.5, "inverter-2": 1.5})
    assert (one.der, one.rated_w, one.rated_va, one.functions) == (
        "inverter-1", 20_000.0, 20_000.0, frozenset({"volt_watt"}),
    )  # fmt: skip
    assert (one.at_inverter, one.chain_s, one.fresh_s) == (False, 0.5, 0.7)
    assert (other.rated_w, other.rated_va, other.at_inverter, other.chain_s, other.fresh_s) == (
        80_000.0, 90_000.0, True, 1.5, 2.0,
    )  # fmt: skip
    assert one.settings == required_settings(site, site.der[0])
    assert (one.settings["PV_CURVE_P2"], other.settings["PV_CURVE_P2"]) == (0.0, 0.1)


def test_a_site_is_compiled_with_the_chain_that_check_prints() -> None:
    site = swapped(HERE, TOLD)
    (one,) = Settings.of(site).core.functions
    assert one.chain_s == budget.response_chain(site, site.der[0]).total_s
    assert one.fresh_s == budget.security(site).total_s


def test_high_voltage_narrows_and_absorbs_and_a_trip_ends_both() -> None:
    plant = Plant(site=swapped(HERE, TOLD), load_w=90_000.0).run(20.0)
    plant.v_pu = 1.08
    plant.run(30.0)
    assert plant.commands.limits[0].limit_w < 10_010.0
    (told,) = plant.commands.reactive
    assert told.name == "inverter-1"
    assert -8_800.0 <= told.var < -8_790.0
    assert ("volt-watt", "inverter-1") in [(one.by, one.der) for one in plant.reasons.limits]
    plant.load_w = 0.0
    plant.dead_s = dict.fromkeys(plant.dead_s, 30.0)
    plant.run(3.0)
    assert plant.view.tripped
    assert plant.commands.reactive == (DerVar("inverter-1", 0.0),)


def test_without_functions_no_reactive_power_is_commanded() -> None:
    assert Plant().run(5.0).commands.reactive == ()
