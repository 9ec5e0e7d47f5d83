"""Each fault and quirk of the wire as a client sees it, byte by byte, on TCP and on a serial line."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_bench import (
    Bank,
    connected,
    crc,
    fault,
    opened,
    read_pdu,
    rtu,
    rtu_frame,
    station,
    tcp,
    tcp_frame,
    words_pdu,
)

from sim.devices.unit import ModbusRefusal, Refusal
from sim.files.fault import OF_THE_GATEWAY, FaultKind
from sim.quirks import Quirk
from sim.wire.disturbance import Disturbance, Reply, Unanswered
from sim.wire.faults import FAULTS, SENTINEL
from sim.wire.quirks import MINIMUM_POLL_S, ZEROS_WITHIN_S, wire_quirks
from sim.wire.station import Station

GOOD = words_pdu(1000, 1001)
TCP_SIZE, RTU_SIZE = 13, 9


async def over_tcp(*disturbances: Disturbance, pdu: bytes | None = None, within_s: float = 0.15) -> bytes:
    """All that comes back for a read of the registers 1000 and 1001 with transaction id 7."""
    async with tcp(station(*disturbances)) as port, connected(port) as client:
        return await client.ask(tcp_frame(pdu or read_pdu()), within_s)


async def over_rtu(*disturbances: Disturbance, size: int = RTU_SIZE, within_s: float = 0.15) -> bytes:
    async with rtu(station(*disturbances)) as line, opened(line) as master:
        return await master.ask(rtu_frame(read_pdu()), size, within_s)


def said(at: Station, pdu: bytes) -> bytes:
    """The PDU of the answer, without a wire."""
    return at.reply(pdu).pdu


def words(pdu: bytes) -> list[int]:
    return list(struct.unpack(f">{pdu[1] // 2}H", pdu[2:]))


async def test_without_a_fault_nothing_is_wrong() -> None:
    assert await over_tcp() == tcp_frame(GOOD)
    assert await over_rtu() == rtu_frame(GOOD)


async def test_silence() -> None:
    bank = Bank()
    async with tcp(station(fault("silence"), bank=bank)) as port, connected(port) as client:
        assert await client.ask(tcp_frame(read_pdu()), 0.1) == b""
        assert await client.ask(tcp_frame(read_pdu()), 0.1) == b""
        assert not client.at_end()
    assert bank.asked == 0
    assert await over_rtu(fault("silence")) == b""


async def test_reset_is_a_reset_and_on_a_line_silence() -> None:
    async with tcp(station(fault("reset"))) as port, connected(port) as client:
        with pytest.raises(ConnectionResetError):
            await client.ask(tcp_frame(read_pdu()), 1.0)
    assert await over_rtu(fault("reset")) == b""


async def test_late_answers_come_after_those_to_later_requests() -> None:
    at = station(fault("late", delay_s=0.2))
    async with tcp(at) as port, connected(port) as client:
        assert await client.ask(tcp_frame(read_pdu(), 1), 0.1) == b""
        at.faults.clear()
        heard = await client.ask(tcp_frame(read_pdu(102), 2), 1.0, size=2 * TCP_SIZE)
    assert heard == tcp_frame(words_pdu(1002, 1003), 2) + tcp_frame(GOOD, 1)


async def test_late_answers_meet_the_next_request_on_a_line() -> None:
    at = station(fault("late", delay_s=0.2))
    async with rtu(at) as line, opened(line) as master:
        assert await master.ask(rtu_frame(read_pdu()), 1, 0.1) == b""
        at.faults.clear()
        heard = await master.ask(rtu_frame(read_pdu(102)), 2 * RTU_SIZE, 1.0)
    assert heard == rtu_frame(words_pdu(1002, 1003)) + rtu_frame(GOOD)


async def test_an_answer_to_a_connection_that_is_gone_is_lost() -> None:
    async with tcp(station(fault("late", delay_s=0.1))) as port:
        async with connected(port) as client:
            await client.ask(tcp_frame(read_pdu(), 1), 0.02)
        async with connected(port) as client:
            assert await client.hear(0.2) == b""


async def test_slow_answers_keep_the_others_waiting() -> None:
    async with tcp(station(fault("slow", delay_s=0.15))) as port, connected(port) as client:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        heard = await client.ask(tcp_frame(read_pdu(), 1) + tcp_frame(read_pdu(), 2), 1.0, size=2 * TCP_SIZE)
        assert heard == tcp_frame(GOOD, 1) + tcp_frame(GOOD, 2)
        assert loop.time() - begun_s >= 0.3
    assert await over_rtu(fault("slow", delay_s=0.15), within_s=0.1) == b""


async def test_foreign_ids() -> None:
    heard = await over_tcp(fault("foreign-id"))
    assert heard[:2] != (7).to_bytes(2, "big")
    assert heard[2:] == tcp_frame(GOOD)[2:]
    heard = await over_rtu(fault("foreign-id"))
    assert 1 < heard[0] <= 247
    assert heard == rtu_frame(GOOD, heard[0])


@given(st.integers(0, 10_000), st.integers(0, 0xFFFF), st.integers(1, 247), st.booleans())
def test_a_foreign_id_is_never_the_right_one(seed: int, transaction: int, unit: int, serial: bool) -> None:
    reply = Reply(unit, transaction, b"", serial=serial)
    fault("foreign-id", seed).on_reply(reply)
    assert (reply.unit_id != unit) == serial
    assert (reply.transaction_id != transaction) == (not serial)
    assert 1 <= reply.unit_id <= 247
    assert 0 <= reply.transaction_id <= 0xFFFF


async def test_repeated_ids() -> None:
    assert await over_tcp(fault("repeated-id")) == 2 * tcp_frame(GOOD)
    assert await over_rtu(fault("repeated-id"), size=2 * RTU_SIZE) == 2 * rtu_frame(GOOD)


async def test_exceptions_have_the_code_that_was_asked_for_and_no_effect() -> None:
    bank = Bank()
    async with tcp(station(fault("exception", code=6), bank=bank)) as port, connected(port) as client:
        assert await client.ask(tcp_frame(read_pdu()), size=9) == tcp_frame(b"\x83\x06")
        write = struct.pack(">BHH", 6, 100, 1)
        assert await client.ask(tcp_frame(write), size=9) == tcp_frame(b"\x86\x06")
    assert (bank.asked, bank.written) == (0, [])
    assert await over_rtu(fault("exception", code=11), size=5) == rtu_frame(b"\x83\x0b")


async def test_truncated_answers_end_too_soon() -> None:
    for whole, heard in (
        (tcp_frame(GOOD), await over_tcp(fault("truncated"))),
        (rtu_frame(GOOD), await over_rtu(fault("truncated"))),
    ):
        assert 0 < len(heard) < len(whole)
        assert whole.startswith(heard)


async def test_merged_answers_are_the_one_before_and_this_one() -> None:
    async with tcp(station(fault("merged"))) as port, connected(port) as client:
        assert await client.ask(tcp_frame(read_pdu(), 1), 0.1) == tcp_frame(GOOD, 1)
        heard = await client.ask(tcp_frame(read_pdu(102), 2), 0.1)
        assert heard == tcp_frame(GOOD, 1) + tcp_frame(words_pdu(1002, 1003), 2)
        heard = await client.ask(tcp_frame(read_pdu(104), 3), 0.1)
        assert heard == tcp_frame(words_pdu(1002, 1003), 2) + tcp_frame(words_pdu(1004, 1005), 3)
    async with rtu(station(fault("merged"))) as line, opened(line) as master:
        await master.ask(rtu_frame(read_pdu()), RTU_SIZE)
        heard = await master.ask(rtu_frame(read_pdu(102)), 2 * RTU_SIZE)
        assert heard == rtu_frame(GOOD) + rtu_frame(words_pdu(1002, 1003))


def bits_apart(one: bytes, other: bytes) -> int:
    assert len(one) == len(other)
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


async def test_a_flipped_bit_breaks_the_crc_and_on_tcp_only_the_content() -> None:
    heard = await over_rtu(fault("bit-flip"))
    assert bits_apart(heard, rtu_frame(GOOD)) == 1
    assert crc(heard[:-2]) != heard[-2:]
    heard = await over_tcp(fault("bit-flip"))
    assert bits_apart(heard, tcp_frame(GOOD)) == 1
    assert heard[:9] == tcp_frame(GOOD)[:9]


@given(st.integers(0, 10_000), st.booleans())
def test_any_flipped_bit_of_a_serial_frame_is_seen_by_its_crc(seed: int, short: bool) -> None:
    whole = rtu_frame(b"\x83\x02" if short else GOOD)
    (heard,) = fault("bit-flip", seed).on_frames([whole], Reply(1, 0, b"", serial=True))
    assert bits_apart(heard, whole) == 1
    assert crc(heard[:-2]) != heard[-2:]


@given(st.integers(0, 10_000), st.sampled_from([GOOD, b"\x83\x02"]))
def test_a_flipped_bit_on_tcp_leaves_ids_and_lengths_alone(seed: int, pdu: bytes) -> None:
    whole = tcp_frame(pdu)
    (heard,) = fault("bit-flip", seed).on_frames([whole], Reply(1, 7, b""))
    assert bits_apart(heard, whole) == 1
    assert heard[:8] == whole[:8]
    assert heard[8] == whole[8] or len(pdu) == 2


def test_torn_values_are_half_new_and_half_old() -> None:
    bank = Bank()
    at = station(fault("torn"), bank=bank)
    bank.words[:4] = [0x0000, 0xFFFF, 0x0000, 0xFFFF]
    said(at, read_pdu(100, 4))
    bank.words[:4] = [0x0001, 0x0000, 0x0001, 0x0000]
    assert words(said(at, read_pdu(100, 4))) == [0x0000, 0x0000, 0x0000, 0x0000]
    bank.words[:4] = [0x0001, 0x0000, 0x0001, 0x0000]
    said(at, read_pdu(101, 3))
    bank.words[:4] = [0x0000, 0xFFFF, 0x0000, 0xFFFF]
    assert words(said(at, read_pdu(101, 3))) == [0x0000, 0x0000, 0x0000]
    assert words(said(at, read_pdu(105, 2))) == [1005, 1006]


def test_zeros_are_registers_and_bits_and_exceptions_stay() -> None:
    at = station(fault("zeros"))
    assert words(said(at, read_pdu())) == [0, 0]
    assert said(at, read_pdu(0, 8, 1)) == b"\1\1\0"
    assert said(at, read_pdu(1)) == b"\x83\2"


def test_sentinels_are_registers_only() -> None:
    at = station(fault("sentinel"))
    assert words(said(at, read_pdu())) == [SENTINEL, SENTINEL]
    assert said(at, read_pdu(0, 8, 1)) == b"\1\1\x49"


def test_frozen_values_stay_and_writes_still_work() -> None:
    bank = Bank()
    at = station(fault("frozen"), bank=bank)
    assert words(said(at, read_pdu(100, 2))) == [1000, 1001]
    said(at, struct.pack(">BHH", 6, 101, 5))
    assert bank.words[1] == 5
    assert words(said(at, read_pdu(101, 2))) == [1001, 1002]
    said(at, read_pdu(0, 1, 1))
    bank.bits[0] = False
    assert said(at, read_pdu(0, 1, 1)) == b"\1\1\1"


@pytest.mark.parametrize(("kind", "answer"), [("write-refused", b"\x86\4"), ("write-ignored", None)])
def test_writes_refused_and_ignored(kind: str, answer: bytes | None) -> None:
    bank = Bank()
    at = station(fault(kind), bank=bank)
    write = struct.pack(">BHH", 6, 101, 5)
    assert said(at, write) == (answer or write)
    assert bank.written == []
    assert words(said(at, read_pdu())) == [1000, 1001]


RATED = ("silence", "late", "foreign-id", "exception", "truncated", "zeros", "sentinel", "bit-flip")
NEEDED: dict[str, dict[str, Any]] = {
    "late": {"delay_s": 0.1},
    "slow": {"delay_s": 0.1},
    "exception": {"code": 4},
}


@pytest.mark.parametrize("kind", RATED)
def test_a_rate_is_the_share_of_answers_that_are_struck(kind: str) -> None:
    at = station(fault(kind, rate=0.25, **NEEDED.get(kind, {})))
    struck = 0
    for _ in range(2000):
        try:
            reply = at.reply(read_pdu(), 7)
            good = (reply.transaction_id, reply.after_s, reply.pdu) == (7, 0.0, GOOD)
            struck += not (good and at.frames(b"x" * 20, reply) == [b"x" * 20])
        except Unanswered:
            struck += 1
    assert struck / 2000 == pytest.approx(0.25, abs=0.03)


def test_the_same_seed_strikes_the_same_answers() -> None:
    def struck(seed: int) -> list[bool]:
        at = station(fault("zeros", seed, rate=0.5))
        return [words(said(at, read_pdu())) == [0, 0] for _ in range(64)]

    assert struck(3) == struck(3) != struck(4)


async def test_several_faults_strike_together() -> None:
    heard = await over_tcp(fault("zeros"), fault("repeated-id"), fault("foreign-id"))
    assert heard[:13] == heard[13:]
    assert heard[2:13] == tcp_frame(words_pdu(0, 0))[2:]
    assert heard[:2] != (7).to_bytes(2, "big")


OTHERS = OF_THE_GATEWAY | {
    FaultKind.UNIT_SWAP,
    FaultKind.CONTACT_WELDED,
    FaultKind.SENTINEL,
    FaultKind.MEASUREMENT_FROZEN,
}


@pytest.mark.parametrize("kind", sorted(FaultKind))
def test_every_fault_of_the_wire_is_there(kind: FaultKind) -> None:
    assert (kind in FAULTS) == (kind not in OTHERS)


class Hand:
    """A clock that the test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def quirky(quirk: Quirk, clock: Hand | None = None, bank: Bank | None = None) -> Station:
    return Station("bank", 1, bank or Bank(), wire_quirks([quirk], clock or Hand()))


