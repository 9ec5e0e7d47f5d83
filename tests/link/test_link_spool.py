"""The spool: durable order, receipts, the quota's three classes, a full disk, two processes, a killed writer."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.envelope import Envelope, EnvelopeError, RecordClass
from contract.records import Event
from edge.spool import Spool, SpoolError, SpoolFull

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
FILLER = "x" * 1000


def put(spool: Spool, record_class: RecordClass, detail: str = FILLER) -> int:
    event = Event(type="alarm", at=NOW, detail=detail)
    return spool.append("event", record_class, event, when=NOW, time_quality="unknown", mono_s=1.0)


def envelopes(spool: Spool) -> list[Envelope]:
    return [Envelope.from_bytes(record.body) for record in spool.pending(100_000)]


def classes(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as db:
        counted = dict(db.execute("SELECT class, count(*) FROM records GROUP BY class").fetchall())
    db.close()
    return counted


def test_seq_is_gapless_and_survives_receipt_and_restart(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.db", "gw-1")
    assert [put(spool, RecordClass.EVENT) for _ in range(3)] == [1, 2, 3]
    assert spool.mark_received([record.id for record in spool.pending(10)]) == 3
    spool.close()
    spool = Spool(tmp_path / "s.db", "gw-1")
    assert spool.pending(10) == []
    assert put(spool, RecordClass.EVENT) == 4
    [record] = spool.pending(10)
    assert Envelope.from_bytes(record.body).seq == 4
    assert spool.get(record.id) == record
    assert spool.mark_received(["unknown"]) == 0
    assert spool.count() == 1
    spool.close()


def test_a_file_of_another_gateway_is_refused(tmp_path: Path) -> None:
    Spool(tmp_path / "s.db", "gw-1").close()
    with pytest.raises(SpoolError, match="belongs to gateway gw-1, not to gw-2"):
        Spool(tmp_path / "s.db", "gw-2")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "s.db").write_bytes(b"not a database" * 100)
    with pytest.raises(SpoolError, match="cannot be used: file is not a database"):
        Spool(tmp_path / "s.db", "gw-1")


def test_a_refused_record_leaves_no_trace(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.db", "gw-1")
    with pytest.raises(EnvelopeError, match="kind"):
        spool.append("nonsense", RecordClass.EVENT, {}, when=NOW, time_quality="unknown", mono_s=0)
    assert put(spool, RecordClass.EVENT) == 1
    spool.close()


def test_over_the_quota_telemetry_goes_first_and_is_named(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.db", "gw-1", quota_bytes=200_000)
    for _ in range(20):
        put(spool, RecordClass.EVIDENCE)
        put(spool, RecordClass.EVENT)
    for _ in range(400):
        put(spool, RecordClass.TELEMETRY)
    assert classes(tmp_path / "s.db")["event"] == 20
    assert classes(tmp_path / "s.db")["evidence"] == 21  # the tombstone is kept as evidence is
    kept = {envelope.seq for envelope in envelopes(spool)}
    [stone] = [envelope.payload for envelope in envelopes(spool) if envelope.kind == "audit"]
    missing = set(range(1, max(seq or 0 for seq in kept) + 1)) - kept
    assert missing
    assert stone["record_class"] == "telemetry"
    assert int(str(stone["first_seq"])) <= min(missing)
    assert max(missing) <= int(str(stone["last_seq"]))
    assert stone["count"] == len(missing)
    spool.close()


def test_thinned_telemetry_keeps_the_newest_whole_and_reaches_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.db", "gw-1", quota_bytes=400_000)
    seqs = [put(spool, RecordClass.TELEMETRY) for _ in range(1000)]
    kept = sorted(e.seq or 0 for e in envelopes(spool) if e.kind == "event")
    assert seqs[-50:] == [seq for seq in kept if seq >= seqs[-50]]
    assert len(kept) < 250
    assert kept[0] < 1000 - 2 * 250, "thinning did not reach further back than dropping would"
    spool.close()


def test_then_the_oldest_events_go_and_evidence_never(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.db", "gw-1", quota_bytes=100_000)
    first = [put(spool, RecordClass.EVENT) for _ in range(40)]
    for _ in range(100):
        put(spool, RecordClass.EVIDENCE)
    counted = classes(tmp_path / "s.db")
    assert "event" not in counted
    assert counted["evidence"] == 101
    assert spool.fill() > 0.9
    [stone] = [e.payload for e in envelopes(spool) if e.kind == "audit"]
    assert (stone["record_class"], stone["first_seq"]) == ("event", first[0])
    spool.close()


def limit_pages(spool: Spool, extra: int) -> None:
    """SQLITE_FULL without a full disk: the file may grow by `extra` pages and no further."""
    used = spool._db.execute("PRAGMA page_count").fetchone()[0]
    spool._db.execute(f"PRAGMA max_page_count={used + extra}")


def put_for_ever(spool: Spool) -> None:
    while True:
        put(spool, RecordClass.EVIDENCE)


def test_a_full_disk_is_a_clear_error_with_nothing_half_applied(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.db", "gw-1")
    limit_pages(spool, 30)
    with pytest.raises(SpoolFull, match="the disk is full"):
        put_for_ever(spool)
    stored = spool.count()
    assert stored > 3
    assert [e.seq for e in envelopes(spool)] == list(range(1, stored + 1))
    spool.mark_received([record.id for record in spool.pending(2)])
    assert put(spool, RecordClass.EVIDENCE, "short") == stored + 1  # no seq was lost to the failure
    spool.close()


def test_on_a_full_disk_telemetry_gives_way_to_evidence(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.db", "gw-1")
    for _ in range(60):
        put(spool, RecordClass.TELEMETRY)
    limit_pages(spool, 0)
    for _ in range(20):
        put(spool, RecordClass.EVIDENCE)
    counted = classes(tmp_path / "s.db")
    assert counted["evidence"] == 21
    assert counted["telemetry"] < 60
    spool.close()


CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from contract.envelope import RecordClass
from contract.records import Event
from edge.spool import Spool
from edge.spool.spool import Draft

now = datetime.now(UTC)
spool = Spool(Path(sys.argv[1]), "gw-1")
batch = int(sys.argv[2])
total = int(sys.argv[3])
event = Event(type="alarm", at=now, detail="x" * 3000)
draft = Draft(RecordClass.EVIDENCE, event, now, "unknown", 1.0)
done = 0
while done < total:
    seqs = spool.append_all([draft] * batch)
    done += batch
    print(seqs[-1], flush=True)
spool.close()
"""


