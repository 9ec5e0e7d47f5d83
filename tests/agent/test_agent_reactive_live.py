"""Volt-var by a real agent over Modbus: an inverter without it absorbs as the profile's curve asks, and lets go."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live_site import LiveSim, agent_process, demo_on, dergate, sim_served

pytestmark = pytest.mark.live
DEMO = Path(__file__).parents[2] / "sim" / "sites" / "demo.sim.toml"
CURVE_PCT = 100 * 0.44 * (1.05 - 1.02) / 0.06
"""At 1.05 pu the curve asks for half of 44 % of apparent power."""


def points(sim: LiveSim) -> dict[str, Any]:
    done = dergate("read", f"tcp://127.0.0.1:{sim.ports['inverter-1']}?unit=1", "--model", "704", "--json")
    return dict(json.loads(done.stdout)["models"][0]["points"])


def until(condition: Callable[[], bool], within_s: float) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "did not happen in time"


def test_an_inverter_without_volt_var_gets_it_from_the_gateway() -> None:
    folder = Path(tempfile.mkdtemp(prefix="dg"))
    high = folder / "high.sim.toml"
    high.write_text(DEMO.read_text().replace("hz = 60.0\n", "hz = 60.0\nvoltage_pu = 1.05\n"))
    with sim_served(high) as sim:
        site = demo_on(folder, sim)
        text = site.read_text()
        site.write_text(
            text.replace('"sunspec-7xx"\n', '"sunspec-7xx"\ngateway_functions = ["volt_var"]\n', 1)
        )
        with agent_process(site, "--new-site") as agent:
            # Of the device's 22 kVA, which the site file calls 20 kVA; the PCC is a little above the source.
            wanted_pct = -CURVE_PCT * 20 / 22
            until(lambda: abs(float(points(sim)["VarSetPct"]) - wanted_pct) < 2.5, 20.0)
            shown = points(sim)
            assert (shown["VarSetEna"], shown["VarSetRvrtTms"]) == (1, 10)
            agent.send_signal(signal.SIGKILL)
            agent.wait(5)
            until(lambda: points(sim)["VarSetEna"] == 0, 15.0)
    shutil.rmtree(folder)