@pytest.mark.parametrize(("quirk", "refused", "taken"), [(Quirk.FC06_ONLY, 16, 6), (Quirk.FC16_ONLY, 6, 16)])
def test_one_write_function_only(quirk: Quirk, refused: int, taken: int) -> None:
    pdus = {6: struct.pack(">BHH", 6, 100, 9), 16: struct.pack(">BHHBH", 16, 100, 1, 2, 9)}
    bank = Bank()
    at = quirky(quirk, bank=bank)
    assert said(at, pdus[refused]) == bytes((refused | 0x80, 1))
    assert bank.written == []
    assert said(at, pdus[taken])[0] == taken
    assert bank.words[0] == 9
    assert words(said(at, read_pdu(100, 1))) == [9]


def test_a_request_too_soon_after_the_last_one_gets_no_answer() -> None:
    clock = Hand()
    at = quirky(Quirk.MINIMUM_POLL_INTERVAL, clock)
    said(at, read_pdu())
    clock.now_s += MINIMUM_POLL_S - 0.001
    with pytest.raises(Unanswered):
        said(at, read_pdu())
    clock.now_s += MINIMUM_POLL_S - 0.001
    with pytest.raises(Unanswered):
        said(at, read_pdu())
    clock.now_s += MINIMUM_POLL_S + 1e-9
    assert words(said(at, read_pdu())) == [1000, 1001]


