"""A real portal process and a real gateway with its link process, for tests."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contract.envelope import RecordClass
from contract.records import Payload, kind_of
from edge.spool import Spool

ROOT = Path(__file__).parents[2]


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for something that processes bring about."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


@dataclass
class PortalProcess:
    """`dergate portal serve` as a process of its own."""

    db: Path
    broker: str
    process: subprocess.Popen[str] | None = None
    url: str = ""

    def start(self, prelude: str = "") -> None:
        code = f"{prelude}\nfrom cli.portal import app\napp()"
        arguments = ["serve", "--db", str(self.db), "--broker", self.broker, "--port", "0", "--json"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        assert ready["pid"] == self.process.pid
        self.url = ready["url"]

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        assert self.process is not None
        code = self.process.wait(15)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def ask(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.db, timeout=10)) as db:
            return db.execute(query, parameters).fetchall()

    def count(self) -> int:
        return int(self.ask("SELECT count(*) FROM records")[0][0])


@dataclass
class Gateway:
    """A gateway's spool and, on demand, its link process."""

    folder: Path
    broker: str
    name: str = "gw-1"
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.folder / f"{self.name}.log"
        self.spool = Spool(self.folder / f"{self.name}.db", self.name)

    def put(self, payload: Payload, record_class: RecordClass = RecordClass.EVIDENCE) -> int:
        return self.spool.append(
            kind_of(payload),
            record_class,
            payload,
            when=datetime.now(UTC),
            time_quality="synchronised",
            mono_s=time.monotonic(),
        )

    def start(self) -> None:
        arguments = ["--spool", str(self.folder / f"{self.name}.db"), "--gateway", self.name]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "edge.link", *arguments, "--broker", self.broker], stderr=log, cwd=ROOT
            )

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(15)
        self.process = None
        return code

    def empty(self) -> bool:
        return self.spool.count() == 0
