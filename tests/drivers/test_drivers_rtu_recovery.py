"""After a lost or late answer on a serial line: what the next request makes of it, with what is still to come."""

from __future__ import annotations

import asyncio
import os
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU

from drivers.bus import Bus
from drivers.errors import BadData, ModbusException, Timeout
from drivers.uri import ModbusUri

FRAMER = FramerRTU(DecodePDU(is_server=True))
REGISTERS = 10
INPUTS = 8
TIMEOUT_S = 0.15
QUICK_S = 0.005

Answer = tuple[float, bytes]
Script = Callable[[int, bytes], Answer | None]
"""The number of a request from 1 and its PDU -> after how long, in s, which PDU comes back."""


class Device:
    """Unit 1 on a pseudo-terminal; behind each of its frames comes `glitch`."""

    def __init__(self, script: Script, glitch: bytes = b"") -> None:
        self.asked: list[bytes] = []
        self.bus: Bus
        self._script = script
        self._glitch = glitch
        self._heard = b""

    def answer(self, end: int) -> None:
        self._heard += os.read(end, 4096)
        _, _, _, pdu = FRAMER.decode(self._heard)
        if not pdu:
            return
        self._heard = b""
        self.asked.append(pdu)
        said = self._script(len(self.asked), pdu)
        if said is not None:
            frame = FRAMER.encode(said[1], 1, 0) + self._glitch
            asyncio.get_running_loop().call_later(said[0], os.write, end, frame)


@contextmanager
def device(script: Script, glitch: bytes = b"", retries: int = 1) -> Iterator[Device]:
    made = Device(script, glitch)
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, made.answer, ours)
    uri = ModbusUri.parse(f"rtu://{os.ttyname(theirs)}?baud=115200&unit=1")
    made.bus = Bus(uri, timeout_s=TIMEOUT_S, retries=retries)
    try:
        yield made
    finally:
        made.bus.close()
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)


def count(pdu: bytes) -> int:
    return int.from_bytes(pdu[3:5], "big")


def registers(number: int, pdu: bytes) -> bytes:
    """The registers asked for, each of them the number of the request."""
    return bytes((3, 2 * count(pdu))) + number.to_bytes(2, "big") * count(pdu)


