"""A site served by the simulator and an agent that runs it, both as processes of their own, over Modbus on loopback.

The simulator's own log is the judge: contact and powers as they really are, in time of the monotonic clock, which
all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self, TypeVar

from benchmarks.dead.sites import Kind
from benchmarks.dead.watcher import Watcher
from benchmarks.registry import UnmeasuredError
from contract.client import AgentClient, AgentRefusedError, AgentUnreachableError, socket_path
from contract.socket import Accepted, Events, EventsRequest, EventStatus, ResetRequest
from contract.status import Status
from sim.truth import Row
from sim.truthlog import Follower

T = TypeVar("T")
_END_S = 20.0
_LOOK_S = 0.02


class Rig:
    """One site with its agent in a folder. Use as a context manager: it ends what it started.

    `waited_s`: how long its processes were kept waiting for a core, in all; known at the end.
    """

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.state_dir = folder / "state"
        self.site_file = folder / "dead.site.toml"
        self.rows: list[Row] = []
        self.agent: subprocess.Popen[bytes]
        self.watcher: Watcher
        self.waited_s = 0.0
        self._clock = folder / "clock"
        self._clock.write_bytes(struct.pack("d", 0.0))
        self._agents: list[subprocess.Popen[bytes]] = []
        self._watchers: list[Watcher] = []

    def __enter__(self) -> Self:
        sim_file = self.folder / "dead.sim.toml"
        sim_file.write_text(self.kind.sim_text(), encoding="utf-8")
        truth = self.folder / "truth.csv"
        serve = [
            "sim",
            "serve",
            str(sim_file),
            "--json",
            "--control",
            "--port-base",
            "0",
            "--truth",
            str(truth),
        ]
        with self._log("sim") as sim_log:
            self._sim = subprocess.Popen(
                [sys.executable, "-m", "cli.main", *serve],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sim_log,
            )
        ready = self._answer()
        uris = {device["role"]: device["uri"] for device in ready["devices"]}
        self.site_file.write_text(self.kind.site_text(uris), encoding="utf-8")
        self._truth = Follower(truth)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        alive = [process.pid for process in (self._sim, *self._agents) if process.poll() is None]
        self.waited_s += sum(map(_waited_s, alive))
        for watcher in self._watchers:
            watcher.end()
        for agent in self._agents:
            if agent.poll() is None:
                agent.kill()
                agent.wait(_END_S)
        if self._sim.stdin and self._sim.stdout:
            self._sim.stdin.close()  # which ends it
            self._sim.wait(_END_S)
            self._sim.stdout.close()

    def start_agent(self, *options: str, file_bytes: int | None = None) -> float:
        """Start the agent; the monotonic time of starting it."""
        command = ["run", str(self.site_file), "--state-dir", str(self.state_dir), *options]
        environment = os.environ | {
            "DERGATE_RUNTIME_DIR": str(self.folder / "run"),
            "DERGATE_HARM_CLOCK": str(self._clock),
            "DERGATE_HARM_FILE_BYTES": "" if file_bytes is None else str(file_bytes),
        }
        at_s = time.monotonic()
        with self._log("agent") as log:
            self.agent = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.dead.armed", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment,
            )
        self._agents.append(self.agent)
        self.watcher = Watcher(self._socket)
        self._watchers.append(self.watcher)
        return at_s

    def end_agent(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send the agent a signal and see it end."""
        self.waited_s += _waited_s(self.agent.pid)
        self.agent.send_signal(number)
        self.agent.wait(_END_S)
        self.watcher.end()

    def kill(self, pid: int) -> None:
        """SIGKILL a process of this agent's."""
        os.kill(pid, signal.SIGKILL)

    def step_clock(self, by_s: float) -> None:
        """From now on the wall clock of this site's agents is off by this much."""
        self._clock.write_bytes(struct.pack("d", by_s))

    def order(self, **order: Any) -> float:
        """Give the simulated site an order; the monotonic time at which it takes effect."""
        assert self._sim.stdin is not None, "it is a pipe"
        self._sim.stdin.write(json.dumps(order).encode() + b"\n")
        self._sim.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            raise UnmeasuredError(f"the simulator refused {order}: {answer['error']}")
        return float(answer["t_s"])

    def until(self, what: str, holds: Callable[[], bool], within_s: float) -> float:
        """Watch the truth until something holds; how long that took.

        Raises:
            UnmeasuredError: It took too long.
        """
        begun_s = time.monotonic()
        while True:
            self.rows += self._truth.rows()
            if holds():
                return time.monotonic() - begun_s
            if time.monotonic() - begun_s > within_s:
                raise UnmeasuredError(f"{what} took longer than {within_s:g} s; {self.last_words()}")
            time.sleep(_LOOK_S)

    def watch(self, for_s: float) -> None:
        """Let time pass, and see what happens in it."""
        end_s = time.monotonic() + for_s
        self.until(
            "watching", lambda: time.monotonic() >= end_s and self.rows[-1].t_s >= end_s - 0.2, for_s + 5.0
        )

    def watch_until(self, holds: Callable[[Row], bool], for_s: float) -> None:
        """Let time pass until something is true, or no longer than `for_s`."""
        end_s = time.monotonic() + for_s
        self.until("watching", lambda: holds(self.rows[-1]) or time.monotonic() >= end_s, for_s + 5.0)

    def now(self) -> Row:
        """The truth now."""
        self.rows += self._truth.rows()
        return self.rows[-1]

    def status(self) -> Status | None:
        """What the agent says of itself; None when it does not answer."""
        return self._ask(lambda agent: agent.status())

    def events(self) -> tuple[EventStatus, ...]:
        """What the agent keeps as events."""
        found = self._ask(lambda agent: agent.ask(EventsRequest(last=1000), Events))
        return found.events if found else ()

    def reset(self) -> bool:
        """Reset the trip latch by hand; False when that is refused, or nobody answers."""
        return self._ask(lambda agent: agent.ask(ResetRequest(by="rig"), Accepted)) is not None

    def last_words(self) -> str:
        """The last line that the agent wrote, its last scan and the truth now."""
        lines = (self.folder / "agent.log").read_text(encoding="utf-8").strip().splitlines()
        scan = self.watcher.scans[-1] if self.watcher.scans else None
        return f"it said last: {lines[-1] if lines else 'nothing'}; its last scan: {scan}; the truth: {self.now()}"

    @property
    def _socket(self) -> Path:
        return self.folder / "run" / "dergate" / socket_path(self.site_file).name

    def _ask(self, question: Callable[[AgentClient], Awaitable[T]]) -> T | None:
        async def asked() -> T:
            async with AgentClient(self._socket, timeout_s=3.0) as agent:
                return await question(agent)

        try:
            return asyncio.run(asked())
        except (AgentUnreachableError, AgentRefusedError):
            return None

    def _answer(self) -> dict[str, Any]:
        assert self._sim.stdout is not None, "it is a pipe"
        line = self._sim.stdout.readline()
        if not line:
            raise UnmeasuredError("the simulator has ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def _log(self, name: str) -> BinaryIO:
        return (self.folder / f"{name}.log").open("ab")


def _waited_s(pid: int) -> float:
    """How long a process was ready to run and had no core (proc(5): schedstat); 0 where the kernel does not say."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0
