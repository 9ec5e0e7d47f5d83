"""What `check` says of functions that the gateway runs."""

from __future__ import annotations

import pytest
from guard_bench import site

from edge.guard import budget
from edge.guard.fitness import judge
from edge.guard.functions import run_by_gateway
from edge.model.site import Site

TOLD = ("method =", 'volt_watt_at = "plant"\nmethod =')


def site_with(functions: str, *more: tuple[str, str], declared: bool = True) -> Site:
    """The bench site; inverter-1 has `functions` run by the gateway."""
    named = ('profile = "sunspec-7xx"\n', f'profile = "sunspec-7xx"\ngateway_functions = [{functions}]\n')
    return site(named, *((TOLD,) if declared else ()), *more)


def said(of: Site) -> list[tuple[str, str, str]]:
    return [(finding.level, finding.path, finding.text) for finding in run_by_gateway(of)]


def test_nothing_is_said_where_nothing_runs_here() -> None:
    assert said(site()) == []


def test_a_function_in_time_is_a_fact_with_its_sum() -> None:
    found = said(site_with('"volt_watt"'))
    assert [one[:2] for one in found] == [("fact", "der[0].gateway_functions")]
    assert "within 10 s" in found[0][2]
    assert "PV_MODE_ENABLE must be off in the device" in found[0][2]
    assert "voltage of the PCC" in found[0][2]
    assert budget.response_chain(site_with('"volt_watt"'), site().der[0]).spelled() in found[0][2]
    assert ("fact", *found[0][1:]) in [
        (one.level, one.path, one.text) for one in judge(site_with('"volt_watt"'))
    ]


def test_the_chain_is_the_meters_or_the_inverters() -> None:
    demo = site(
        ("[meter]\n", "[meter]\naveraging_s = 0.1\npoll_s = 0.05\ntimeout_s = 0.25\nretries = 2\n"),
        ("dead_time_s = 0.2", "dead_time_s = 0.3\npoll_s = 0.4\ntimeout_s = 0.5\nretries = 3"),
    )
    der = demo.der[0]
    meter = demo.meter.period_s + demo.meter.latency_s + 0.1 + 0.05 + 0.75
    assert budget.response_chain(demo, der).total_s == pytest.approx(meter + 0.03 + 0.3)
    own = der.model_copy(update={"gateway_voltage": "inverter"})
    assert budget.response_chain(demo, own).total_s == pytest.approx(0.4 + 2.0 + 0.03 + 0.3)


def test_what_sets_vars_waits_between_two_writes_and_for_others_on_the_wire() -> None:
    alone = site_with('"volt_var"')
    chain_s = budget.response_chain(alone, alone.der[1]).total_s
    assert budget.response_chain(alone, alone.der[0]).total_s == pytest.approx(chain_s + 1.0)
    shared = site_with('"volt_var"', ("15022?unit=1", "15021?unit=2"))
    waits = budget.response_chain(shared, shared.der[0])
    assert waits.total_s == pytest.approx(chain_s + 1.0 + shared.meter.timeout_s)
    assert f"{shared.meter.timeout_s:.2f} others on its wire" in waits.spelled()


@pytest.mark.parametrize(("slope_pct_per_s", "level"), [(9.8, "fact"), (9.7, "problem")])
def test_a_der_too_slow_for_the_response_time_is_refused(slope_pct_per_s: float, level: str) -> None:
    # The chain is 0.2 + 0.02 + 0.04 + 0.3 + 0.03 + 0.2 = 0.79 s: 90 % / slope has the rest of the 10 s.
    made = site_with('"volt_watt"', ("slope_pct_per_s = 100.0", f"slope_pct_per_s = {slope_pct_per_s}"))
    chain_s = budget.response_chain(made, made.der[0]).total_s
    assert (chain_s + 90.0 / slope_pct_per_s > 10.0) == (level == "problem")
    found = said(made)
    assert [one[0] for one in found] == [level]
    assert f"needs {90.0 / slope_pct_per_s:.2f} s" in found[0][2] or level == "fact"


def test_the_response_time_may_be_used_up() -> None:
    own = (
        'profile = "sunspec-7xx"\n',
        'profile = "sunspec-7xx"\ngateway_voltage = "inverter"\npoll_s = 0.25\ntimeout_s = 0.125\n',
    )
    made = site_with(
        '"volt_watt"',
        own,
        ("dead_time_s = 0.2", "dead_time_s = 0.47"),
        ("slope_pct_per_s = 100.0", "slope_pct_per_s = 10.0"),
    )
    assert budget.response_chain(made, made.der[0]).total_s == 1.0
    assert [one[0] for one in said(made)] == ["fact"]


def test_volt_watt_is_declared_where_it_runs() -> None:
    undeclared = said(site_with('"volt_watt"', declared=False))
    assert undeclared[0][:2] == ("problem", "agreement.volt_watt_at")
    assert 'is "inverter"' in undeclared[0][2]
    nobody = said(site(TOLD))
    assert [one[:2] for one in nobody] == [("problem", "agreement.volt_watt_at")]
    assert said(site_with('"volt_var"', declared=False))[0][0] == "fact"


def test_a_function_named_twice_is_refused() -> None:
    assert ("problem", "der[0].gateway_functions") in [
        one[:2] for one in said(site_with('"volt_watt", "volt_watt"'))
    ]


def test_droop_is_about_sixty_hertz() -> None:
    there = ("nominal_hz = 60", "nominal_hz = 50")
    assert [one[0] for one in said(site_with('"freq_droop"', there, declared=False))] == ["problem", "fact"]
    found = said(site_with('"freq_droop"', declared=False))
    assert [one[0] for one in found] == ["fact"]
    assert "PF_MODE_ENABLE" in found[0][2]
    assert [one[0] for one in said(site_with('"volt_var"', there, declared=False))] == ["fact"]


def test_droop_sees_the_frequency_of_the_pcc_whatever_the_voltage() -> None:
    own = ('profile = "sunspec-7xx"\n', 'profile = "sunspec-7xx"\ngateway_voltage = "inverter"\n')
    droop, volt_var = said(site_with('"freq_droop", "volt_var"', own, declared=False))
    assert "of the PCC" in droop[2]
    assert "of the inverter" in volt_var[2]
