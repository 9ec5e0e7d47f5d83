"""Runs mutants against the tests of the heart, each in a forked process; nothing is written into the tree.

A child forgets the heart and its tests, imports them again with the change in place, and runs what reaches the
changed line, file by file, the nearest and quickest first, until a test fails. Constants and defaults meet all the
other tests too.
"""

from __future__ import annotations

import importlib.util
import math
import os
import resource
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Literal, NoReturn

import pytest
from mutation_mutants import Mutant
from mutation_record import Record

Verdict = Literal["survived", "failed", "broken", "endless", "crashed"]
"""`broken`: a test file could not be imported. `crashed`: the trial itself went wrong, which is nobody's kill."""
EXITS: tuple[Verdict, ...] = ("survived", "failed", "broken", "crashed")
MEMORY_BYTES = 4 << 30


@dataclass
class Trial:
    """A pytest plugin beside `Record`. Of `todo`, those in `excused` meet only the tests that reach them."""

    record: Record
    targets: tuple[str, ...]
    todo: Sequence[Mutant]
    excused: frozenset[tuple[str, str]]
    workers: int
    tell: Callable[[Mutant], None]
    """Called with each survivor at once: a whole run takes minutes."""
    begin_within_s: float = math.inf
    """No mutant is begun later than this."""
    cpu_s: float = 10.0
    """What a test, or importing its file, may take beyond ten times its usual time before it counts as endless."""
    verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)
    recorded_s: float = 0.0
    tried_s: float = 0.0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """The tests as they are, then against each mutant."""
        began_s = time.monotonic()
        well = self.record.run(session)
        self.recorded_s = time.monotonic() - began_s
        if well:
            self._try_all(session)
        self.tried_s = time.monotonic() - began_s - self.recorded_s
        return True

    def _try_all(self, session: pytest.Session) -> None:
        until_s = time.monotonic() + self.begin_within_s
        waiting = list(reversed(self.todo))
        running: dict[int, Mutant] = {}
        while waiting or running:
            while waiting and len(running) < self.workers:
                mutant = waiting.pop()
                pid = os.fork()
                if pid == 0:
                    self._child(session, mutant)
                running[pid] = mutant
            pid, status = os.wait()
            mutant = running.pop(pid)
            self.verdicts[mutant.key] = verdict = _verdict(status)
            if len(self.verdicts) % 100 == 0:
                sys.stdout.write(f"\n{len(self.verdicts)} of {len(self.todo)} tried\n")
                sys.stdout.flush()
            if (mutant.is_control and verdict != "survived") or time.monotonic() > until_s:
                waiting.clear()
            if verdict == "survived" and mutant.key not in self.excused:
                self.tell(mutant)

    def _child(self, session: pytest.Session, mutant: Mutant) -> NoReturn:
        verdict: Verdict = "crashed"
        told = os.dup(sys.stderr.fileno())
        try:
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (sys.stdout, sys.stderr):
                os.dup2(nowhere, stream.fileno())
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            self._forget()
            sys.meta_path.insert(0, _Finder(mutant.module, mutant.compiled()))
            verdict = self._run(session, mutant)
        finally:
            if verdict == "crashed":
                os.write(told, traceback.format_exc().encode())
            elif mutant.is_control:
                os.write(told, "".join(self.record.failures).encode())
            os._exit(EXITS.index(verdict))

    def _forget(self) -> None:
        """The modules under trial and all test modules, so that they are imported again."""
        tests = str(self.record.root / "tests")
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None) or ""
            of_tests = file.startswith(tests) and not name.startswith("mutation_")
            if of_tests or any(_belongs(name, target) for target in self.targets):
                del sys.modules[name]

    def _run(self, session: pytest.Session, mutant: Mutant) -> Verdict:
        took_s = self.record.took_s
        every = set(took_s)
        near = self.record.near(mutant.module, mutant.line, mutant.last_line) or every
        # What runs in functions shows in the tests that reach it; the rest may be seen from anywhere.
        rest = set() if mutant.in_function or mutant.key in self.excused else every - near
        for tests in (near, rest):
            files: dict[str, float] = defaultdict(float)
            for nodeid in tests:
                files[nodeid.partition("::")[0]] += took_s[nodeid]
            for file in sorted(files, key=lambda file: (_distance(file, mutant.module), files[file])):
                _allow_cpu_s(self.cpu_s)
                session.perform_collect([file])
                if self.record.failed():
                    return "broken"
                items = [item for item in session.items if item.nodeid in tests]
                for item in sorted(items, key=lambda item: took_s[item.nodeid]):
                    _allow_cpu_s(self.cpu_s + 10 * took_s[item.nodeid])
                    item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
                    if self.record.failed():
                        return "failed"
        return "survived"


class _Loader(SourceFileLoader):
    def __init__(self, name: str, file: str, code: CodeType) -> None:
        super().__init__(name, file)
        self.code = code

    def get_code(self, _name: str) -> CodeType:
        return self.code


@dataclass(frozen=True)
class _Finder:
    """Gives the changed code for one module, and nothing for any other."""

    module: str
    code: CodeType

    def find_spec(self, name: str, path: Sequence[str] | None, _target: object = None) -> ModuleSpec | None:
        if name != self.module or path is None:
            return None
        file = str(Path(path[0], f"{name.rpartition('.')[2]}.py"))
        return importlib.util.spec_from_file_location(name, file, loader=_Loader(name, file, self.code))


def _allow_cpu_s(seconds: float) -> None:
    """Processor time, not time on the clock: a busy machine convicts nobody."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _distance(file: str, module: str) -> int:
    """0 for a test file that bears the module's name, which mostly kills; 1 for those of its area, 2 for the rest."""
    *_, area, name = module.split(".")
    if Path(file).stem.endswith(f"_{name}"):
        return 0
    return 1 if Path(file).parent.name in (area, name) else 2


def _belongs(name: str, target: str) -> bool:
    module = target.removesuffix(".py").replace("/", ".")
    return name == module or name.startswith(f"{module}.")


def _verdict(status: int) -> Verdict:
    if os.WIFSIGNALED(status):
        return "endless" if os.WTERMSIG(status) == signal.SIGPROF else "crashed"
    return EXITS[os.WEXITSTATUS(status)]
