"""What the portal makes of what comes in: once by id, gaps, rejections, presence, migrations up and down."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from portal_samples import event, excursion, report, settings, status
from sqlalchemy import Engine, inspect, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from contract.envelope import Envelope, new_id
from contract.records import Payload, Presence, Tombstone, kind_of, schema_of
from contract.topics import up
from portal.database import PortalDatabaseError, migrate, open_database
from portal.gaps import Range, arrive, bury
from portal.intake import Incoming, Intake
from portal.service import Service
from portal.tables import Base, EventRow, Gap, Record, Rejected, ReportRow, Site

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(tmp_path / "portal.db")
    yield opened
    opened.dispose()


def message(payload: Payload, seq: int | None, gateway: str = "gw-1", /, **changes: Any) -> Incoming:
    content = {
        "id": new_id(),
        "gateway": gateway,
        "kind": kind_of(payload),
        "seq": seq,
        "time": NOW,
        "time_quality": "synchronised",
        "mono_s": 1.0,
        "boot": "b",
        "schema": schema_of(payload),
        "payload": payload.model_dump(mode="json"),
    }
    envelope = Envelope.model_validate(content | changes)
    return Incoming(up(gateway, envelope.kind), envelope.to_bytes())


def identity(one: Incoming) -> str:
    return Envelope.from_bytes(one.body).id


def gaps_of(engine: Engine) -> list[tuple[int, int, str | None]]:
    with Session(engine) as session:
        rows = session.scalars(select(Gap).order_by(Gap.first_seq)).all()
        return [(row.first_seq, row.last_seq, row.reason) for row in rows]


def test_twice_the_same_is_stored_once_and_receipted_twice(engine: Engine) -> None:
    intake = Intake(engine)
    batch = [message(report(), 1), message(event(), 2)]
    ids = [identity(one) for one in batch]
    assert intake.store(batch, NOW) == {"gw-1": ids}
    assert intake.store([*batch, *batch], NOW)["gw-1"] == ids * 2
    with Session(engine) as session:
        assert len(session.scalars(select(Record)).all()) == 2
        [stored] = session.scalars(select(ReportRow)).all()
        assert stored.pdf.startswith(b"%PDF-")
        test = session.get(Record, ids[0])
        assert test is not None
        assert "pdf_base64" not in test.payload


def test_receipts_go_to_each_gateway_for_its_own(engine: Engine) -> None:
    first, second = message(event(), 1), message(event(), 1, "gw-2")
    assert Intake(engine).store([first, second], NOW) == {
        "gw-1": [identity(first)],
        "gw-2": [identity(second)],
    }


def test_a_failed_commit_stores_nothing_and_gives_no_receipt(engine: Engine) -> None:
    intake = Intake(engine)
    broken = message(event(), 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("portal.mapper.detail_row", lambda *_: (_ for _ in ()).throw(OSError("disk")))
        with pytest.raises(OSError, match="disk"):
            intake.store([message(event(), 1), broken], NOW)
    with Session(engine) as session:
        assert session.scalars(select(Record)).all() == []
    assert gaps_of(engine) == []


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        ("dx/v1/gw-1/up/event", b"{", "Invalid JSON"),
        ("dx/v1/gw-1/up/nonsense", b"{}", "not a topic"),
        ("dx/v1/gw-1/up/event", b'{"id": "../../etc"}', "id: String should match"),
    ],
)
def test_a_message_that_names_no_record_is_noted_without_a_receipt(
    engine: Engine, topic: str, body: bytes, reason: str
) -> None:
    bad = Incoming(topic, body)
    good = message(event(), 1)
    assert Intake(engine).store([bad, good], NOW) == {"gw-1": [identity(good)]}
    with Session(engine) as session:
        [row] = session.scalars(select(Rejected)).all()
        assert reason in row.reason
    assert Service(engine).rejected() == 1


def rejected(engine: Engine) -> list[tuple[str | None, bytes | None, str]]:
    with Session(engine) as session:
        rows = session.scalars(select(Rejected).order_by(Rejected.id)).all()
        return [(row.record_id, row.body, row.reason) for row in rows]


def huge(seq: int) -> Incoming:
    """It passes the contract, and no database has room for its count."""
    return message(event().model_copy(update={"count": 2**70}), seq)


def test_one_record_that_cannot_be_stored_stops_no_other(engine: Engine) -> None:
    batch = [message(event(), 1), huge(2), message(event(), 3)]
    ids = [identity(one) for one in batch]
    intake = Intake(engine)
    assert intake.store(batch, NOW) == {"gw-1": ids}
    with Session(engine) as session:
        assert sorted(session.scalars(select(Record.seq)).all()) == [1, 3]
    [(record_id, body, reason)] = rejected(engine)
    assert (record_id, body) == (ids[1], batch[1].body)
    assert "OverflowError" in reason
    assert intake.store([batch[1]], NOW) == {"gw-1": [ids[1]]}  # its receipt was lost
    assert len(rejected(engine)) == 1


def test_a_refused_record_is_kept_and_receipted_to_whom_it_came_from(engine: Engine) -> None:
    """Without a receipt it would come again for ever, and 200 of them would hold up all that follow."""
    newer = json.loads(message(event(), 1).body) | {"unheard_of": 1}
    bad = Incoming("dx/v1/gw-1/up/event", json.dumps(newer).encode())
    foreign = Incoming("dx/v1/gw-2/up/event", message(event(), 1).body)
    assert Intake(engine).store([bad, foreign], NOW) == {"gw-1": [newer["id"]], "gw-2": [identity(foreign)]}
    assert [(record_id, body) for record_id, body, _ in rejected(engine)] == [
        (newer["id"], bad.body),
        (identity(foreign), foreign.body),
    ]


def test_a_fault_of_the_database_is_no_fault_of_the_record(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE events RENAME TO away")
    with pytest.raises(OperationalError):
        Intake(engine).store([message(event(), 1)], NOW)
    assert rejected(engine) == []


def test_a_record_without_seq_is_refused(engine: Engine) -> None:
    stray = message(event(), None)
    assert Intake(engine).store([stray], NOW) == {"gw-1": [identity(stray)]}
    assert Service(engine).rejected() == 1


def test_a_payload_of_the_future_is_kept_with_a_note(engine: Engine) -> None:
    future = message(event(), 1, schema="event/9", payload={"type": "unheard-of"})
    assert Intake(engine).store([future], NOW) == {"gw-1": [identity(future)]}
    with Session(engine) as session:
        record = session.get(Record, identity(future))
        assert record is not None
        assert record.payload == {"type": "unheard-of"}
        assert "does not know the schema event/9" in (record.note or "")


def test_gaps_are_seen_and_close_when_the_rest_comes(engine: Engine) -> None:
    intake = Intake(engine)
    intake.store([message(event(), 1), message(event(), 5), message(event(), 9)], NOW)
    assert gaps_of(engine) == [(2, 4, None), (6, 8, None)]
    intake.store([message(event(), 3), message(event(), 6)], NOW)
    assert gaps_of(engine) == [(2, 2, None), (4, 4, None), (7, 8, None)]
    intake.store([message(event(), seq) for seq in (2, 4, 7, 8)], NOW)
    assert gaps_of(engine) == []


def test_a_tombstone_gives_the_reason(engine: Engine) -> None:
    intake = Intake(engine)
    stone = Tombstone(record_class="telemetry", first_seq=2, last_seq=6, count=4)
    intake.store([message(event(), 1), message(event(), 4), message(stone, 9)], NOW)
    reason = "telemetry dropped by the gateway for want of space"
    assert gaps_of(engine) == [(2, 3, reason), (5, 6, reason), (7, 8, None)]
    [site] = Service(engine).sites(NOW)
    assert site.missing == 2
    assert "2 records missing" in site.attention


def test_a_spool_made_anew_is_noticed(engine: Engine) -> None:
    intake = Intake(engine)
    again = message(event(), 2)
    intake.store([message(event(), 1), message(event(), 2)], NOW)
    assert intake.store([again], NOW) == {"gw-1": [identity(again)]}
    with Session(engine) as session:
        record = session.get(Record, identity(again))
        assert record is not None
        assert "made anew" in (record.note or "")


def test_the_status_of_a_new_spool_counts_at_once(engine: Engine) -> None:
    intake = Intake(engine)

    def shown(*records: tuple[int, str]) -> str:
        intake.store([message(status(name), seq) for seq, name in records], NOW)
        return Service(engine).sites(NOW)[0].name

    assert shown((1, "First 1"), (2, "First 2"), (3, "First 3"), (4, "First 4")) == "First 4"
    assert shown((1, "Second 1")) == "Second 1"
    assert shown((3, "Second 3"), (2, "Second 2")) == "Second 3"  # order is by seq within it, too
    assert shown((5, "Second 5")) == "Second 5"
    assert shown((1, "Third 1")) == "Third 1"


@pytest.mark.parametrize("order", list(itertools.permutations(range(1, 6))))
def test_in_whatever_order_they_come_no_gap_is_left(order: tuple[int, ...]) -> None:
    gaps: list[Range] = []
    last = 0
    for seq in order:
        gaps, last, expected = arrive(gaps, last, seq)
        assert expected
        seen = set(order[: order.index(seq) + 1])
        listed = [number for gap in gaps for number in range(gap.first, gap.last + 1)]
        assert sorted(listed) == sorted(set(range(1, max(seen) + 1)) - seen)
    assert gaps == []
    assert not arrive(gaps, last, 3)[2]


def test_a_reason_given_stays() -> None:
    gaps = bury([Range(1, 10)], 3, 4, "first")
    assert gaps == [Range(1, 2), Range(3, 4, "first"), Range(5, 10)]
    assert bury(gaps, 1, 20, "second")[1] == Range(3, 4, "first")


def presence(*, online: bool, connection: str) -> Incoming:
    return message(Presence(online=online, connection=connection), None)


def online(engine: Engine) -> tuple[bool, datetime | None]:
    with Session(engine) as session:
        site = session.get(Site, "gw-1")
        assert site is not None
        return site.online, site.online_changed


def test_presence_and_since_when_by_the_portals_clock(engine: Engine) -> None:
    intake = Intake(engine)
    assert intake.store([presence(online=True, connection="a")], NOW) == {}
    assert online(engine) == (True, NOW)
    later = NOW + timedelta(minutes=5)
    intake.store([presence(online=True, connection="a")], later)  # the retained copy
    assert online(engine) == (True, NOW)
    intake.store([presence(online=False, connection="a")], later)
    assert online(engine) == (False, later)


def test_a_late_will_of_an_earlier_connection_changes_nothing(engine: Engine) -> None:
    intake = Intake(engine)
    intake.store([presence(online=True, connection="a"), presence(online=True, connection="b")], NOW)
    intake.store([presence(online=False, connection="a")], NOW)
    assert online(engine) == (True, NOW)


def test_the_latest_status_by_seq_counts_whatever_its_clock_says(engine: Engine) -> None:
    intake = Intake(engine)
    intake.store([message(status("New name"), 2, time=NOW - timedelta(days=900))], NOW)
    intake.store([message(status("Old name"), 1)], NOW)
    assert [site.name for site in Service(engine).sites(NOW)] == ["New name"]


@pytest.mark.parametrize(
    ("quality", "time", "expected"),
    [
        ("synchronised", NOW - timedelta(hours=3), NOW - timedelta(hours=3)),
        ("holdover", NOW - timedelta(hours=3), NOW - timedelta(hours=3)),
        ("unknown", NOW - timedelta(hours=3), NOW),
        ("synchronised", NOW + timedelta(days=400), NOW),
    ],
)
def test_a_clock_that_cannot_be_trusted_is_not(
    engine: Engine, quality: str, time: datetime, expected: datetime
) -> None:
    told = event().model_copy(update={"at": time})
    Intake(engine).store([message(told, 1, time=time, time_quality=quality)], NOW)
    with Session(engine) as session:
        [row] = session.scalars(select(EventRow)).all()
        assert row.happened_at == expected


def test_the_list_shows_the_worst_of_a_day_and_of_a_month(engine: Engine) -> None:
    ages = [timedelta(hours=1), timedelta(hours=23), timedelta(days=20), timedelta(days=31)]
    peaks = [30_000.0, 31_000.0, 40_000.0, 90_000.0]
    batch = [message(status(), 1), message(settings(verified=False), 2), message(report(verdict="fail"), 3)]
    for seq, (age, peak) in enumerate(zip(ages, peaks, strict=True), start=4):
        batch.append(message(excursion(peak).model_copy(update={"at": NOW - age}), seq))
    batch.append(message(event("trip", "32 operated").model_copy(update={"at": NOW}), 8))
    Intake(engine).store(batch, NOW)
    [site] = Service(engine).sites(NOW)
    assert site.worst_24h is not None
    assert (site.worst_24h.count, site.worst_24h.peak_w) == (2, 31_000.0)
    assert site.worst_30d is not None
    assert (site.worst_30d.count, site.worst_30d.peak_w) == (3, 40_000.0)
    assert site.trips_30d is not None
    assert (site.trips_30d.count, site.settings_state) == (1, "drifted")
    assert site.attention == ("settings drifted", "last report failed", "offline")


def test_sites_that_need_attention_come_first_and_unread_settings_are_unclear(engine: Engine) -> None:
    batch: list[Incoming] = []
    for gateway, name in (("gw-1", "Alder"), ("gw-2", "Birch"), ("gw-3", "Cedar")):
        batch.append(message(Presence(online=True, connection="a"), None, gateway))
        batch.append(message(status(name, 30_000.0 if name == "Birch" else 25_000.0), 1, gateway))
    unread = settings().model_copy(update={"verified": None})
    batch.append(message(unread, 2, "gw-3"))
    Intake(engine).store(batch, NOW)
    listed = Service(engine).sites(NOW)
    assert [site.name for site in listed] == ["Birch", "Alder", "Cedar"]
    assert listed[0].attention == ("limit wider than approved",)
    assert listed[2].settings_state == "unclear"


def test_migrations_lead_to_the_models_and_back(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "portal.db")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []
    migrate(engine, "base")
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    migrate(engine, "head")
    migrate(engine, "head")
    assert "records" in inspect(engine).get_table_names()
    engine.dispose()


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "portal.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(PortalDatabaseError, match=r"portal\.db cannot be used: file is not a database"):
        open_database(tmp_path / "portal.db")


def test_reports_may_be_of_any_shape(engine: Engine) -> None:
    shape = report().model_copy(update={"report": {"tests": ["x", 7], "operator": None}})
    Intake(engine).store([message(shape, 1)], NOW)
    detail = Service(engine).site("gw-1", NOW)
    assert detail is not None
    [one] = detail.reports
    assert (one.verdict, one.tests, one.operator) == ("unknown", (), None)
    found = Service(engine).report(one.id)
    assert found is not None
    assert json.loads(json.dumps(found.report)) == {"tests": ["x", 7], "operator": None}
