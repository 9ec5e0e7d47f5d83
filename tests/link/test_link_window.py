"""Which records are on their way: bounded, sent again in good time, forgotten on receipt."""

from __future__ import annotations

from edge.link import window
from edge.link.window import Window
from edge.spool import Pending


def record(seq: int, size: int = 100) -> Pending:
    return Pending(seq, f"id-{seq}", "event", b"x" * size)


def test_the_number_on_the_way_is_bounded() -> None:
    one = Window()
    for seq in range(1, window.MAX_RECORDS + 1):
        assert one.room() > 0
        one.add(record(seq), 0.0, heard=True)
    assert one.room() == 0
    one.remove(["id-1", "unknown"])
    assert one.room() == 1
    assert one.last_seq == window.MAX_RECORDS


def test_so_are_their_bytes() -> None:
    one = Window()
    one.add(record(1, window.MAX_BYTES), 0.0, heard=True)
    assert one.room() == 0


def test_waiting_for_a_receipt_grows_patient() -> None:
    one = Window()
    now, waits = 0.0, []
    for _ in range(8):
        one.add(record(1), now, heard=True)
        assert one.due(now) == []
        begun = now
        while not one.due(now):
            now += 1.0
        waits.append(now - begun)
    assert waits == [15, 30, 60, 120, 240, 480, 600, 600]


def test_unheard_records_are_tried_again_soon() -> None:
    one = Window()
    one.add(record(1), 0.0, heard=False)
    assert one.due(0.9) == []
    assert one.due(1.0) == ["id-1"]
    for _ in range(40):
        one.add(record(1), 0.0, heard=False)
    assert one.due(59.9) == []
    assert one.due(60.0) == ["id-1"]


def test_the_broker_keeps_two_copies_and_no_more() -> None:
    one = Window()
    assert one.expiry_s(record(1)) == 30
    one.add(record(1), 0.0, heard=True)
    assert one.expiry_s(record(1)) == 60
    for _ in range(40):
        one.add(record(1), 0.0, heard=True)
    assert one.expiry_s(record(1)) == 1200


def test_a_new_connection_starts_over() -> None:
    one = Window()
    one.add(record(7), 0.0, heard=True)
    one.forget()
    assert (one.last_seq, one.room(), one.due(1e9)) == (0, window.MAX_RECORDS, [])
