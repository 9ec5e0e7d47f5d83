"""The agent's writer: it never blocks, never evicts evidence, and outlives a full disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.envelope import Envelope, EnvelopeError, RecordClass
from contract.records import Event
from edge.spool import Spool, SpoolError, SpoolWriter
from edge.spool.clock import WallClock
from edge.spool.writer import EvictedError

EVENT = Event(type="alarm", at=datetime(2026, 5, 1, tzinfo=UTC), detail="a meter was lost")


def fill_disk(writer: SpoolWriter) -> None:
    """The file may not grow any more, which is what SQLite sees of a full disk."""
    writer._spool._db.execute("PRAGMA max_page_count=1")


def test_records_are_stored_in_order_with_their_own_time(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "s.db", "gw-1")
    moment = time.monotonic() - 90
    futures = [writer.put("event", RecordClass.EVENT, EVENT, moment) for _ in range(500)]
    assert [future.result(10) for future in futures] == list(range(1, 501))
    assert writer.close() == 0
    assert writer.state.stored == 500
    spool = Spool(tmp_path / "s.db", "gw-1")
    first = Envelope.from_bytes(spool.pending(1)[0].body)
    assert abs(datetime.now(UTC) - timedelta(seconds=90) - first.time) < timedelta(seconds=20)
    assert first.mono_s == moment
    spool.close()


def test_a_bad_record_is_refused_alone(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "s.db", "gw-1")
    bad = writer.put("nonsense", RecordClass.EVENT, {}, 0.0)
    good = writer.put("event", RecordClass.EVENT, EVENT, 0.0)
    with pytest.raises(EnvelopeError):
        bad.result(10)
    assert good.result(10) == 1
    assert writer.state.refused == 1
    assert writer.close() == 0


def test_an_overflow_evicts_telemetry_then_events_never_evidence(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "s.db", "gw-1", bound=10)
    blocker = Spool(tmp_path / "s.db", "gw-1")
    blocker._db.execute("BEGIN IMMEDIATE")  # a disk that takes its time
    writer.put("event", RecordClass.EVIDENCE, EVENT, 0.0)
    deadline = time.monotonic() + 5
    while writer._waiting() and time.monotonic() < deadline:
        time.sleep(0.01)  # the writer now waits inside its first commit
    telemetry = [writer.put("telemetry", RecordClass.TELEMETRY, EVENT, 0.0) for _ in range(5)]
    events = [writer.put("event", RecordClass.EVENT, EVENT, 0.0) for _ in range(5)]
    started = time.monotonic()
    evidence = [writer.put("event", RecordClass.EVIDENCE, EVENT, 0.0) for _ in range(20)]
    late = writer.put("telemetry", RecordClass.TELEMETRY, EVENT, 0.0)
    assert time.monotonic() - started < 1.0, "put waited for the disk"
    blocker._db.execute("ROLLBACK")
    blocker.close()
    assert [future.result(10) for future in evidence] == list(range(2, 22))
    for evicted in (*telemetry, *events, late):
        assert isinstance(evicted.exception(0), EvictedError)
    assert writer.state.overflow == 21
    assert writer.state.evicted == 11
    assert writer.close() == 0


def test_a_full_disk_is_an_alarm_and_evidence_waits_for_room(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "s.db", "gw-1")
    assert writer.put("event", RecordClass.EVIDENCE, EVENT, 0.0).result(10) == 1
    fill_disk(writer)
    waiting = [writer.put("event", RecordClass.EVIDENCE, EVENT, 0.0) for _ in range(200)]
    deadline = time.monotonic() + 10
    while not writer.state.full and time.monotonic() < deadline:
        time.sleep(0.01)
    assert writer.state.full
    assert "the disk is full" in (writer.state.fault or "")
    writer._spool._db.execute("PRAGMA max_page_count=100000")
    assert sorted(future.result(10) for future in waiting) == list(range(2, 202))
    assert writer.close() == 0
    assert (writer.state.full, writer.state.fault) == (False, None)


def test_the_clock_says_how_far_it_can_be_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = WallClock()
    answers = iter([False, True, False])
    monkeypatch.setattr("edge.spool.clock.kernel_is_synchronised", lambda: next(answers))
    assert [clock.quality() for _ in range(3)] == ["unknown", "synchronised", "holdover"]


def test_the_agent_stays_light() -> None:
    import subprocess
    import sys

    heavy = "{'fastapi', 'sqlalchemy', 'numpy', 'aiomqtt', 'cryptography', 'asyncio'}"
    code = f"import sys, edge.spool, contract.records; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition(), "it did not come about in time"


def test_the_writer_outlives_a_fill_it_cannot_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record is on the disk by then: only the share of the quota stays as it was."""
    writer = SpoolWriter(tmp_path / "s.db", "gw-1")
    with monkeypatch.context() as broken:
        broken.setattr(writer._spool, "fill", lambda: (_ for _ in ()).throw(SpoolError("busy")))
        assert writer.put("event", RecordClass.EVIDENCE, EVENT, 0.0).result(10) == 1
    assert writer.put("event", RecordClass.EVIDENCE, EVENT, 0.0).result(10) == 2
    assert writer.state.running
    assert writer.close() == 0
    assert not writer.state.running


def test_what_nobody_foresaw_is_a_fault_and_the_record_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SpoolWriter(tmp_path / "s.db", "gw-1")
    with monkeypatch.context() as broken:
        broken.setattr(writer._spool, "append_all", lambda _: (_ for _ in ()).throw(RuntimeError("odd")))
        waiting = writer.put("event", RecordClass.EVIDENCE, EVENT, 0.0)
        until(lambda: writer.state.fault)
        assert writer.state.fault == "RuntimeError: odd"
    assert waiting.result(10) == 1
    until(lambda: writer.state.fault is None)
    assert writer.close() == 0


def test_a_refusal_is_no_fault_and_hides_none(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "s.db", "gw-1")
    with pytest.raises(EnvelopeError):
        writer.put("nonsense", RecordClass.EVENT, {}, 0.0).result(10)
    assert writer.state.fault is None
    assert (writer.state.refused, "kind" in (writer.state.refusal or "")) == (1, True)
    fill_disk(writer)
    long = EVENT.model_copy(update={"detail": "x" * 4000})
    waiting = [writer.put("event", RecordClass.EVIDENCE, long, 0.0) for _ in range(50)]
    until(lambda: writer.state.full)
    with pytest.raises(EnvelopeError):
        writer.put("nonsense", RecordClass.EVENT, {}, 0.0).result(10)
    assert "the disk is full" in str(writer.state.fault)
    writer._spool._db.execute("PRAGMA max_page_count=100000")
    assert len([future.result(10) for future in waiting]) == 50
    until(lambda: writer.state.fault is None)
    assert writer.close() == 0