def test_the_same_registers_asked_too_fast_are_zeros() -> None:
    clock = Hand()
    at = quirky(Quirk.ZEROS_WHEN_ASKED_TOO_FAST, clock)
    assert words(said(at, read_pdu())) == [1000, 1001]
    assert words(said(at, read_pdu(102))) == [1002, 1003]
    clock.now_s += ZEROS_WITHIN_S - 0.001
    assert words(said(at, read_pdu())) == [0, 0]
    clock.now_s += ZEROS_WITHIN_S
    assert words(said(at, read_pdu())) == [1000, 1001]


async def test_a_gateway_that_does_not_echo_the_transaction_id() -> None:
    async with tcp(quirky(Quirk.TRANSACTION_ID_NOT_ECHOED)) as port, connected(port) as client:
        assert await client.ask(tcp_frame(read_pdu(), 7), size=TCP_SIZE) == tcp_frame(GOOD, 0)


def test_quirks_of_the_registers_are_not_the_wires() -> None:
    assert wire_quirks([Quirk.ENABLE_MUST_TOGGLE, Quirk.MODEL_1_OF_65], Hand()) == []


def test_a_refusal_by_the_unit_is_an_answer_like_any_other() -> None:
    class Refusing(Bank):
        def write(self, function_code: int, address: int, values: Sequence[int]) -> None:
            raise ModbusRefusal(Refusal.ILLEGAL_VALUE)

    at = station(bank=Refusing())
    assert said(at, struct.pack(">BHH", 6, 100, 1)) == b"\x86\3"
