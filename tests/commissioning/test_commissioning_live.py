"""The real thing: a served site, its agent, and the command as an installer runs it; killed in the middle, too."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from commissioning.files import read
from commissioning.procedure import ORDER
from contract.client import AgentClient, AgentUnreachableError, socket_path
from contract.socket import Models, ReadModelsRequest
from contract.status import Status

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
SITES = ROOT / "sim" / "sites"
DERGATE = [sys.executable, "-m", "cli.main"]


@dataclass(frozen=True)
class Live:
    """A site with its agent."""

    folder: Path
    site_file: Path

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """`dergate commission` of this site."""
        command = [*DERGATE, "commission", str(self.site_file), *arguments]
        return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        with self.start(*arguments) as process:
            out, err = process.communicate()
        return process.returncode, out, err

    def status(self) -> Status:
        async def ask() -> Status:
            async with AgentClient(socket_path(self.site_file)) as agent:
                return await agent.status()

        return asyncio.run(ask())

    def delay_s(self) -> float:
        """What inverter-1 holds as its enter service delay."""

        async def ask() -> Models:
            async with AgentClient(socket_path(self.site_file)) as agent:
                return await agent.ask(ReadModelsRequest(device="inverter-1", models=(703,)), Models)

        (model,) = asyncio.run(ask()).models
        return float(model["points"]["ESDlyTms"])


def until(holds: Callable[[], bool], within_s: float) -> None:
    end_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.05)


@contextmanager
def process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block."""
    with subprocess.Popen(command, cwd=ROOT, text=True, **options) as started:
        try:
            yield started
        finally:
            started.terminate()


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    """The demo plant without its script, on free ports."""
    folder = Path(tempfile.mkdtemp(prefix="dc"))
    os.environ["DERGATE_RUNTIME_DIR"] = str(folder)
    sim_text, _, _ = (SITES / "demo.sim.toml").read_text().partition("[[script]]")
    (folder / "sim.toml").write_text(sim_text)
    serve = [*DERGATE, "sim", "serve", str(folder / "sim.toml"), "--json", "--port-base", "0"]
    with process(serve, stdout=subprocess.PIPE) as sim:
        assert sim.stdout is not None
        ready = json.loads(sim.stdout.readline())
        site_file = folder / "live.site.toml"
        site_file.write_text(on_ports(ready["devices"]))
        run = [*DERGATE, "run", str(site_file), "--no-link", "--new-site"]
        with (folder / "agent.log").open("w") as log, process(run, stderr=log):
            found = Live(folder, site_file)
            until(lambda: in_service(found), 20)
            apply = [*DERGATE, "tiir", "apply", str(site_file)]
            # 1 says that inverter-2 has settings that cannot be set, which is so.
            assert subprocess.run(apply, cwd=ROOT, capture_output=True, check=False).returncode in (0, 1)
            yield found
    del os.environ["DERGATE_RUNTIME_DIR"]
    shutil.rmtree(folder)


def on_ports(devices: list[dict[str, Any]]) -> str:
    """The demo's site file with the ports that the simulator took; output climbs faster, to wait less."""
    text = (SITES / "demo.site.toml").read_text()
    assert "[control]" in text
    text = text.replace("[control]", "[control]\nramp_up_pct_per_s = 50.0")
    default = {"meter": 15021, "inverter-1": 15022, "inverter-2": 15023, "coil-2": 15024}
    for device in devices:
        text = text.replace(f"tcp://127.0.0.1:{default[device['role']]}?unit=1", device["uri"])
    return text


def in_service(live: Live) -> bool:
    try:
        return live.status().mode == "regulating"
    except AgentUnreachableError:
        return False


def test_a_setting_is_put_back_after_kill_9(live: Live) -> None:
    before_s = live.delay_s()
    running = live.start("--out", str(live.folder / "killed"), "--tests", "settings")
    until(lambda: live.delay_s() == before_s + 1, 20)
    running.kill()
    running.communicate()
    assert live.delay_s() == before_s + 1
    assert live.run("--restore-only", "--json")[:2] == (0, '{"restored": 1}\n')
    assert live.delay_s() == before_s
    assert live.run("--restore-only", "--json")[:2] == (0, '{"restored": 0}\n')


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_setting_is_put_back_when_interrupted(live: Live, sent: signal.Signals) -> None:
    before_s = live.delay_s()
    running = live.start("--out", str(live.folder / "stopped"), "--tests", "settings")
    until(lambda: live.delay_s() == before_s + 1, 20)
    running.send_signal(sent)
    _, said = running.communicate()
    assert running.returncode == 1
    assert "interrupted; everything that was changed has been put back" in said
    assert live.delay_s() == before_s


def test_what_narrowed_the_site_ends_with_a_killed_run(live: Live) -> None:
    running = live.start("--out", str(live.folder / "blind"), "--tests", "meter-loss")
    until(lambda: bool(live.status().overrides), 40)
    running.kill()
    running.communicate()
    until(lambda: not live.status().overrides, 2)
    until(lambda: live.status().mode == "regulating", 30)


def test_the_demo_site_passes_and_its_report_is_recorded(live: Live) -> None:
    out = live.folder / "out"
    status, said, told = live.run("--out", str(out), "--operator", "A. Installer", "--json")
    summary = json.loads(said)
    assert {test["id"]: test["verdict"] for test in summary["tests"]} == dict.fromkeys(ORDER, "pass"), told
    assert (status, summary["verdict"]) == (0, "pass")
    assert summary["recorded_seq"] >= 1
    report = read(out / "report.json")
    assert report.operator == "A. Installer"
    assert all(test.restored for test in report.tests)
    pdf = PdfReader(out / "report.pdf")
    assert "PASS" in pdf.pages[0].extract_text()
    with_series = [test for test in report.tests if test.series]
    assert sum(len(page.images) for page in pdf.pages) >= len(with_series) == 4
    assert {path.stem for path in (out / "series").glob("*.csv")} == {test.id for test in with_series}
