"""A damaged spool is set aside, a sound one and an unusable folder are not touched."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue

from contract.envelope import RecordClass
from edge.spool import Spool, SpoolError
from edge.spool.salvage import set_aside_if_damaged
from edge.spool.spool import SpoolDamagedError


@pytest.mark.parametrize(
    "damage", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_spool_is_kept_aside_and_a_new_one_works(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "spool.sqlite"
    path.write_bytes(damage)
    with pytest.raises(SpoolDamagedError):
        Spool(path, "g")
    said = set_aside_if_damaged(path, "g")
    assert said is not None
    assert "a new one begun" in said
    (kept,) = tmp_path.glob("spool.sqlite.damaged-*")
    assert kept.read_bytes() == damage
    spool = Spool(path, "g")
    when = datetime(2026, 1, 1, tzinfo=UTC)
    audit: dict[str, JsonValue] = {"at": when.isoformat(), "by": "x", "action": "y"}
    seq = spool.append("audit", RecordClass.EVIDENCE, audit, when=when, time_quality="unknown", mono_s=1.0)
    assert seq == 1
    spool.close()
    assert set_aside_if_damaged(path, "g") is None


def test_a_spool_that_cannot_be_used_for_another_reason_stays(tmp_path: Path) -> None:
    path = tmp_path / "none" / "deeper" / "spool.sqlite"
    (tmp_path / "none").write_text("a file where a folder should be")
    with pytest.raises(SpoolError):
        set_aside_if_damaged(path, "g")
