"""A limit on each phase and one in kVA over Modbus: what the meter shows of them is read, held and shown."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from live_site import agent_process, sim_served, status_json

from sim.base import SITES
from sim.scenario import load_scenario

pytestmark = pytest.mark.live

SCENARIO = """
name = "phases-live"
shows = "A load on phase a alone leaves b and c to reach their limit."
duration_s = 16.0
site = "reverting"

[plant.load]
base_w = 30_000.0
share = [0.8, 0.1, 0.1]

[expect]
trips = 0
"""
PHASE_W = 7_000.0
LIMITED = f"export_limit_phase_w = {PHASE_W}\nexport_limit_va = 26_000.0\nexport_limit_w"
INSTRUMENTS = "[meter.instruments]\nexpected_var = 5_000.0\nmeter_error_pct = 0.2\n\n[[der]]"


def regulating(file: Path) -> dict[str, Any]:
    """The status once phases b and c stand at their limit."""
    deadline_s = time.monotonic() + 30.0
    while True:
        status = status_json(file)
        shown = status["image"]["pcc"]["phase_export_w"] if status else ()
        if (
            status
            and status["mode"] == "regulating"
            and all((phase["value"] or 0.0) > 0.9 * PHASE_W for phase in shown[1:])
        ):
            return status
        assert time.monotonic() < deadline_s, status
        time.sleep(0.2)


@pytest.mark.timeout(60)
def test_every_phase_is_held_over_modbus(tmp_path: Path) -> None:
    path = tmp_path / "phases-live.toml"
    path.write_text(SCENARIO)
    site = load_scenario(path).site_file
    text = (SITES / "reverting.site.toml").read_text(encoding="utf-8")
    text = text.replace("export_limit_w", LIMITED, 1).replace("[[der]]", INSTRUMENTS, 1)
    text = text.replace("safe_w = 5_000.0", "safe_w = 3_500.0")
    with sim_served(path) as sim:
        for role, uri in (("meter", site.meter.uri), *((der.name, der.uri) for der in site.der)):
            text = text.replace(f":{urlsplit(uri).port}?", f":{sim.ports[role]}?")
        file = tmp_path / "here.site.toml"
        file.write_text(text)
        with agent_process(file, "--new-site"):
            status = regulating(file)
    assert status["mode"] == "regulating"
    assert {"PCS-a", "PCS-b", "PCS-c", "PCS-va"} <= {element["name"] for element in status["elements"]}
    a_w, b_w, c_w = (shown["value"] for shown in status["image"]["pcc"]["phase_export_w"])
    assert 0.9 * PHASE_W < b_w < 1.05 * PHASE_W
    assert 0.9 * PHASE_W < c_w < 1.05 * PHASE_W
    assert a_w < 0.0
    assert abs(status["image"]["pcc"]["export_var"]["value"]) < 1_000.0
    assert "export-limit-b" in {limit["by"] for limit in status["limits"]}
