"""One scenario twice: in virtual time, and served over Modbus to an agent in a process of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from live_site import agent_process, sim_served, status_json

from sim.base import SITES
from sim.run import run
from sim.scenario import Scenario, load_scenario
from sim.truth import Truth, excursions
from sim.truthlog import read_truth

pytestmark = pytest.mark.live

SCENARIO = """
name = "drop-and-silence"
shows = "The load drops, and then the meter falls silent."
duration_s = 29.0
judged_from_s = 14.0
site = "reverting"

[[event]]
at_s = 15.0
load_step_w = -36_000.0

[[fault]]
kind = "silence"
target = "meter"
at_s = 21.0

[expect]
trips = 0
fallbacks = 1
"""

FACTOR = 1.5
"""So much longer may anything take on real sockets and the real clock, and no less than its inverse."""


@dataclass(frozen=True)
class Seen:
    """What a run showed: how long export was too high after the drop, and when the output was safe after the silence."""

    excursion_s: float
    fallback_s: float
    before_w: float
    after_w: float


def seen(truth: Truth, scenario: Scenario) -> Seen:
    """What `truth` shows of it; the drop begins its first event after the start."""
    drop_s, silence_s = (at_s for at_s, _ in _events(truth))
    limit_w = scenario.site_file.agreement.export_limit_w
    (excursion,) = excursions(truth.between(drop_s - 1.0, silence_s), limit_w, scenario.sim.nameplate_w)
    since = truth.between(silence_s, float(truth.t_s[-1]))
    fallen = since.output_w < 25_500.0
    return Seen(
        excursion_s=excursion.duration_s,
        fallback_s=float(since.t_s[int(np.argmax(fallen))] - silence_s) if fallen.any() else np.inf,
        before_w=float(since.output_w[0]),
        after_w=float(since.output_w[-1]),
    )


def _events(truth: Truth) -> Iterator[tuple[float, str]]:
    return (event for event in truth.events if "load step" in event[1] or "silence" in event[1])


def near(wanted: float) -> Any:
    return pytest.approx(wanted, rel=0.03)


@pytest.mark.timeout(90)
def test_a_scenario_is_the_same_over_modbus_as_in_virtual_time(tmp_path: Path) -> None:
    path = tmp_path / "drop-and-silence.toml"
    path.write_text(SCENARIO)
    scenario = load_scenario(path)
    virtual = run(scenario)
    assert virtual.verdict == "held", virtual.findings
    with sim_served(path, "--truth", str(tmp_path / "truth.csv")) as sim:
        started_s = time.monotonic()
        site_file = tmp_path / "here.site.toml"
        site_file.write_text(_text(scenario, sim.ports))
        with agent_process(site_file, "--new-site"):
            time.sleep(scenario.duration_s - (time.monotonic() - started_s))
            mode = status_json(site_file)["mode"]
    calm, live = seen(virtual.truth, scenario), seen(read_truth(tmp_path / "truth.csv"), scenario)
    assert mode == "fallback"
    assert calm.excursion_s / FACTOR < live.excursion_s < calm.excursion_s * FACTOR
    assert calm.fallback_s / FACTOR < live.fallback_s < calm.fallback_s * FACTOR
    assert (live.before_w, live.after_w) == (near(calm.before_w), near(calm.after_w))


def _text(scenario: Scenario, ports: dict[str, int]) -> str:
    """The base's site file with the ports of a running simulator."""
    text = (SITES / f"{scenario.site}.site.toml").read_text(encoding="utf-8")
    site = scenario.site_file
    for role, uri in (("meter", site.meter.uri), *((der.name, der.uri) for der in site.der)):
        text = text.replace(f":{urlsplit(uri).port}?", f":{ports[role]}?")
    return text
