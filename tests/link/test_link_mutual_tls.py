"""The shipped Mosquitto configuration and ACL, connected through with real certificates."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.envelope import RecordClass
from contract.mqtt import BrokerError, BrokerUri, RefusedError, TlsFiles, connect
from contract.records import Event, Receipt
from contract.topics import SHARED_UP, down, parse, up
from edge.link.main import run_link
from edge.link.private_broker import PrivateBroker
from edge.spool import Spool

DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
pytestmark = pytest.mark.live


def make_ca(folder: Path, *clients: str) -> Path:
    subprocess.run([sys.executable, str(DEPLOY / "make_test_ca.py"), str(folder), *clients], check=True)
    return folder


@dataclass
class Secured:
    """A broker that runs the shipped configuration, and who may connect to it."""

    uri: BrokerUri
    certificates: Path

    def files(self, client: str | None) -> TlsFiles:
        folder = self.certificates
        if client is None:
            return TlsFiles(folder / "ca.crt")
        return TlsFiles(folder / "ca.crt", folder / f"{client}.crt", folder / f"{client}.key")


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Secured]:
    certificates = make_ca(tmp_path / "certificates", "portal", "gw-1", "gw-2")
    broker = PrivateBroker(tmp_path / "broker", configuration="-")
    changes = {
        "listener 8883": f"listener {broker.port} 127.0.0.1",
        "/etc/mosquitto/dergate/acl": str(DEPLOY / "acl"),
        "/etc/mosquitto/dergate": str(certificates),
        "/var/lib/mosquitto/": f"{tmp_path}/broker/",
        "log_dest syslog": f"log_dest file {tmp_path}/broker/mosquitto.log",
    }
    text = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
    for shipped, here in changes.items():
        assert shipped in text
        text = text.replace(shipped, here)
    with PrivateBroker(tmp_path / "broker", broker.port, configuration=text):
        yield Secured(BrokerUri("127.0.0.1", broker.port, tls=True), certificates)


async def test_a_gateway_reaches_its_own_branch_and_no_other(secured: Secured) -> None:
    portal = connect(secured.uri, "portal-test", tls=secured.files("portal"))
    gateway = connect(secured.uri, "gateway-gw-1", tls=secured.files("gw-1"))
    async with portal as reader, gateway as writer:
        await reader.subscribe([SHARED_UP])
        await writer.publish(up("gw-1", "event"), b"own")
        with pytest.raises(RefusedError, match="135"):
            await writer.publish(up("gw-2", "event"), b"another's")
        with pytest.raises(RefusedError, match="135"):
            await writer.publish(down("gw-1", "receipt"), b"forged")
        await writer.publish(up("gw-1", "status"), b"last")
        seen = []
        async for message in reader.messages():
            seen.append((str(message.topic), bytes(message.payload)))
            if message.payload == b"last":
                break
    assert seen == [(up("gw-1", "event"), b"own"), (up("gw-1", "status"), b"last")]


async def test_a_gateway_hears_only_what_is_meant_for_it(secured: Secured) -> None:
    gateway = connect(secured.uri, "gateway-gw-1", tls=secured.files("gw-1"))
    async with (
        connect(secured.uri, "portal-test", tls=secured.files("portal")) as portal,
        gateway as listener,
    ):
        # Mosquitto takes a subscription to anything, and applies the ACL to each delivery.
        await listener.subscribe([down("gw-2", "receipt"), "dx/v1/#", down("gw-1", "receipt")])
        await portal.publish(down("gw-2", "receipt"), b"not yours")
        await portal.publish(down("gw-1", "receipt"), b"yours")
        message = await anext(listener.messages())
        topic = parse(str(message.topic))
        assert topic is not None
        assert (topic.gateway, bytes(message.payload)) == ("gw-1", b"yours")


@pytest.mark.parametrize("client", [None, "stranger"])
async def test_without_our_certificate_there_is_no_connection(
    secured: Secured, client: str | None, tmp_path: Path
) -> None:
    files = secured.files(None)
    if client:
        other = make_ca(tmp_path / "other", client)
        files = TlsFiles(secured.certificates / "ca.crt", other / f"{client}.crt", other / f"{client}.key")
    with pytest.raises(BrokerError, match="cannot be reached"):
        async with connect(secured.uri, "gateway-stranger", tls=files, timeout_s=3.0):
            pass


# paho leaves a socket whose handshake failed to the garbage collector, which is called here.
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_a_broker_of_another_authority_is_refused(secured: Secured, tmp_path: Path) -> None:
    other = make_ca(tmp_path / "other", "gw-1")
    files = TlsFiles(other / "ca.crt", other / "gw-1.crt", other / "gw-1.key")
    with pytest.raises(BrokerError, match="certificate verify failed"):
        async with connect(secured.uri, "gateway-gw-1", tls=files):
            pass
    gc.collect()


async def test_missing_files_are_named(secured: Secured, tmp_path: Path) -> None:
    files = TlsFiles(tmp_path / "absent.crt")
    with pytest.raises(BrokerError, match=r"absent\.crt cannot be used: No such file"):
        async with connect(secured.uri, "gateway-gw-1", tls=files):
            pass


async def test_the_link_itself_over_mutual_tls(secured: Secured, tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.db", "gw-1")
    now = datetime.now(UTC)
    event = Event(type="restart", at=now, detail="over TLS")
    spool.append("event", RecordClass.EVIDENCE, event, when=now, time_quality="unknown", mono_s=0)
    stop = asyncio.Event()
    async with connect(secured.uri, "portal-test", tls=secured.files("portal")) as portal:
        await portal.subscribe([SHARED_UP])
        link = asyncio.create_task(
            run_link(tmp_path / "s.db", "gw-1", secured.uri, tls=secured.files("gw-1"), stop=stop)
        )
        async for message in portal.messages():
            if str(message.topic) == up("gw-1", "event"):
                break
        receipt = Receipt(ids=(spool.pending(1)[0].id,), time=now)
        await portal.publish(down("gw-1", "receipt"), receipt.model_dump_json().encode())
        while spool.count():  # noqa: ASYNC110 - SQLite has no event for it
            await asyncio.sleep(0.02)
        stop.set()
        await link
    spool.close()