def bits(number: int, pdu: bytes) -> bytes:
    """The bits asked for, each true where the number of the request is odd."""
    size = -(-count(pdu) // 8)
    return bytes((pdu[0], size)) + bytes((0xFF * (number % 2),)) * size


async def words(made: Device, wanted: int = REGISTERS) -> set[int]:
    return set((await made.bus.read(1, 0, wanted)).words)


@pytest.mark.parametrize("code", [2, 3])
async def test_the_retry_helps_where_longer_reads_are_refused(code: int) -> None:
    def script(number: int, pdu: bytes) -> Answer | None:
        if number == 2:
            return None
        return QUICK_S, registers(number, pdu) if count(pdu) <= REGISTERS else bytes((0x83, code))

    with device(script) as made:
        assert await words(made) == {1}
        assert await words(made) == {4}
        assert [count(pdu) for pdu in made.asked] == [10, 10, 11, 10]
        assert await words(made) == {5}


@pytest.mark.parametrize("code", [6, 11])
async def test_a_refusal_for_another_reason_keeps_its_code_and_what_is_owed(code: int) -> None:
    def script(number: int, pdu: bytes) -> Answer | None:
        if number == 1:
            return None
        return QUICK_S, registers(number, pdu) if number > 2 else bytes((0x83, code))

    with device(script) as made:
        with pytest.raises(ModbusException) as caught:
            await words(made)
        assert caught.value.code == code
        assert await words(made) == {3}
        assert [count(pdu) for pdu in made.asked] == [10, 11, 11]


async def test_a_device_deaf_to_longer_reads_costs_one_transaction_and_later_losses_none() -> None:
    lose = {2}

    def script(number: int, pdu: bytes) -> Answer | None:
        return None if number in lose or count(pdu) > REGISTERS else (QUICK_S, registers(number, pdu))

    with device(script) as made:
        assert await words(made) == {1}
        with pytest.raises(Timeout):
            await words(made)
        assert await words(made) == {4}
        lose.add(5)
        assert await words(made) == {6}
        assert [count(pdu) for pdu in made.asked] == [10, 10, 11, 10, 10, 10]


async def test_the_retry_waits_for_its_own_answer_behind_a_late_one() -> None:
    def script(number: int, pdu: bytes) -> Answer | None:
        return 0.18 if number == 2 else 0.06, registers(number, pdu)

    with device(script) as made:
        assert await words(made, 4) == {1}
        assert await words(made, 4) == {3}
        assert await words(made, 4) == {4}


@pytest.mark.parametrize("read", ["read_input", "read_coil"])
async def test_late_bits_are_not_those_of_the_next_read(read: str) -> None:
    def script(number: int, pdu: bytes) -> Answer | None:
        return 0.18 if number == 2 else 0.06, bits(number, pdu)

    with device(script, retries=0) as made:
        ask = getattr(made.bus, read)
        assert await ask(1, 0) is True
        with pytest.raises(Timeout):
            await ask(1, 0)
        assert [await ask(1, 0) for _ in range(3)] == [True, False, True]
        assert [count(pdu) for pdu in made.asked[:3]] == [1, 1, 9]


async def test_bits_of_a_module_that_has_no_more_of_them() -> None:
    def script(number: int, pdu: bytes) -> Answer | None:
        if number == 1:
            return None
        return QUICK_S, bits(number, pdu) if count(pdu) <= INPUTS else bytes((pdu[0] | 0x80, 2))

    with device(script) as made:
        assert await made.bus.read_input(1, 0) is True
        assert [count(pdu) for pdu in made.asked] == [1, 9, 1]


async def test_a_late_acknowledgement_is_not_that_of_the_same_write_again() -> None:
    def script(number: int, pdu: bytes) -> Answer | None:
        return (0.18, pdu) if number == 1 else None

    with device(script, retries=0) as made:
        for _ in range(3):
            with pytest.raises(Timeout):
                await made.bus.write_coil(1, 0, closed=True)
        assert len(made.asked) == 3


async def test_a_late_acknowledgement_of_closing_is_none_of_opening_which_goes_out_at_once() -> None:
    loop = asyncio.get_running_loop()
    at_s: list[float] = []

    def script(number: int, pdu: bytes) -> Answer | None:
        at_s.append(loop.time())
        return (0.18, pdu) if number == 1 else None

    with device(script, retries=0) as made:
        with pytest.raises(Timeout):
            await made.bus.write_coil(1, 0, closed=True)
        lost_s = loop.time()
        with pytest.raises(Timeout):
            await made.bus.write_coil(1, 0, closed=False)
        assert at_s[1] - lost_s < TIMEOUT_S / 2


@pytest.mark.parametrize("glitch", [b"\x00", b"\xff", b"\xfe\xff", b"\x00\x03"])
async def test_a_glitch_behind_a_frame_does_no_harm(glitch: bytes) -> None:
    with device(lambda number, pdu: (QUICK_S, registers(number, pdu)), glitch) as made:
        assert [await words(made, 4) for _ in range(3)] == [{1}, {2}, {3}]


@pytest.mark.parametrize("glitch", [b"\x01", b"\x01\x03", b"\x01\x83\x02"])
async def test_what_may_be_another_frame_of_the_unit_makes_both_doubtful(glitch: bytes) -> None:
    with (
        device(lambda number, pdu: (QUICK_S, registers(number, pdu)), glitch, retries=0) as made,
        pytest.raises(BadData, match="without a pause"),
    ):
        await words(made, 4)


async def test_a_cancelled_read_owes_its_answer_too() -> None:
    there = asyncio.Event()

    def script(number: int, pdu: bytes) -> Answer | None:
        there.set()
        return 0.05 * number, registers(number, pdu)

    with device(script) as made:
        task = asyncio.create_task(made.bus.read(1, 0, 4))
        await there.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await words(made, 4) == {2}


async def test_an_answer_of_wrong_length_that_nobody_is_owed_is_bad_data() -> None:
    with (
        device(lambda _, __: (QUICK_S, bytes((3, 2, 0, 7))), retries=0) as made,
        pytest.raises(BadData, match="with 1 registers"),
    ):
        await words(made, 4)
