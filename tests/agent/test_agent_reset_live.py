"""A site without its state starts tripped; `dergate reset` is the way out, and `watch --json` shows it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from live_site import agent_process, demo_on, dergate, sim_served, status_json

pytestmark = [pytest.mark.live, pytest.mark.timeout(90)]


def test_lost_state_is_reset_by_hand(tmp_path: Path) -> None:
    with sim_served() as sim:
        site_file = demo_on(tmp_path, sim)
        with agent_process(site_file):
            deadline = time.monotonic() + 20
            while not (status := status_json(site_file)) or status["mode"] == "starting":
                assert time.monotonic() < deadline, status
                time.sleep(0.1)
            assert status["trip"]["target"] == "state-lost"
            assert not sim.truth().closed
            done = dergate("reset", str(site_file), "--by", "A. Installer")
            assert done.returncode == 0, done.stderr
            sim.until(lambda truth: truth.closed, 15)
            watched = dergate("watch", str(site_file), "--json", "--duration", "2")
            lines = [json.loads(line) for line in watched.stdout.splitlines()]
            assert len(lines) >= 2
            assert not lines[-1]["trip"]["tripped"]
        done = dergate("reset", str(site_file))
        assert done.returncode == 3
        assert len(done.stderr.strip().splitlines()) == 1
