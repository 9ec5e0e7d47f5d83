"""Nothing lost and nothing stored twice, whatever is killed in between."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from portal_processes import ROOT, Gateway, PortalProcess, until
from portal_samples import event, excursion, report, settings, status

from contract.envelope import RecordClass
from edge.link.private_broker import PrivateBroker

pytestmark = pytest.mark.live


def stored_once(portal: PortalProcess, number: int) -> None:
    seqs = [seq for (seq,) in portal.ask("SELECT seq FROM records ORDER BY seq")]
    assert seqs == list(range(1, number + 1))
    assert portal.ask("SELECT * FROM gaps") == []
    assert portal.ask("SELECT * FROM rejected") == []


def test_records_arrive_once_and_leave_the_spool_on_receipt(portal: PortalProcess, gateway: Gateway) -> None:
    for payload in (status(), event(), excursion(), settings(), report()):
        gateway.put(payload)
    for number in range(200):
        gateway.put(event("device-loss", f"number {number}"), RecordClass.EVENT)
    gateway.start()
    time.sleep(1.5)
    assert gateway.spool.count() == 205, "a record left the spool without the portal"
    portal.start()
    until(gateway.empty)
    stored_once(portal, 205)
    assert portal.ask("SELECT count(*) FROM reports") == [(1,)]
    assert portal.ask("SELECT online, last_seq FROM sites") == [(1, 205)]
    assert gateway.end() == 0
    until(lambda: portal.ask("SELECT online FROM sites") == [(0,)], 5)
    assert portal.end() == 0


def test_a_worker_that_was_ended_keeps_nothing_from_the_others(
    portal: PortalProcess, gateway: Gateway, tmp_path: Path
) -> None:
    """Its subscription would go on taking its share of the records at the broker."""
    portal.start()
    other = PortalProcess(tmp_path / "other.sqlite", portal.broker)
    other.start()
    time.sleep(0.5)
    assert other.end() == 0
    gateway.start()
    for _ in range(40):
        gateway.put(event())
    until(gateway.empty, 4)
    stored_once(portal, 40)


def test_kill_9_of_the_broker_during_a_report(
    portal: PortalProcess, gateway: Gateway, broker: PrivateBroker
) -> None:
    portal.start()
    gateway.put(status())
    gateway.start()
    until(gateway.empty)
    for _ in range(3):
        gateway.put(report(3_000_000))
        gateway.put(event())
    # The link picks them up within half a second; some 18 MB are then on their way.
    until(lambda: portal.count() >= 2, 10)
    broker.kill()
    held = gateway.spool.count()
    assert held > 0, "everything was received before the broker died: the test proves nothing"
    time.sleep(0.5)
    broker.start()
    until(gateway.empty, 30)
    stored_once(portal, 7)
    sizes = portal.ask("SELECT length(pdf), pdf_bytes FROM reports")
    assert len(sizes) == 3
    assert all(length == told >= 3_000_000 for length, told in sizes)


def test_kill_9_of_the_broker_again_and_again(
    portal: PortalProcess, gateway: Gateway, broker: PrivateBroker
) -> None:
    portal.start()
    gateway.start()
    total = 0
    for _ in range(3):
        for number in range(150):
            gateway.put(event("alarm", f"number {number}"), RecordClass.EVENT)
            total += 1
        until(lambda: portal.count() > total - 150, 15)  # noqa: B023 - called within the round
        broker.kill()
        broker.start()
    until(gateway.empty, 30)
    stored_once(portal, total)


def test_records_the_portal_cannot_store_do_not_hold_up_evidence(
    portal: PortalProcess, gateway: Gateway
) -> None:
    for _ in range(205):  # more than the link has on its way at once
        gateway.put(event().model_copy(update={"count": 2**70}))
    gateway.put(report())
    portal.start()
    gateway.start()
    until(gateway.empty)
    assert portal.ask("SELECT kind FROM records") == [("test",)]
    assert portal.ask("SELECT count(*), count(body) FROM rejected") == [(205, 205)]


INTAKE_ENDS = """
from portal.intake import Intake
def store(self, batch, now):
    raise MemoryError("none is left")
Intake.store = store
"""


def test_a_portal_that_takes_nothing_in_any_more_ends(portal: PortalProcess, gateway: Gateway) -> None:
    """Its pages would go on, with figures that grow old; a supervisor can start it anew."""
    portal.start(INTAKE_ENDS)
    gateway.put(event())
    gateway.start()
    assert portal.wait() == 1
    assert gateway.spool.count() == 1


DIES_BEFORE_THE_RECEIPT = """
import os, signal
from contract.mqtt import Session
async def publish(self, topic, *args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
Session.publish = publish
"""


def test_portal_killed_between_commit_and_receipt(portal: PortalProcess, gateway: Gateway) -> None:
    gateway.put(report())
    gateway.put(event())
    portal.start(DIES_BEFORE_THE_RECEIPT)
    gateway.start()
    assert portal.wait() == -signal.SIGKILL
    before = portal.count()
    assert before > 0, "it died before its commit"
    assert gateway.spool.count() == 2
    portal.start()
    until(gateway.empty)
    stored_once(portal, 2)


def test_link_killed_midway_sends_again(portal: PortalProcess, gateway: Gateway) -> None:
    portal.start()
    for number in range(400):
        gateway.put(event("alarm", f"number {number}"), RecordClass.EVENT)
    gateway.start()
    until(lambda: portal.count() > 0)
    gateway.end(signal.SIGKILL)
    assert portal.count() < 400, "it was through before it was killed: the test proves nothing"
    until(lambda: portal.ask("SELECT online FROM sites") == [(0,)], 10)  # the will
    gateway.start()
    until(gateway.empty)
    stored_once(portal, 400)


def test_link_drains_and_ends_when_its_parent_dies(portal: PortalProcess, gateway: Gateway) -> None:
    portal.start()
    parent = """
import subprocess, sys
link = subprocess.Popen([sys.executable, "-m", "edge.link", *sys.argv[1:]])
print(link.pid, flush=True)
sys.stdin.read()
"""
    arguments = ["--spool", str(gateway.folder / "gw-1.db"), "--gateway", "gw-1", "--broker", gateway.broker]
    with subprocess.Popen(
        [sys.executable, "-c", parent, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        link = int(process.stdout.readline())
        until(lambda: portal.ask("SELECT online FROM sites") == [(1,)])
        gateway.put(event("stop", "the agent was killed"))
        process.kill()
    until(gateway.empty)
    until(lambda: not running(link), 5)
    stored_once(portal, 1)
    assert portal.ask("SELECT online FROM sites") == [(0,)]


def running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_link_without_a_broker_keeps_trying_and_says_so_once(tmp_path: Path, gateway: Gateway) -> None:
    gateway.broker = "mqtt://127.0.0.1:1"
    gateway.put(event())
    gateway.start()
    until(lambda: "trying again" in gateway.log.read_text(encoding="utf-8"))
    time.sleep(2.5)
    assert gateway.process is not None
    assert gateway.process.poll() is None
    lines = gateway.log.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1, lines
    assert "mqtt://127.0.0.1:1 cannot be reached" in lines[0]
