"""Export-only over Modbus: a battery that always wants to charge, held by the agent in a process of its own (124)."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from live_site import agent_process, sim_served, status_json

from sim.base import SITES
from sim.scenario import load_scenario
from sim.truth import longest_s
from sim.truthlog import read_truth

pytestmark = pytest.mark.live

SCENARIO = """
name = "export-only-live"
shows = "Surplus is absorbed, and nothing is taken from the grid when the sun goes."
duration_s = 21.0
site = "storage"

[[event]]
at_s = 0.0
role = "battery-1"
wish_w = -30_000.0

[[event]]
at_s = 13.0
load_w = 10_000.0

[[event]]
at_s = 17.0
sun_pu = 0.0

[expect]
trips = 0
"""
BATTERY = 1
TAKEN_W = 500.0


@pytest.mark.timeout(60)
def test_storage_is_held_over_modbus(tmp_path: Path) -> None:
    path = tmp_path / "export-only-live.toml"
    path.write_text(SCENARIO)
    scenario = load_scenario(path)
    with sim_served(path, "--truth", str(tmp_path / "truth.csv")) as sim:
        started_s = time.monotonic()
        site = scenario.site_file
        text = (
            (SITES / "storage.site.toml")
            .read_text(encoding="utf-8")
            .replace('"unrestricted"', '"export_only"')
        )
        devices = [
            ("meter", site.meter.uri),
            *((der.name, der.uri) for der in site.der),
            ("coil-1", ":15124?"),
        ]
        for role, uri in devices:
            text = text.replace(f":{urlsplit(uri).port or 15124}?", f":{sim.ports[role]}?")
        site_file = tmp_path / "here.site.toml"
        site_file.write_text(text)
        with agent_process(site_file, "--new-site"):
            time.sleep(scenario.duration_s - (time.monotonic() - started_s))
            status = status_json(site_file)
    truth = read_truth(tmp_path / "truth.csv")
    begin_s = float(truth.t_s[0])
    regulated = truth.between(begin_s + 10.0, begin_s + scenario.duration_s - 0.5)
    assert (status["mode"], status["trips"]) == ("regulating", 0)
    assert longest_s(regulated.taken_w([BATTERY]) > TAKEN_W, regulated.dt_s) < 1.5
    absorbing = truth.between(begin_s + 15.5, begin_s + 16.9)
    assert float(absorbing.inverter_w[:, BATTERY].max()) < -29_000.0
    dark = truth.between(begin_s + 18.9, begin_s + 20.0)
    assert float(abs(dark.inverter_w[:, BATTERY]).max()) < 10.0
