"""The trip-clearing measure, thinned: what it finds holds, and it would find what does not."""

from __future__ import annotations

import math
from functools import cache

import pytest

from benchmarks import trip_clearing
from benchmarks.onset import Trouble, in_service, onset, twin
from benchmarks.trip_clearing import SITES, Case, cases, clearing_rows, short_rows
from edge.guard import guard


@cache
def found(*, short: bool) -> list[Case]:
    return cases(range(150), short)


def test_every_onset_clears_in_time() -> None:
    rows = {row.measure: row for row in clearing_rows(found(short=False))}
    worst = rows["trip clearing, worst"]
    assert 1.0 < worst.value <= 2.0
    assert rows["trip clearing, by 32"].value > 50
    assert rows["trip clearing, by lost-sensing"].value > 3
    assert rows["trip clearing, by dead-man, agent gone"].value > 3


def test_surely_short_excursions_operate_nothing() -> None:
    rows = {row.measure: row for row in short_rows(found(short=True))}
    assert rows["operations on surely short excursions, none missed"].passed
    assert rows["operations on short excursions, sound meter, demo, 0.2 s"].passed
    assert rows["operations on short excursions, late, lost or repeated samples"].value > 0


def test_a_guard_that_never_trips_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    plant = twin(in_service(SITES["demo, 0.2 s"], 0), 1)
    monkeypatch.setattr(guard, "_causes", lambda *_: ())
    ending = onset(plant, Trouble())
    assert ending.cleared_s is None
    case = Case("demo, 0.2 s", Trouble(), math.inf, ending)
    monkeypatch.setattr(trip_clearing, "SITES", {"demo, 0.2 s": SITES["demo, 0.2 s"]})
    assert clearing_rows([case])[0].passed is False
