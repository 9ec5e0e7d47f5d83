"""Functions that are run for a DER by somebody else, a plant controller: what is then required of the DER itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tiir import catalogue
from tiir.values import Value, Values

ENABLES: Mapping[str, str] = {
    "volt_var": "QV_MODE_ENABLE",
    "volt_watt": "PV_MODE_ENABLE",
    "freq_droop": "PF_MODE_ENABLE",
}
"""The functions of IEEE 1547-2018 that a plant controller may run, each with the setting that enables it in a DER."""

_TAKEN = {"volt_var": "const_q"}
"""A plant controller's volt-var gives the DER constant reactive power, and changes it."""


def run_elsewhere(required: Values, functions: Collection[str]) -> dict[str, Value]:
    """`required` of a DER for which `functions` run elsewhere: each must be off in it, lest it runs twice.

    What else belongs to these functions is asked of who runs them.
    """
    known = catalogue.settings()
    apart = {*functions, *(_TAKEN[function] for function in functions if function in _TAKEN)}
    kept = {label: value for label, value in required.items() if known[label].function not in apart}
    return kept | {ENABLES[function]: False for function in ENABLES if function in functions}
