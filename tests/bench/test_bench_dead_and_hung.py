"""How the truth is judged: when a site was safe for good, and what becomes of times and of what was wrong."""

from __future__ import annotations

import math

import pytest

from benchmarks.dead import measure
from benchmarks.dead.record import BAND_W, CAP_W, Record, above_s, is_safe, unsafe_s
from benchmarks.dead.sites import CONTACT, REVERSION, SHIPPED, Kind
from edge.guard.fitness import judge
from edge.model.site import Site
from edge.model.strict_toml import load
from sim.simfile import SimFile
from sim.truth import Row


def row(t_s: float, export_w: float = 0.0, inverter_w: float = 0.0, *, closed: bool = False) -> Row:
    return Row(t_s, export_w, 0.0, (0.0, inverter_w), closed, meter_sampled=False, event="")


@pytest.mark.parametrize(
    ("kind", "export_w", "inverter_w", "closed", "safe"),
    [
        (CONTACT, 0.0, 0.0, False, True),
        (CONTACT, 0.0, 0.0, True, False),
        (CONTACT, BAND_W, 50_000.0, False, True),
        (CONTACT, BAND_W + 1, 0.0, False, False),
        (REVERSION, 0.0, CAP_W, True, True),
        (REVERSION, 0.0, CAP_W + 1, True, False),
        (REVERSION, BAND_W + 1, CAP_W, True, False),
    ],
)
def test_safe_is_open_or_at_the_cap_and_within_the_limit(
    kind: Kind, export_w: float, inverter_w: float, closed: bool, safe: bool
) -> None:
    assert is_safe(kind, row(0.0, export_w, inverter_w, closed=closed)) == safe


def test_a_time_ends_where_it_was_bad_for_the_last_time() -> None:
    rows = [row(1.0, closed=True), row(2.0), row(3.0, closed=True), row(4.0), row(5.0)]
    assert unsafe_s(CONTACT, rows, 0.5) == 3.5
    assert unsafe_s(CONTACT, rows, 3.0) == 0.0
    assert unsafe_s(CONTACT, [*rows, row(6.0, closed=True)], 0.5) == math.inf
    exports = [row(1.0, BAND_W + 1), row(2.0, BAND_W), row(3.0, BAND_W)]
    assert above_s(exports, 0.0) == 2.0
    assert above_s(exports, 1.0) == 0.0


def test_a_record_tells_what_was_late_and_what_was_wrong() -> None:
    record = Record(CONTACT)
    record.timed("safe", 2.0, 2.0)
    record.require(holds=True, sentence="never said")
    assert record.problems == []
    record.timed("safe", 2.01, 2.0)
    record.require(holds=False, sentence="it fell")
    assert record.problems == [
        "with a contact: safe took 2.01 s, at most 2 s are allowed",
        "with a contact: it fell",
    ]


def test_the_table_has_the_worst_of_each_time_and_the_count_of_what_was_wrong() -> None:
    records = [Record(CONTACT), Record(CONTACT), Record(REVERSION)]
    for record, took_s in zip(records, (0.5, 0.7, 3.0), strict=True):
        record.timed("safe", took_s, record.kind.bound_s)
    records[1].say("it fell")
    first, second, wrong = measure.rows([("case", record) for record in records])
    assert (first.measure, first.value, first.goal) == ("with a contact, safe", 0.7, 2.0)
    assert first.reference == "worst of 2, best 0.50 s"
    assert (second.measure, second.value, second.passed) == ("without, safe", 3.0, True)
    assert (wrong.value, wrong.passed, wrong.reference) == (1, False, "case, with a contact: it fell")


@pytest.mark.parametrize("kind", [CONTACT, REVERSION, SHIPPED])
def test_the_sites_are_fit(kind: Kind) -> None:
    sim = load(SimFile, kind.sim_text(), "sim")
    uris = {role: f"tcp://127.0.0.1:{port}?unit=1" for port, role in enumerate(sim.devices(), start=15_201)}
    site = load(Site, kind.site_text(uris), "site")
    assert [found.text for found in judge(site) if found.level == "problem"] == []
    assert kind.bound_s <= (2.0 if kind.contact else 30.0)
