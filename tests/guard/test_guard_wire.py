"""Which devices share a wire, however their URIs are spelled."""

from __future__ import annotations

import pytest
from guard_bench import site

from edge.guard import budget
from edge.guard.wire import sharers, wire


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("tcp://10.0.0.7:502?unit=1", "tcp://10.0.0.7?unit=2", True),
        ("tcp://10.0.0.7:502/?unit=1", "tcp://10.0.0.7:0502", True),
        ("tcp://Gateway:502", "tcp://gateway", True),
        ("tcp://[fe80::1]:502", "tcp://[fe80::1]", True),
        ("tcp://10.0.0.7:502", "tcp://10.0.0.7:503", False),
        ("tcp://10.0.0.7:502", "tcp://10.0.0.8:502", False),
        ("rtu:///dev/ttyUSB0?baud=9600&unit=1", "rtu:///dev/ttyUSB0?unit=2", True),
        ("rtu:///dev/ttyUSB0", "rtu:///dev/ttyUSB1", False),
        ("rtu:///dev/ttyusb0", "rtu:///dev/ttyUSB0", False),
    ],
)
def test_a_wire_is_the_host_and_port_or_the_serial_port(one: str, other: str, same: bool) -> None:
    assert (wire(one) == wire(other)) is same


def test_devices_with_a_wire_of_their_own_share_with_nobody() -> None:
    bench = site()
    for path in ("meter", "der[0]", "der[1]", "trip_output[0]"):
        assert sharers(bench, path) == {}


def test_a_meter_waits_for_the_others_at_each_attempt() -> None:
    alone_s = budget.security(site()).total_s
    shared = site(("15022?unit=1", "15021?unit=2"), ("15023?unit=1", "15021?unit=3"))
    assert sharers(shared, "meter") == {"inverter-1": 0.3, "inverter-2": 0.3}
    assert sharers(shared, "der[1]") == {"the meter": 0.15, "inverter-1": 0.3}
    assert budget.security(shared).total_s == pytest.approx(alone_s + 2 * 0.6)


def test_a_der_whose_reactive_power_is_set_may_have_two_requests_waiting() -> None:
    shared = site(
        ("15022?unit=1", "15021?unit=2"),
        ('profile = "sunspec-7xx"\n', 'profile = "sunspec-7xx"\ngateway_functions = ["volt_var"]\n'),
    )
    assert sharers(shared, "meter") == {"inverter-1": 0.6}
