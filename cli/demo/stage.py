"""The processes of the demo: simulated site, broker, portal, agent with its link. Real ones, on loopback."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.link.orphan import end_with_parent
from edge.link.private_broker import PrivateBroker, PrivateBrokerError
from edge.model.site import Site
from edge.model.strict_toml import load
from sim.simfile import DEMO

READY_S = 20.0


class StageError(Exception):
    """A process of the demo did not come up; one sentence."""


class Stage:
    """Starts everything in `folder` and ends everything it started. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site_file = folder / "demo.site.toml"
        self.truth_file = folder / "truth.csv"
        self.portal_db = folder / "portal.sqlite"
        self.portal_url = ""
        self.limit_w = 0.0
        self.broker: PrivateBroker
        self.agent: subprocess.Popen[str]
        self.devices: dict[str, str] = {}
        self._sim: subprocess.Popen[str]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except PrivateBrokerError as error:
            self._stack.close()
            raise StageError(str(error)) from error
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def start_agent(self, *, new_site: bool = False) -> None:
        """Start the agent (it starts its link)."""
        arguments = ["run", str(self.site_file), *(["--new-site"] if new_site else [])]
        self.agent = self._spawn("agent", arguments)

    def agent_ended(self) -> str | None:
        """What the agent said last, when it has ended without being told to; None while it runs."""
        if self.agent.poll() is None:
            return None
        said = (self.folder / "agent.log").read_text(encoding="utf-8").strip().splitlines()
        return f"the agent ended by itself: {said[-1] if said else 'it said nothing'}"

    def expect_site(self) -> None:
        """Raise StageError when the simulated site is gone: then there is nothing to see any more."""
        if self._sim.poll() is not None:
            raise StageError("the simulated site has ended")

    def signal_agent(self, number: signal.Signals) -> float:
        """Send the agent a signal; the monotonic time of sending."""
        at_s = time.monotonic()
        self.agent.send_signal(number)
        return at_s

    def order(self, **order: Any) -> float:
        """Give the simulated site an order; the monotonic time at which it took effect."""
        if self._sim.stdin is None or self._sim.stdout is None:
            raise StageError("the simulated site has no control channel")
        try:
            self._sim.stdin.write(json.dumps(order) + "\n")
            self._sim.stdin.flush()
        except BrokenPipeError as error:
            raise StageError("the simulated site has ended") from error
        answer = json.loads(self._sim.stdout.readline() or '{"error": "it ended"}')
        if "error" in answer:
            raise StageError(f"the simulated site refused {order}: {answer['error']}")
        return float(answer["t_s"])

    def _start(self) -> None:
        sim = [
            "sim",
            "serve",
            str(DEMO),
            "--json",
            "--control",
            "--port-base",
            "0",
            "--truth",
            str(self.truth_file),
        ]
        self._sim = self._spawn("sim", sim, piped=True)
        ready = self._first_line(self._sim, "sim")
        self.devices = {device["role"]: device["uri"] for device in ready["devices"]}
        self.order(script="hold")
        self.broker = self._stack.enter_context(PrivateBroker(self.folder / "broker"))
        self._write_site()
        portal = [
            "portal", "serve", "--db", str(self.portal_db), "--broker", self.broker.uri, "--port", "0", "--json",
        ]  # fmt: skip
        self.portal_url = str(self._first_line(self._spawn("portal", portal, piped=True), "portal")["url"])

    def _write_site(self) -> None:
        """The shipped site file with the simulator's ports and the private broker in it."""
        text = DEMO.with_name("demo.site.toml").read_text(encoding="utf-8")
        for role, uri in self.devices.items():
            text = _with_uri(text, role, uri)
        self.limit_w = load(Site, text, "demo.site.toml").limit_w
        text += f'\n[link]\nbroker = "{self.broker.uri}"\n'
        self.site_file.write_text(text, encoding="utf-8")

    def _spawn(self, name: str, arguments: Sequence[str], *, piped: bool = False) -> subprocess.Popen[str]:
        log = self._stack.enter_context((self.folder / f"{name}.log").open("a", encoding="utf-8"))
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", *arguments],
            stdin=subprocess.PIPE if piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if piped else log,
            stderr=log,
            text=True,
            preexec_fn=end_with_parent(),  # noqa: PLW1509 - no threads of ours run yet
        )
        self._stack.callback(_end, process)
        return process

    def _first_line(self, process: subprocess.Popen[str], name: str) -> dict[str, Any]:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            log = (self.folder / f"{name}.log").read_text(encoding="utf-8").strip().splitlines()
            raise StageError(f"{name} did not start: {log[-1] if log else 'it said nothing'}")
        found: dict[str, Any] = json.loads(line)
        return found


def _with_uri(text: str, role: str, uri: str) -> str:
    """Put `uri` where the table of `role` names its own (`[meter]`, or the table with that name)."""
    anchor = r"\[meter\]\n" if role == "meter" else rf'name = "{re.escape(role)}"\n'
    between = r"(?:[^\[\n][^\n]*\n)*?"  # other keys of that table
    changed, count = re.subn(rf'({anchor}{between}uri = ")[^"]*"', lambda found: f'{found[1]}{uri}"', text)
    if count != 1:
        raise StageError(f"the demo's site file has no device {role}")
    return changed


def _end(process: subprocess.Popen[str]) -> None:
    """End a process; one that is stopped is woken first, one that does not listen is killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(READY_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
