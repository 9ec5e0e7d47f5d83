"""What the recorder puts into a real spool: events at once, captures after, excursions whole, floods as one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from recorder_tape import SETTINGS, SITE, Tape

from contract.envelope import Envelope
from edge.agent.recorder import Recorder
from edge.agent.tally import Tallies
from edge.agent.tell import Happening
from edge.agent.wall import Wall
from edge.model.image import Override
from edge.model.sample import Quality
from edge.spool import Spool, SpoolWriter


@pytest.fixture
def tape(tmp_path: Path) -> Iterator[Tape]:
    made = Tape(tmp_path / "spool.sqlite")
    yield made
    made.writer.close()


def test_a_trip_is_kept_at_once_with_what_led_up_to_it_and_its_capture_follows(tape: Tape) -> None:
    for _ in range(100):
        tape.scan(20_000.0)
    tape.scan(25_100.0, "trip")
    for _ in range(160):
        tape.scan(20_000.0)
    (at_once,) = tape.events("trip")
    (later,) = tape.events("capture")
    before = at_once["capture"]["rows"]
    assert before[0][0] == pytest.approx(-10.0, abs=0.25)
    assert before[-1][0] == 0.0
    assert later["detail"] == "trip: a trip"
    assert later["at"] == at_once["at"]
    columns, rows = later["capture"]["columns"], later["capture"]["rows"]
    assert rows[0][0] == pytest.approx(-10.0, abs=0.25)
    assert rows[-1][0] == pytest.approx(30.0, abs=0.25)
    around = {row[0]: row for row in rows}
    assert around[0.0] == before[-1]
    assert around[0.0][columns.index("export_w")] == 25_100.0
    assert around[0.0][columns.index("inverter-2 output_w")] == 30_000.0
    assert around[0.0][columns.index("coil-2 closed")] == 1.0
    assert around[0.0][columns.index("fallback")] == 1.0
    assert later["capture"]["limit_w"] == 25_000.0
    assert [element["name"] for element in later["capture"]["elements"]] == ["32", "PCS"]
    assert later["capture"]["marks"] == [{"t_s": 0.0, "type": "trip", "detail": "a trip"}]


@pytest.mark.parametrize("kind", ["pickup", "trip", "fallback"])
def test_each_of_these_is_captured(tape: Tape, kind: str) -> None:
    tape.scan(20_000.0, kind)
    tape.recorder.close(tape.now_s)
    assert [payload["detail"] for payload in tape.events("capture")] == [f"{kind}: a {kind}"]


@pytest.mark.parametrize("kind", ["reset", "dropout", "alarm", "device-loss"])
def test_others_are_marks_on_what_is_open_and_open_nothing(tape: Tape, kind: str) -> None:
    tape.scan(20_000.0, kind)
    tape.scan(20_000.0, "pickup")
    tape.scan(20_000.0, kind)
    tape.recorder.close(tape.now_s)
    (found,) = tape.events("capture")
    assert [mark["type"] for mark in found["capture"]["marks"]] == ["pickup", kind]


def test_a_burst_is_one_capture_that_covers_all_of_it(tape: Tape) -> None:
    for _ in range(60):
        tape.scan(20_000.0)
    tape.scan(61_000.0, "pickup")
    for _ in range(10):
        tape.scan(61_000.0)
    tape.scan(24_000.0, "trip", "fallback")
    for _ in range(160):
        tape.scan(20_000.0)
    (found,) = tape.events("capture")
    assert found["detail"] == "pickup, excursion, trip, fallback: a pickup"
    kinds = [mark["type"] for mark in found["capture"]["marks"]]
    assert kinds == ["pickup", "excursion", "trip", "fallback", "excursion-end"]
    last_s = found["capture"]["marks"][-1]["t_s"]
    assert found["capture"]["rows"][-1][0] == pytest.approx(last_s + 30.0, abs=0.25)
    (pickup,), (trip,), (fallback,) = tape.events("pickup"), tape.events("trip"), tape.events("fallback")
    assert pickup["capture"]["rows"][-1][0] == 0.0
    assert trip["capture"]["rows"][-1][0] == 0.0
    assert trip["capture"]["rows"][0][0] == pytest.approx(-12.2, abs=0.25)
    assert [mark["t_s"] for mark in trip["capture"]["marks"]] == [
        pytest.approx(-2.2),
        pytest.approx(-2.2),
        0.0,
    ]
    assert fallback["capture"] is None


def test_an_excursion_alone_is_captured_from_before_its_start_to_after_its_end(tape: Tape) -> None:
    for _ in range(100):
        tape.scan(20_000.0)
    for _ in range(100):
        tape.scan(26_000.0)
    for _ in range(160):
        tape.scan(20_000.0)
    (excursion,) = tape.events("excursion")
    (found,) = tape.events("capture")
    assert found["at"] == excursion["at"] == excursion["start"]
    rows = found["capture"]["rows"]
    assert rows[0][0] == pytest.approx(-10.0, abs=0.25)
    assert rows[-1][0] == pytest.approx(excursion["duration_s"] + 30.0, abs=0.25)


@pytest.mark.parametrize(
    ("asked_w", "pickup_w"), [(15_000.0, 15_000.0), (25_001.0, 25_000.0), (None, 25_000.0)]
)
def test_a_pickup_lowered_by_a_test_is_shown_as_it_was_in_force(
    tape: Tape, asked_w: float | None, pickup_w: float
) -> None:
    tape.overrides = (Override("a test", 1e12, pickup_w=asked_w),)
    tape.scan(20_000.0, "pickup")
    tape.recorder.close(tape.now_s)
    (found,) = tape.events("capture")
    (row,) = found["capture"]["rows"]
    shown = dict(zip(found["capture"]["columns"], row, strict=True))
    dropout_w = SETTINGS.guard.elements[0].dropout_w
    assert (shown["32 pickup_w"], shown["32 dropout_w"]) == (pickup_w, dropout_w - 25_000.0 + pickup_w)
    assert shown["PCS pickup_w"] == 25_000.0


def test_of_a_long_excursion_the_start_and_the_end_are_captured(tape: Tape) -> None:
    for export_w, seconds in ((20_000.0, 15), (26_000.0, 200), (20_000.0, 40)):
        for _ in range(5 * seconds):
            tape.scan(export_w)
    (excursion,) = tape.events("excursion")
    first, last = tape.events("capture")
    assert first["detail"] == "excursion: export of 26000 W, above 25000 W"
    assert last["detail"].startswith("excursion-end: ")
    assert (first["capture"]["rows"][0][0], first["capture"]["rows"][-1][0]) == pytest.approx(
        (-10, 30), abs=0.25
    )
    assert (last["capture"]["rows"][0][0], last["capture"]["rows"][-1][0]) == pytest.approx(
        (-10, 30), abs=0.25
    )
    assert excursion["duration_s"] == pytest.approx(200.0, abs=0.25)


def test_captures_of_a_flood_end_with_the_sixtieth(tape: Tape) -> None:
    for _ in range(70):
        tape.scan(61_000.0)
        tape.scan(20_000.0)
        tape.now_s += 45.0
    tape.recorder.close(tape.now_s)
    shown = [mark for found in tape.events("capture") for mark in found["capture"]["marks"]]
    assert sum(mark["type"] == "excursion" for mark in shown) == 60
    assert len(tape.events("excursion")) == 61
    assert tape.recorder.excursions().last_24h.count == 70


def test_a_record_says_the_clock_that_its_site_goes_by(tmp_path: Path) -> None:
    wall = Wall(floor_s=time.time() + 3600.0)
    writer = SpoolWriter(tmp_path / "spool.sqlite", "demo-site", clock=wall)
    recorder = Recorder(SITE, "0" * 64, writer, wall, 1.0, Tallies())
    recorder.tell(Happening("alarm", time.monotonic(), "the clock runs below what was kept"))
    writer.close()
    with closing(Spool(tmp_path / "spool.sqlite", "demo-site")) as spool:
        (record,) = spool.pending(10)
    envelope = Envelope.from_bytes(record.body)
    assert envelope.time_quality == "unknown" == recorder.events[0].time_quality
    assert envelope.time.isoformat(timespec="seconds") == recorder.events[0].wall[:19] + "+00:00"


def test_what_is_open_is_written_when_the_agent_stops(tape: Tape) -> None:
    tape.scan(20_000.0)
    tape.scan(61_000.0, "pickup")
    tape.scan(61_000.0)
    tape.recorder.close(tape.now_s)
    assert [len(payload["capture"]["rows"]) for payload in tape.events("pickup")] == [2]
    assert [len(payload["capture"]["rows"]) for payload in tape.events("capture")] == [3]
    assert [payload["duration_s"] for payload in tape.events("excursion")] == [pytest.approx(0.2)]


def test_an_excursion_whose_end_is_not_seen_counts_for_as_long_as_it_was(tape: Tape) -> None:
    tape.scan(20_000.0)
    for export_w in (61_000.0, 50_000.0, 40_000.0):
        tape.scan(export_w)
    of_late = tape.recorder.excursions().last_24h
    assert of_late.count == 1
    assert of_late.duration_s == pytest.approx(0.4)
    assert of_late.energy_wh == pytest.approx((36_000 + 25_000) * 0.2 / 3600)
    tape.scan(20_000.0)
    of_late = tape.recorder.excursions().last_24h
    assert of_late.duration_s == pytest.approx(0.6)
    assert of_late.energy_wh == pytest.approx((36_000 + 25_000 + 15_000) * 0.2 / 3600)
    tape.recorder.close(tape.now_s + 5.0)
    assert tape.recorder.excursions().last_24h == of_late, "what has ended grows no more"


def test_an_excursion_is_whole(tape: Tape) -> None:
    tape.scan(20_000.0)
    for export_w in (61_000.0, 50_000.0, 40_000.0, 24_000.0):
        tape.scan(export_w)
    (excursion,) = tape.events("excursion")
    assert excursion["peak_w"] == 61_000.0
    assert excursion["duration_s"] == pytest.approx(0.6)
    assert excursion["energy_wh"] == pytest.approx((36_000 + 25_000 + 15_000) * 0.2 / 3600)
    assert excursion["values"]["count_24h"] == 1
    assert tape.recorder.events[-1].kind == "excursion"


def test_status_goes_out_at_the_start_on_change_and_each_minute(tape: Tape) -> None:
    for _ in range(20):
        tape.scan(20_000.0)
    for _ in range(10):
        tape.scan(20_000.0, mode="tripped", tripped=True, target="32")
    for _ in range(320):
        tape.scan(20_000.0, mode="tripped", tripped=True, target="32")
    told = [payload for kind, payload in tape.records() if kind == "status"]
    assert [payload["mode"] for payload in told] == ["starting", "tripped", "tripped"]
    assert told[0]["der_w"] == 60_000.0
    assert told[1]["target"] == "32"


def test_a_minute_of_telemetry(tape: Tape) -> None:
    for _ in range(310):
        tape.scan(20_000.0)
    (minute,) = [payload for kind, payload in tape.records() if kind == "telemetry"]
    assert (minute["export_mean_w"], minute["export_max_w"]) == (20_000.0, 20_000.0)
    assert minute["seconds"] == pytest.approx(60.0, abs=0.5)


def test_a_flood_becomes_one_record(tape: Tape) -> None:
    for _ in range(200):
        tape.scan(20_000.0, "dropout")
    tape.recorder.close(tape.now_s)
    found = tape.events("dropout")
    assert len(found) == 61
    assert found[-1]["count"] == 140
    assert len(tape.recorder.events) == 200


def test_a_change_of_quality_is_an_event_and_an_unknown_kind_is_not_lost(tape: Tape) -> None:
    tape.scan(20_000.0)
    tape.scan(0.0, quality=Quality.INVALID)
    tape.recorder.tell(Happening("never-heard-of", tape.now_s, "something new", "coil-2"))
    tape.recorder.audit("installer", "reset the trip latch")
    assert "is invalid (was good)" in tape.events("quality-change")[0]["detail"]
    assert tape.events("alarm")[0]["device"] == "coil-2"
    assert [payload["by"] for kind, payload in tape.records() if kind == "audit"] == ["installer"]


def test_a_slow_meter_leaves_its_evidence_as_well(tmp_path: Path) -> None:
    tape = Tape(tmp_path / "slow.sqlite", stale_s=8.0)
    tape.age_s = 5.0
    for export_w in (20_000.0, 61_000.0, *[24_000.0] * 310):
        tape.scan(export_w)
    assert tape.events("excursion")[0]["peak_w"] == 61_000.0
    (minute,) = [payload for kind, payload in tape.records() if kind == "telemetry"]
    assert minute["export_max_w"] == 61_000.0


def test_a_flood_does_not_fill_the_log(tape: Tape, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(200):
        tape.recorder.tell(Happening("write-unverified", tape.now_s, "inverter-1: it drifted", "inverter-1"))
        tape.scan(20_000.0, "dropout")
    tape.recorder.close(tape.now_s)
    lines = [record.getMessage() for record in caplog.records]
    assert lines.count("write-unverified: inverter-1: it drifted") == 60
    assert lines.count("dropout: a dropout") == 60
    assert "dropout: 140 more of this kind within the hour" in lines


def test_a_refused_record_does_not_mute_the_alarm_of_a_full_disk(tape: Tape) -> None:
    tape.scan(20_000.0)
    tape.writer.close()  # nothing is left that would clear the fault
    tape.writer.state.refused = 1
    tape.writer.state.fault = "the disk is full"
    tape.scan(20_000.0)
    assert "records wait in memory: the disk is full" in tape.alarms()


def test_a_writer_that_ended_is_an_alarm(tape: Tape) -> None:
    tape.scan(20_000.0)
    tape.writer.state.running = False
    tape.scan(20_000.0)
    assert tape.alarms() == ["records wait in memory: the spool's writer has ended"]


def test_an_overflow_of_the_queue_is_one_alarm_an_hour(tape: Tape) -> None:
    for overflow in range(1, 50):
        tape.writer.state.overflow, tape.writer.state.evicted = overflow, overflow - 1
        tape.scan(20_000.0)
    (alarm,) = tape.alarms()
    assert "overflowed 1 times, 0 records gave way and 0 were refused" in alarm
    tape.now_s += 3600.0
    tape.scan(20_000.0)
    tape.writer.state.overflow += 1
    tape.scan(20_000.0)
    assert len(tape.alarms()) == 2


def test_a_spool_that_cannot_be_written_is_an_alarm_and_control_goes_on(tape: Tape) -> None:
    tape.scan(20_000.0)
    tape.writer.close()
    tape.writer.state.fault = "the disk is full: the spool cannot take the record"
    for _ in range(3):
        tape.scan(20_000.0)
    assert tape.alarms() == ["records wait in memory: the disk is full: the spool cannot take the record"]


def test_too_much_time_above_the_limit_in_an_hour_is_one_alarm(tape: Tape) -> None:
    """Each of the excursions is short; with the one that passes a minute in sum it is told, and not again."""
    for _ in range(70):
        for export_w in (*[30_000.0] * 5, 0.0):
            tape.scan(export_w)
    alarms = [event.detail for event in tape.recorder.events if event.kind == "alarm"]
    assert len(alarms) == 1
    assert alarms[0].startswith("export above the limit adds up to 60.")
    assert tape.recorder.excursions().last_1h.count == 70
