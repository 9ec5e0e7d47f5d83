"""What each test of the heart reaches and how long it takes, from one run of all of them under coverage."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest


class Record:
    """A pytest plugin. It watches from the first import on, and leaves the branches seen in `.coverage`."""

    def __init__(self, root: Path, targets: tuple[str, ...]) -> None:
        self.root = root
        self.failures: list[str] = []
        """What failed, as pytest tells it."""
        self.took_s: dict[str, float] = {}
        self._reach: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._coverage = coverage.Coverage(
            data_file=str(root / ".coverage"),
            include=[target if target.endswith(".py") else f"{target}/*" for target in targets],
            branch=True,
            config_file=False,
        )
        self._coverage.start()

    def pytest_configure(self) -> None:
        """Every drawn example is the same in every run, and none is made smaller: that it fails is enough."""
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutation",
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutation")

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector: pytest.Collector) -> Iterator[None]:
        """What runs while a test file is imported counts for all of its tests."""
        if isinstance(collector, pytest.Module) and not self.took_s:
            self._coverage.switch_context(collector.nodeid)
        return (yield)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A test file that cannot be imported is a failure."""
        self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Failures, and the time of each test with its fixtures."""
        self._note(report)
        self.took_s[report.nodeid] = self.took_s.get(report.nodeid, 0.0) + report.duration

    def failed(self) -> bool:
        """Whether anything has failed."""
        return bool(self.failures)

    def _note(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        if report.failed:
            self.failures.append(f"{report.nodeid}\n{report.longreprtext}\n")

    def run(self, session: pytest.Session) -> bool:
        """Run every test that was collected; whether all is well."""
        for item in session.items:
            self._coverage.switch_context(item.nodeid)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        self._coverage.stop()
        self._coverage.save()
        self._digest()
        return bool(session.items) and not self.failed()

    def near(self, module: str, first_line: int, last_line: int) -> set[str]:
        """The tests that reach a stretch of a module."""
        lines = self._reach[str(self.root / f"{module.replace('.', '/')}.py")]
        return set().union(*(lines[line] for line in range(first_line, last_line + 1)))

    def _digest(self) -> None:
        in_file = defaultdict(set)
        for nodeid in self.took_s:
            in_file[nodeid.partition("::")[0]].add(nodeid)
        data = self._coverage.get_data()
        for path in data.measured_files():
            for line, contexts in data.contexts_by_lineno(path).items():
                for context in filter(None, contexts):
                    self._reach[path][line] |= in_file.get(context, {context})
