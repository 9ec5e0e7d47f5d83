"""The trip-clearing measure, thinned: what it finds holds, and it would find what does not."""

from __future__ import annotations

import math
from functools import cache

import pytest

from benchmarks import trip_clearing
from benchmarks.onset import Trouble, in_service, onset, twin
from benchmarks.trip_clearing import SITES, Case, cases, clearing_rows, short_rows
from edge.guard import guard
from edge.model.freshness import MeterFreshness
from edge.model.readings import MeterRaw


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
    assert all(rows[f"operations on short excursions, {name}"].passed for name in SITES)
    assert rows["operations, late, lost or repeated samples"].value > 0


@pytest.mark.parametrize("name", ["demo, 0.2 s", "fast, 0.1 s"])
def test_a_value_that_was_hidden_buys_no_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The meter skips its renewals and polls are lost: what is then seen first may be as old as the last answer."""
    hidden = Trouble(hidden_s=0.7)
    plant = in_service(SITES[name], 0)
    cleared_s = onset(twin(plant, 1), hidden).cleared_s
    assert cleared_s is not None
    assert cleared_s < 1.4
    sound = MeterFreshness._shown_since_s

    def at_most_a_period(self: MeterFreshness, answer: MeterRaw) -> float | None:
        since_s = sound(self, answer)
        return None if since_s is None else max(since_s, answer.request_sent_s - SITES[name].meter.period_s)

    monkeypatch.setattr(MeterFreshness, "_shown_since_s", at_most_a_period)
    bought_s = onset(twin(plant, 1), hidden).cleared_s
    assert bought_s is not None
    assert bought_s > 1.7


def test_a_guard_that_never_trips_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    plant = twin(in_service(SITES["demo, 0.2 s"], 0), 1)
    monkeypatch.setattr(guard, "demands", lambda *_: ())
    ending = onset(plant, Trouble())
    assert ending.cleared_s is None
    case = Case("demo, 0.2 s", Trouble(), math.inf, ending)
    monkeypatch.setattr(trip_clearing, "SITES", {"demo, 0.2 s": SITES["demo, 0.2 s"]})
    assert clearing_rows([case])[0].passed is False