def start_child(path: Path, batch: int, total: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(batch), str(total)], stdout=subprocess.PIPE, text=True
    )


def test_kill_9_of_the_writer_in_a_commit_leaves_whole_commits(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    batch = 20
    expected = 0
    for kill_after in (3, 7, 12):
        with start_child(path, batch, 10**9) as child:
            assert child.stdout is not None
            promised = 0
            for _ in range(kill_after):
                promised = int(child.stdout.readline())
            os.kill(child.pid, signal.SIGKILL)
            promised = max([promised, *map(int, child.stdout.read().split())])
        spool = Spool(path, "gw-1")
        seqs = [e.seq for e in envelopes(spool)]
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) % batch == 0, "a commit was applied by half"
        assert len(seqs) >= promised > expected
        expected = len(seqs)
        assert spool._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        spool.close()


def test_two_processes_append_and_delete_without_a_loss(tmp_path: Path) -> None:
    path, total = tmp_path / "s.db", 600
    seen: list[int] = []
    spool = Spool(path, "gw-1")
    before = spool.changes()
    with start_child(path, 3, total) as child:
        while len(seen) < total:
            records = spool.pending(50)
            seen += [record.seq for record in records]
            assert spool.mark_received([record.id for record in records]) == len(records)
        assert child.wait(10) == 0
        assert child.stdout is not None
        child.stdout.read()
    assert seen == list(range(1, total + 1))
    assert spool.count() == 0
    assert spool.changes() != before
    spool.close()


def test_what_link_publishes_is_what_was_stored(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.db", "gw-1")
    put(spool, RecordClass.EVENT, "Zähler verloren")
    [record] = spool.pending(1)
    envelope = Envelope.from_bytes(record.body)
    assert envelope.to_bytes() == record.body
    assert (envelope.schema_, envelope.kind, envelope.gateway) == ("event/1", "event", "gw-1")
    assert json.loads(record.body)["payload"]["detail"] == "Zähler verloren"
    spool.close()
