"""How far a long measure is: in its bar at a terminal, elsewhere a line now and then."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from benchmarks import progress
from benchmarks.dead import measure as dead
from benchmarks.dead.record import Record
from benchmarks.dead.sites import CONTACT, Kind
from benchmarks.progress import Shown
from benchmarks.walk.alphabet import Alphabet
from benchmarks.walk.walk import walk
from benchmarks.walk.walks import GUARD


def said(*, terminal: bool) -> str:
    """What is on stderr of a measure that tells its second every second of two and a half minutes."""
    text, now_s = io.StringIO(), [0.0]
    console = Console(file=text, force_terminal=terminal, width=80, _environ={"TERM": "xterm"})
    shown = Shown(console, lambda: now_s[0])
    with shown.over(2):
        shown.begin("guard-walk")
        for second in range(150):
            now_s[0] = float(second)
            shown.tell(f"[at] {second} s")
        shown.end(150.0)
    return text.getvalue()


def test_elsewhere_than_at_a_terminal_it_is_a_line_now_and_then() -> None:
    lines = said(terminal=False).splitlines()
    assert lines[:3] == ["guard-walk: [at] 60 s", "guard-walk: [at] 120 s", "guard-walk: 150 s"]


def test_at_a_terminal_it_is_in_the_bar() -> None:
    text = said(terminal=True)
    assert "0/2 [at] 149 s" in text
    assert "guard-walk: [at]" not in text


def test_a_walk_tells_how_far_it_is() -> None:
    told: list[str] = []
    found = walk("small", GUARD, Alphabet(ready=(True,)), tell=told.append)
    assert told[0] == "small: 0 of 5 states so far, 0 transitions"
    assert found.states >= 5


def test_the_runs_of_dead_and_hung_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def tried(_: str, kind: Kind) -> Record:
        return Record(kind)

    monkeypatch.setattr(dead, "fair_trial", tried)
    monkeypatch.setattr(dead, "_planned", lambda: iter([("killed", CONTACT), ("stopped", CONTACT)]))
    monkeypatch.setattr(progress.SHOWN, "tell", told.append)
    dead.measure()
    assert told == [
        "1 of 2 runs, the last was 'killed' on the site 'with a contact'",
        "2 of 2 runs, the last was 'stopped' on the site 'with a contact'",
    ]
