"""What the spool keeps after the receipt, and reading it from another process, whole or damaged."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.envelope import RecordClass
from contract.records import Capture, Event, Telemetry
from edge.spool import Spool, SpoolError, kept, schema
from edge.spool.reader import read_events

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def put(spool: Spool, detail: str, capture: Capture | None = None) -> int:
    event = Event(type="capture" if capture else "trip", at=NOW, detail=detail, capture=capture)
    return spool.append(
        "event", RecordClass.EVIDENCE, event, when=NOW, time_quality="synchronised", mono_s=1.0
    )


def telemetry(spool: Spool) -> None:
    minute = Telemetry(
        until=NOW, seconds=60.0, export_mean_w=1.0, export_max_w=1.0, der_mean_w=1.0, limit_w=1.0
    )
    spool.append("telemetry", RecordClass.TELEMETRY, minute, when=NOW, time_quality="unknown", mono_s=1.0)


def received(spool: Spool) -> int:
    return spool.mark_received([record.id for record in spool.pending(10_000)])


def details(path: Path) -> list[str]:
    return [one.event.detail for one in read_events(path).events]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spöol ?#%.sqlite"


def test_events_stay_readable_after_the_receipt_and_nothing_waits(path: Path) -> None:
    with closing(Spool(path, "gw-1")) as spool:
        put(spool, "first")
        telemetry(spool)
        put(spool, "second")
        assert received(spool) == 3
        assert (spool.count(), spool.pending(10), spool.fill()) == (0, [], 0.0)
        put(spool, "third")
        found = read_events(path)
        assert [(one.seq, one.event.detail) for one in found.events] == [
            (4, "third"),
            (3, "second"),
            (1, "first"),
        ]
        assert found.problems == []
        assert [one.event.detail for one in read_events(path, seq=3).events] == ["second"]
        assert read_events(path, seq=2).events == []
        assert [one.event.detail for one in read_events(path, last=2).events] == ["third", "second"]


def test_captures_come_on_top_of_the_newest(path: Path) -> None:
    with closing(Spool(path, "gw-1")) as spool:
        for number in range(3):
            put(spool, f"trip {number}")
            put(spool, f"capture {number}", Capture(columns=("t_s",), scans=("0",)))
    assert [one.event.detail for one in read_events(path, last=2).events] == [
        "capture 2",
        "trip 2",
        "capture 1",
        "trip 1",
    ]


def test_the_oldest_kept_give_way(path: Path) -> None:
    with closing(Spool(path, "gw-1", quota_bytes=80_000)) as spool:
        for number in range(40):
            put(spool, f"{number:02} {'x' * 500}")
            received(spool)
    found = details(path)
    assert found[0].startswith("39")
    assert 5 <= len(found) <= 10
    assert [int(detail[:2]) for detail in found] == sorted(
        (int(detail[:2]) for detail in found), reverse=True
    )


def test_a_full_disk_costs_what_the_portal_has_first_and_no_receipt(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(path, "gw-1")
    for _ in range(20):
        put(spool, "x" * 4000)
    received(spool)
    put(spool, "waits")
    pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
    spool._db.execute(f"PRAGMA max_page_count={pages}")
    for number in range(30):
        assert put(spool, f"y{number}" + "y" * 4000) == 22 + number
    assert [detail[0] for detail in details(path)] == ["y"] * 30 + ["w"]
    spool._db.execute(f"PRAGMA max_page_count={spool._db.execute('PRAGMA page_count').fetchone()[0]}")
    monkeypatch.setattr(kept, "keep", _full)
    assert received(spool) == 31
    assert spool.count() == 0
    spool.close()


def _full(*_: object) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


def test_a_spool_of_the_version_before_is_read_and_taken_over(path: Path) -> None:
    with closing(Spool(path, "gw-1")) as spool:
        put(spool, "old")
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE kept")
        db.execute("PRAGMA user_version=1")
        db.commit()
    assert details(path) == ["old"]
    with closing(Spool(path, "gw-1")) as spool:
        received(spool)
    assert details(path) == ["old"]
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)


def test_what_is_no_spool_is_one_sentence(path: Path) -> None:
    with pytest.raises(SpoolError, match=r"there is no spool at .*has an agent run here"):
        read_events(path)
    path.write_bytes(b"rubbish" * 1000)
    with pytest.raises(SpoolError, match="cannot be read: file is not a database"):
        read_events(path)
    path.write_bytes(b"")
    with pytest.raises(SpoolError, match="cannot be read: it is no spool"):
        read_events(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE records (seq INTEGER)")
    with pytest.raises(SpoolError, match="no such column"):
        read_events(path)


@pytest.mark.parametrize("body", [b"", b"\xff\x00", b"{}", b"null", "text", 7])
def test_a_damaged_record_is_told_and_the_others_are_read(path: Path, body: object) -> None:
    with closing(Spool(path, "gw-1")) as spool:
        for detail in ("first", "second", "third"):
            put(spool, detail)
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE records SET body = ? WHERE seq = 2", (body,))
        db.commit()
    found = read_events(path)
    assert [one.event.detail for one in found.events] == ["third", "first"]
    assert len(found.problems) == 1
    assert found.problems[0].startswith("record 2 ")


def test_pages_overwritten_cost_what_was_on_them(path: Path) -> None:
    with closing(Spool(path, "gw-1")) as spool:
        for number in range(200):
            put(spool, f"{number} {'x' * 3000}")
        spool._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 4096 // 2 * 4096)
        file.write(b"\xa5" * 40_960)
    found = read_events(path)
    assert 0 < len(found.events) < 200
    assert found.events[0].event.detail.startswith("199 ")
    assert found.problems


def test_a_file_cut_short_by_a_power_loss(path: Path) -> None:
    spool = Spool(path, "gw-1")
    for number in range(50):
        put(spool, f"{number}")
    copies = path.with_name("copy.sqlite")
    copies.write_bytes(path.read_bytes())
    wal = path.with_name(f"{path.name}-wal").read_bytes()
    copies.with_name("copy.sqlite-wal").write_bytes(wal[: len(wal) * 2 // 3])
    spool.close()
    found = read_events(copies)
    assert found.problems == []
    numbers = [int(one.event.detail) for one in found.events]
    assert numbers == list(range(len(numbers)))[::-1]
    assert 20 <= len(numbers) < 50
