"""How far the commissioning tests are, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.status import Status

from commissioning.procedure import Procedure
from contract.report import TestResult

COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow", "not-applicable": "dim"}


class Shown:
    """Tells the test under way, its steps, and each verdict."""

    def __init__(self, console: Console, status: Status) -> None:
        self._console = console
        self._status = status
        self._title = ""

    def test_begins(self, procedure: Procedure) -> None:
        """A test starts: say what the operator has to see to."""
        self._title = procedure.title
        self._console.print(f"[bold]{escape(procedure.title)}[/]")
        for line in procedure.operator:
            self._console.print(f"  {escape(line)}", style="dim")
        self._status.update(escape(procedure.title))

    def step_begins(self, text: str) -> None:
        """A step of it starts."""
        self._status.update(f"{escape(self._title)}: {escape(text)}")

    def test_ends(self, result: TestResult) -> None:
        """It is over."""
        colour = COLOURS[result.verdict]
        self._console.print(f"  [{colour}]{result.verdict}[/] {escape(result.summary)}")
