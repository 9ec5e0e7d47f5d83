"""Modbus TCP ports: framing, ids, refusals, connections. Every byte that a client sees."""

from __future__ import annotations

import asyncio
import struct
import time

import pytest
from pymodbus.client import AsyncModbusTcpClient
from wire_bench import Bank, TcpClient, connected, read_pdu, station, tcp, tcp_frame, words_pdu

from sim.wire.quirks import FIRST_ANSWER_S, first_answer_slow
from sim.wire.tcp import PortInUseError, TcpPort

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, NO_ANSWER = 1, 2, 3, 11


async def asked(pdu: bytes) -> bytes:
    async with tcp(station()) as port, connected(port) as client:
        return await client.ask(tcp_frame(pdu), size=9)


async def test_an_answer_has_the_ids_of_its_request() -> None:
    async with tcp(station(unit_id=17)) as port, connected(port) as client:
        for transaction in (0, 1, 0xFFFF):
            heard = await client.ask(tcp_frame(read_pdu(), transaction, 17), size=13)
            assert heard == tcp_frame(words_pdu(1000, 1001), transaction, 17)


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        (read_pdu(count=125), ILLEGAL_ADDRESS),
        (read_pdu(count=0), ILLEGAL_VALUE),
        (read_pdu(count=126), ILLEGAL_VALUE),
        (read_pdu(0, 2000, 1), None),
        (read_pdu(0, 2001, 1), ILLEGAL_VALUE),
        (read_pdu(0xFFFF, 2), ILLEGAL_ADDRESS),
        (read_pdu()[:4], ILLEGAL_VALUE),
        (struct.pack(">BHHB", 16, 100, 2, 4) + b"\0\1\0\2", None),
        (struct.pack(">BHHB", 16, 100, 2, 4) + b"\0\1", ILLEGAL_VALUE),
        (struct.pack(">BHHB", 16, 100, 0, 2) + b"\0\1", ILLEGAL_VALUE),
        (struct.pack(">BHHB", 16, 100, 124, 248) + bytes(248), ILLEGAL_VALUE),
        (struct.pack(">BHHB", 16, 100, 0, 0), ILLEGAL_VALUE),
        (struct.pack(">BHHB", 15, 0, 0, 0), ILLEGAL_VALUE),
        (struct.pack(">BHHBB", 15, 0, 9, 1, 1), ILLEGAL_VALUE),
        (struct.pack(">BHHBB", 15, 0, 8, 1, 1), None),
        (b"\x08\0\0\1\2", ILLEGAL_FUNCTION),
        (b"\x2b\x0e\1\0", ILLEGAL_FUNCTION),
        (b"\x83\2", ILLEGAL_FUNCTION),
        (b"\x03", ILLEGAL_VALUE),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_own_function(pdu: bytes, code: int | None) -> None:
    heard = await asked(pdu)
    assert heard[7] == (pdu[0] | 0x80 if code else pdu[0])
    if code:
        assert heard == tcp_frame(bytes((pdu[0] | 0x80, code)))


async def test_writes_and_bits_arrive_and_are_echoed() -> None:
    bank = Bank()
    async with tcp(station(bank=bank)) as port:
        client = AsyncModbusTcpClient("127.0.0.1", port=port.port, retries=0)
        await client.connect()
        assert (await client.write_registers(104, [7, 8])).count == 2
        assert (await client.write_register(106, 9)).registers == [9]
        assert (await client.write_coil(3, value=True)).bits == [True]
        assert (await client.write_coils(0, [True, False, True])).count == 3
        assert (await client.read_holding_registers(104, count=3)).registers == [7, 8, 9]
        assert (await client.read_coils(0, count=5)).bits[:5] == bank.bits[:5]
        client.close()
    assert bank.written == [
        (16, 104, (7, 8)),
        (6, 106, (9,)),
        (5, 3, (1,)),
        (15, 0, (1, 0, 1)),
    ]


@pytest.mark.parametrize("cut", range(1, 12))
async def test_a_request_may_come_in_pieces_and_two_at_once(cut: int) -> None:
    two = tcp_frame(read_pdu(), 1) + tcp_frame(read_pdu(102), 2)
    async with tcp(station()) as port, connected(port) as client:
        assert await client.ask(two[:cut], 0.01) == b""
        heard = await client.ask(two[cut:], size=26)
    assert heard == tcp_frame(words_pdu(1000, 1001), 1) + tcp_frame(words_pdu(1002, 1003), 2)


async def test_a_device_does_not_feel_addressed_and_a_gateway_says_so() -> None:
    async with tcp(station()) as port, connected(port) as client:
        assert await client.ask(tcp_frame(read_pdu(), unit_id=2), 0.1) == b""
    async with tcp(station(unit_id=1), station(unit_id=2)) as port, connected(port) as client:
        assert (await client.ask(tcp_frame(read_pdu(), unit_id=2), size=13))[6] == 2
        heard = await client.ask(tcp_frame(read_pdu(), 9, unit_id=3), size=9)
        assert heard == tcp_frame(bytes((0x83, NO_ANSWER)), 9, 3)


async def is_reset(client: TcpClient) -> bool:
    try:
        return await client.ask(tcp_frame(read_pdu()), 1.0, size=13) == b""
    except ConnectionError:
        return True


async def test_one_connection_only_resets_the_second_and_frees_the_place() -> None:
    async with tcp(station(), one_connection=True) as port:
        async with connected(port) as first:
            async with connected(port) as second:
                started_s = time.monotonic()
                assert await is_reset(second)
                assert time.monotonic() - started_s < 0.5
            assert await first.ask(tcp_frame(read_pdu()), size=13)
        await asyncio.sleep(0.05)
        async with connected(port) as third:
            assert await third.ask(tcp_frame(read_pdu()), size=13)


async def test_without_that_many_may_ask() -> None:
    async with tcp(station()) as port, connected(port) as first, connected(port) as second:
        for client in (first, second):
            assert len(await client.ask(tcp_frame(read_pdu()), size=13)) == 13


async def test_the_first_answer_of_each_connection_is_slow() -> None:
    async with tcp(station(first_answer_slow())) as port:
        for _ in range(2):
            async with connected(port) as client:
                assert await client.ask(tcp_frame(read_pdu()), FIRST_ANSWER_S - 0.2, size=13) == b""
                assert await client.hear(1.0, size=13)
                assert await client.ask(tcp_frame(read_pdu()), FIRST_ANSWER_S - 0.2, size=13)


async def test_a_port_in_use_is_told() -> None:
    async with tcp(station()) as port:
        with pytest.raises(PortInUseError, match=f"port {port.port} of 127.0.0.1 for bank is in use"):
            await TcpPort(port.port, [station()]).start()


async def test_stopping_closes_the_connections() -> None:
    async with tcp(station()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port.port)
        await asyncio.sleep(0.02)
        await port.stop()
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port.port)
