"""The demo's own copy of the shipped site file: every device on the simulator's ports, whatever stands around `uri`."""

from __future__ import annotations

import pytest

from cli.demo.stage import StageError, _with_uri
from edge.model.site import ModbusCoil, Site
from edge.model.strict_toml import load
from sim.simfile import DEMO

SHIPPED = DEMO.with_name("demo.site.toml").read_text(encoding="utf-8")


def test_every_device_of_the_shipped_file_gets_its_address() -> None:
    text = SHIPPED
    roles = ("meter", "inverter-1", "inverter-2", "coil-2")
    for port, role in enumerate(roles, 20_001):
        text = _with_uri(text, role, f"tcp://127.0.0.1:{port}?unit=1")
    site = load(Site, text, "demo.site.toml")
    (coil,) = site.trip_output
    assert isinstance(coil, ModbusCoil)
    found = (site.meter.uri, *(der.uri for der in site.der), coil.uri)
    assert found == tuple(f"tcp://127.0.0.1:{port}?unit=1" for port in (20_001, 20_002, 20_003, 20_004))


def test_a_device_without_an_address_does_not_take_the_next_ones() -> None:
    text = '[[der]]\nname = "one"\n\n[[der]]\nname = "two"\nuri = "tcp://127.0.0.1:1"\n'
    with pytest.raises(StageError, match="no device one"):
        _with_uri(text, "one", "tcp://127.0.0.1:2")
    with pytest.raises(StageError, match="no device three"):
        _with_uri(text, "three", "tcp://127.0.0.1:2")
