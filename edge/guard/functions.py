"""What `check` says of functions that the gateway runs for inverters that lack them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from edge.guard import budget
from edge.guard.finding import Finding
from edge.model.required import required_settings
from edge.model.site import Der, Site
from tiir.elsewhere import ENABLES
from tiir.known import amount

_RESPONSE = {"volt_var": "QV_OLRT", "volt_watt": "PV_OLRT", "freq_droop": "PF_OLRT"}
_SLOPE_SHARE = 0.9
"""A response time means 90 % of the step."""


def run_by_gateway(site: Site) -> Iterator[Finding]:
    """Whether each function runs once, and in its time; and whether the application says the same."""
    yield from _declared(site)
    for index, der in enumerate(site.der):
        path = f"der[{index}].gateway_functions"
        if len(set(der.gateway_functions)) < len(der.gateway_functions):
            yield Finding("problem", path, f"{der.name} names a function twice; it runs once")
        if "freq_droop" in der.gateway_functions and site.site.nominal_hz != 60:
            yield Finding(
                "problem", path, "freq_droop is that of IEEE 1547-2018, about 60 Hz; this grid has 50"
            )
        for function in der.gateway_functions:
            yield _in_time(site, der, path, function)


def _declared(site: Site) -> Iterator[Finding]:
    """Attachment 3 asks where volt-watt runs."""
    here = [der.name for der in site.der if "volt_watt" in der.gateway_functions]
    declared = site.agreement.volt_watt_at
    if here and declared != "plant":
        yield Finding(
            "problem",
            "agreement.volt_watt_at",
            f'is "{declared}", but the gateway runs volt-watt for {", ".join(here)}: it must be "plant"',
        )
    if declared == "plant" and not here:
        yield Finding(
            "problem",
            "agreement.volt_watt_at",
            'is "plant", but no der names "volt_watt" among its gateway_functions',
        )


def _in_time(site: Site, der: Der, path: str, function: str) -> Finding:
    chain = budget.response_chain(site, der)
    response_s = amount(required_settings(site, der), _RESPONSE[function])
    travel_s = _SLOPE_SHARE * 100.0 / der.slope_pct_per_s
    if chain.total_s + travel_s > response_s:
        return Finding(
            "problem",
            path,
            f"{function} must cover 90 % of a step within {response_s:g} s; {chain.spelled()}, and {der.name}"
            f" needs {travel_s:.2f} s for 90 % of its rating",
        )
    return Finding(
        "fact",
        path,
        f"the gateway runs {function} for {der.name} by the voltage of the {_where(der, function)}, 90 % of a step within"
        f" {response_s:g} s, of which {chain.spelled()} pass before it moves; {ENABLES[function]} must be off in the device",
    )


def _where(der: Der, function: str) -> str:
    return "PCC" if function == "freq_droop" or der.gateway_voltage == "pcc" else "inverter"
