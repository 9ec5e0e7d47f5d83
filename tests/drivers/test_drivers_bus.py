"""The bus: time-outs, retries, reconnecting, and units that share a line. Servers and sockets are real."""

from __future__ import annotations

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from pymodbus.constants import ExcCodes
from served_map import device, serve

from drivers.bus import Bus, Buses
from drivers.errors import BadData, ModbusException, Timeout, TooLate, Unreachable
from drivers.uri import ModbusUri

Reply = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
HEADER = 12


@asynccontextmanager
async def scripted(reply: Reply, port: int = 0) -> AsyncIterator[tuple[ModbusUri, list[bytes]]]:
    """A TCP server that answers each read request as the test says; also all requests it saw."""
    seen: list[bytes] = []
    talks: set[asyncio.Task[None] | None] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                request = await reader.readexactly(HEADER)
                seen.append(request)
                await reply(request, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    try:
        yield ModbusUri(host="127.0.0.1", port=server.sockets[0].getsockname()[1], unit=1), seen
    finally:
        server.close()
        await asyncio.gather(*(task for task in talks if task is not None))


def answer(request: bytes, *words: int, transaction: int | None = None, unit: int | None = None) -> bytes:
    """A good answer to a read, or one with a wrong id."""
    sent, _, _, to_unit = struct.unpack(">HHHB", request[:7])
    body = struct.pack(f">BBB{len(words)}H", to_unit if unit is None else unit, 3, 2 * len(words), *words)
    return struct.pack(">HHH", sent if transaction is None else transaction, 0, len(body)) + body


async def good(request: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(request, 7))


async def test_reads_and_writes_with_times() -> None:
    async with serve(device(1, {10: 1, 11: 2, 12: 3})) as uri:
        bus = Bus(uri, timeout_s=2)
        before_s = time.monotonic()
        found = await bus.read(1, 10, 3)
        assert list(found.words) == [1, 2, 3]
        assert before_s <= found.sent_s <= found.received_s <= time.monotonic()
        await bus.write(1, 11, [8, 9])
        assert list((await bus.read(1, 10, 3)).words) == [1, 8, 9]
        bus.close()


async def test_exception_has_its_code_and_is_not_retried() -> None:
    async with serve(device(1, {10: 1})) as uri:
        bus = Bus(uri, timeout_s=2, retries=3)
        with pytest.raises(ModbusException, match=r"exception 2 \(illegal address\)") as caught:
            await bus.read(1, 99, 1)
        assert caught.value.code == 2
        assert bus.line.connects == 1
        bus.close()


async def test_refused_connection_is_unreachable() -> None:
    async with serve(device(1, {10: 1})) as uri:
        pass
    with pytest.raises(Unreachable, match="nothing accepts a connection"):
        await Bus(uri, timeout_s=1).read(1, 10, 1)


async def test_silence_times_out_and_retries_as_often_as_told() -> None:
    async def silent(_request: bytes, _writer: asyncio.StreamWriter) -> None: ...

    async with scripted(silent) as (uri, seen):
        bus = Bus(uri, timeout_s=0.1, retries=2)
        started_s = time.monotonic()
        with pytest.raises(
            Timeout, match=r"did not answer a read of 1 registers at 10 from unit 1 within 0\.1 s"
        ):
            await bus.read(1, 10, 1)
        assert 0.3 <= time.monotonic() - started_s < 0.6
        assert len(seen) == 3
        assert bus.line.connects == 3
        bus.close()


async def test_a_late_answer_is_never_taken_for_the_next_one() -> None:
    count = 0

    async def late(request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        if count == 1:
            await asyncio.sleep(0.15)
        writer.write(answer(request, count))

    async with scripted(late) as (uri, _):
        bus = Bus(uri, timeout_s=0.1)
        with pytest.raises(Timeout):
            await bus.read(1, 10, 1)
        assert list((await bus.read(1, 10, 1)).words) == [2]
        assert bus.line.connects == 2
        bus.close()


async def test_a_wrong_transaction_id_means_reconnect() -> None:
    wrong = True

    async def stale(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(request, 7, transaction=999 if wrong else None))

    async with scripted(stale) as (uri, _):
        bus = Bus(uri, timeout_s=0.1)
        with pytest.raises(Timeout):
            await bus.read(1, 10, 1)
        wrong = False
        assert list((await bus.read(1, 10, 1)).words) == [7]
        assert bus.line.connects == 2
        bus.close()


async def test_an_answer_of_another_unit_is_not_taken() -> None:
    async def other(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(request, 7, unit=9))

    async with scripted(other) as (uri, _):
        bus = Bus(uri, timeout_s=0.1)
        with pytest.raises((Timeout, BadData)):
            await bus.read(1, 10, 1)
        bus.close()


async def test_too_few_registers_are_bad_data() -> None:
    async with scripted(good) as (uri, _):
        bus = Bus(uri, timeout_s=0.2)
        with pytest.raises(BadData, match="with 1 registers"):
            await bus.read(1, 10, 2)
        assert list((await bus.read(1, 10, 1)).words) == [7]
        bus.close()


async def test_a_reset_while_waiting_does_not_cost_the_time_out() -> None:
    async def hang_up(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with scripted(hang_up) as (uri, _):
        bus = Bus(uri, timeout_s=5)
        started_s = time.monotonic()
        with pytest.raises(Unreachable, match="closed the connection"):
            await bus.read(1, 10, 1)
        assert time.monotonic() - started_s < 1
        bus.close()


async def test_a_cancelled_request_leaves_a_clean_line() -> None:
    first = True

    async def slow(request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal first
        if first:
            first = False
            await asyncio.sleep(0.2)
        writer.write(answer(request, request[9]))

    async with scripted(slow) as (uri, _):
        bus = Bus(uri, timeout_s=2)
        task = asyncio.create_task(bus.read(1, 10, 1))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list((await bus.read(1, 11, 1)).words) == [11]
        assert bus.line.connects == 2
        bus.close()


async def test_a_dead_unit_costs_the_others_one_time_out_at_most() -> None:
    async def deaf_unit_2(request: bytes, writer: asyncio.StreamWriter) -> None:
        if request[6] != 2:
            writer.write(answer(request, 7))

    async with scripted(deaf_unit_2) as (uri, _):
        buses = Buses()
        dead = buses.open(uri, timeout_s=0.2, retries=3)
        alive = buses.open(uri.with_unit(1), timeout_s=0.2, retries=0)
        assert dead.line is alive.line
        hopeless = asyncio.create_task(dead.read(2, 10, 1))
        await asyncio.sleep(0.01)
        waits = []
        for _ in range(3):
            started_s = time.monotonic()
            await alive.read(1, 10, 1)
            waits.append(time.monotonic() - started_s)
            await asyncio.sleep(0.01)
        with pytest.raises(Timeout):
            await hopeless
        assert max(waits) < 0.3
        buses.close()


async def test_what_others_held_up_past_its_time_is_not_sent() -> None:
    async def deaf_unit_2(request: bytes, writer: asyncio.StreamWriter) -> None:
        if request[6] != 2:
            writer.write(request)

    async with scripted(deaf_unit_2) as (uri, seen):
        buses = Buses()
        dead = buses.open(uri, timeout_s=0.3, retries=0)
        coil = buses.open(uri, timeout_s=0.3, retries=3)
        await coil.write_coil(1, 0, closed=True, not_after_s=time.monotonic() + 0.2)
        hopeless = asyncio.create_task(dead.read(2, 10, 1))
        await asyncio.sleep(0.01)
        with pytest.raises(TooLate, match="too late for a write of coil 0 to unit 1"):
            await coil.write_coil(1, 0, closed=True, not_after_s=time.monotonic() + 0.1)
        with pytest.raises(Timeout):
            await hopeless
        assert [(request[6], request[7]) for request in seen] == [(1, 5), (2, 3)]
        connects = coil.line.connects
        await coil.write_coil(1, 0, closed=True)
        assert coil.line.connects == connects
        buses.close()


async def test_only_one_request_is_on_the_wire_at_a_time() -> None:
    busy = 0

    async def counting(request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal busy
        busy += 1
        assert busy == 1
        await asyncio.sleep(0.01)
        busy -= 1
        writer.write(answer(request, request[9]))

    async with scripted(counting) as (uri, seen):
        bus = Bus(uri, timeout_s=2)
        found = await asyncio.gather(*(bus.read(1, address, 1) for address in range(10)))
        assert [one.words[0] for one in found] == list(range(10))
        assert len(seen) == 10
        assert bus.line.connects == 1
        bus.close()


async def test_a_restarted_server_is_found_again() -> None:
    async with serve(device(1, {10: 1})) as uri:
        bus = Bus(uri, timeout_s=1)
        await bus.read(1, 10, 1)
    with pytest.raises(Unreachable):
        await bus.read(1, 10, 1)
    async with scripted(good, uri.port):
        assert list((await bus.read(1, 10, 1)).words) == [7]
        bus.close()


async def test_busy_is_told_with_its_code() -> None:
    async def busy(*_: object) -> ExcCodes | None:
        return ExcCodes.DEVICE_BUSY

    async with serve(device(1, {10: 1}, busy)) as uri:
        bus = Bus(uri, timeout_s=1)
        with pytest.raises(ModbusException, match="exception 6"):
            await bus.write(1, 10, [1])
        bus.close()
