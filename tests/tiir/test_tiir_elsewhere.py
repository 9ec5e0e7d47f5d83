"""What is required of a DER whose functions run elsewhere."""

from __future__ import annotations

import pytest

from tiir import catalogue
from tiir.elsewhere import ENABLES, run_elsewhere
from tiir.held import site_requires

ASKED = site_requires("irec-2023-inverter", bidirectional=False, rated_va=None)


def functions(values: object) -> set[str]:
    known = catalogue.settings()
    return {known[label].function for label in values}  # type: ignore[attr-defined]


def test_nothing_elsewhere_changes_nothing() -> None:
    assert run_elsewhere(ASKED, ()) == ASKED


@pytest.mark.parametrize("function", ["volt_watt", "freq_droop", "volt_var"])
def test_a_function_elsewhere_is_off_in_the_device_and_nothing_else_is_asked_of_it(function: str) -> None:
    left = run_elsewhere(ASKED, [function])
    assert left[ENABLES[function]] is False
    assert [label for label in left if catalogue.settings()[label].function == function] == [
        ENABLES[function]
    ]
    gone = {function, "const_q"} if function == "volt_var" else {function}
    assert functions(left) == functions(ASKED) - (gone - {function})
    assert all(left[label] == ASKED[label] for label in left if label != ENABLES[function])
