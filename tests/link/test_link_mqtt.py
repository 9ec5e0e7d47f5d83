"""aiomqtt's traps, closed: these tests fail when a new version of it, or we, open one again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from contract.mqtt import (
    RECEIVE_MAXIMUM,
    BadUriError,
    BrokerError,
    BrokerUri,
    Session,
    connect,
    reconnect_window_s,
)
from edge.link.private_broker import PrivateBroker, PrivateBrokerError

pytestmark = pytest.mark.live
ROOT = Path(__file__).parents[2]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[PrivateBroker]:
    with PrivateBroker(tmp_path / "broker") as running:
        yield running


async def take(session: Session, number: int) -> list[bytes]:
    messages = session.messages()
    return [bytes((await anext(messages)).payload) for _ in range(number)]


async def test_what_was_not_acknowledged_comes_again(broker: PrivateBroker) -> None:
    uri = BrokerUri.parse(broker.uri)
    bodies = [str(number).encode() for number in range(10)]
    async with connect(uri, "worker", manual_ack=True) as worker, connect(uri, "sender") as sender:
        await worker.subscribe(["t"])
        for body in bodies:
            assert await sender.publish("t", body)
        messages = worker.messages()
        for _ in range(4):
            worker.acknowledge(await anext(messages))
        await take(worker, 6)  # seen, and not acknowledged
    async with connect(uri, "worker", manual_ack=True) as worker:
        assert await take(worker, 6) == bodies[4:]


async def test_the_broker_waits_for_acknowledgements(broker: PrivateBroker) -> None:
    """So that the unbounded queue inside the client is bounded by us."""
    uri = BrokerUri.parse(broker.uri)
    async with connect(uri, "worker", manual_ack=True) as worker, connect(uri, "sender") as sender:
        await worker.subscribe(["t"])
        for number in range(3 * RECEIVE_MAXIMUM):
            await sender.publish("t", str(number).encode())
        await asyncio.sleep(0.5)
        assert worker.waiting() == RECEIVE_MAXIMUM


async def test_the_first_connection_finds_its_session(broker: PrivateBroker) -> None:
    uri = BrokerUri.parse(broker.uri)
    async with connect(uri, "gateway") as gateway:
        await gateway.subscribe(["t"])
    async with connect(uri, "sender") as sender:
        assert await sender.publish("t", b"while away")
        assert not await sender.publish("nobody/listens", b"")
    broker.stop()  # in good order: persistence keeps sessions that were no clean start
    broker.start()
    async with connect(uri, "gateway") as gateway:
        assert await take(gateway, 1) == [b"while away"]


async def test_a_lost_connection_is_an_error_for_everyone_who_waits(broker: PrivateBroker) -> None:
    uri = BrokerUri.parse(broker.uri)
    async with connect(uri, "gateway") as gateway:
        await gateway.subscribe(["t"])
        waiting = asyncio.create_task(take(gateway, 1))
        await asyncio.sleep(0.1)
        broker.kill()
        with pytest.raises(BrokerError, match="connection to the broker was lost"):
            await waiting
        with pytest.raises(BrokerError):
            await gateway.publish("t", b"")
    with pytest.raises(BrokerError, match="cannot be reached"):
        async with connect(uri, "gateway"):
            pass


async def test_a_report_of_several_megabytes_is_one_packet(broker: PrivateBroker) -> None:
    uri = BrokerUri.parse(broker.uri)
    body = b"x" * (12 * 2**20)
    async with connect(uri, "worker") as worker, connect(uri, "sender") as sender:
        await worker.subscribe(["t"])
        await sender.publish("t", body)
        assert await take(worker, 1) == [body]


def test_the_private_broker_names_a_port_in_use(broker: PrivateBroker, tmp_path: Path) -> None:
    second = PrivateBroker(tmp_path / "second", broker.port)
    with pytest.raises(PrivateBrokerError, match=f"port {broker.port} on 127.0.0.1 is in use"):
        second.start()


def test_the_private_broker_says_why_it_did_not_start(tmp_path: Path) -> None:
    log = tmp_path / "broker" / "mosquitto.log"
    broker = PrivateBroker(tmp_path / "broker", configuration=f"log_dest file {log}\npersistence maybe\n")
    with pytest.raises(PrivateBrokerError, match="Mosquitto did not start"):
        broker.start()
    assert broker.pid is None


STARTER = """
import sys
from pathlib import Path
from edge.link.private_broker import PrivateBroker

with PrivateBroker(Path(sys.argv[1])) as broker:
    print(broker.pid, flush=True)
    sys.stdin.read()
"""


def test_the_private_broker_does_not_outlive_a_killed_starter(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "broker")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as starter:
        assert starter.stdout is not None
        broker = int(starter.stdout.readline())
        starter.kill()
    try:
        deadline = time.monotonic() + 5
        while running(broker) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not running(broker)
    finally:
        with suppress(ProcessLookupError):
            os.kill(broker, signal.SIGKILL)


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("mqtt://127.0.0.1", BrokerUri("127.0.0.1", 1883, tls=False)),
        ("mqtts://broker.example", BrokerUri("broker.example", 8883, tls=True)),
        ("mqtt://[::1]:2000", BrokerUri("::1", 2000, tls=False)),
    ],
)
def test_uris(text: str, uri: BrokerUri) -> None:
    assert BrokerUri.parse(text) == uri
    assert BrokerUri.parse(str(uri)) == uri


@pytest.mark.parametrize("text", ["127.0.0.1:1883", "http://x", "mqtt://", "mqtt://x:0x", "mqtt://a:b@x", ""])
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(BadUriError):
        BrokerUri.parse(text)


def test_after_a_long_outage_reconnects_are_spread_over_ten_minutes() -> None:
    assert reconnect_window_s(0) == 1.0
    assert reconnect_window_s(8) == 3.0
    assert reconnect_window_s(86_400) == 600.0
