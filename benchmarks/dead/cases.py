"""The cases: each harms a site that is in service at its limit, and holds what happens against control.md.

The host load drops right after the harm, so that export would stay far above the limit if nothing acted. Bounds count
from the last complete scan that the agent had the time to tell: the true last one can only be later.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from benchmarks.dead import harm
from benchmarks.dead.record import BAND_W, Record, above_s, is_safe, unsafe_s
from benchmarks.dead.rig import Rig
from benchmarks.dead.sites import DECAY_S, DELAY_S, INVERTERS, LIMIT_W, LOAD_DROP_W, RIDDEN_DROP_W

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
RIDE_S = 2.0
"""Within this the limiter has export back after the load drop, whatever the agent has run out of: no element trips."""

TRIP_S, BOUND_S = 2.0, 30.0
"""Within this a trip has ended an export above the limit: of an element, of the PCS bound."""

NO_LINK = "--no-link"
_SETTLE_S = 30.0
_UNSEEN_S = 0.05
_RIDE_WATCH_S = 1.5
_MORE_S = 0.5

Case = Callable[[Rig, Record], None]


def gone(rig: Rig, record: Record) -> None:
    """Stopped and woken, its event loop blocked and freed, killed with its link as when the supply is lost."""
    _in_service(rig, record)
    _left_alone(rig, record, "agent stopped", lambda: rig.agent.send_signal(signal.SIGSTOP))
    _woken(rig, record, lambda: rig.agent.send_signal(signal.SIGCONT))
    _left_alone(rig, record, "event loop blocked", lambda: harm.block(rig))
    _woken(rig, record, lambda: harm.unblock(rig))
    _left_alone(rig, record, "agent and link killed", lambda: _kill_all(rig, record))
    _restore(rig)
    _in_service(rig, record, NO_LINK)


def clock_stepped(rig: Rig, record: Record) -> None:
    """The wall clock jumps ahead and back: nothing moves; killed and started with it wrong: as ever."""
    _in_service(rig, record, NO_LINK)
    for step, by_s in (("a day ahead", DAY_S), ("an hour back", -HOUR_S)):
        rig.step_clock(by_s)
        _goes_on(rig, record, f"load drop, clock {step}: export back")
    alarms = [event.detail for event in rig.events() if event.kind == "alarm"]
    record.require(any("wall clock" in alarm for alarm in alarms), f"no alarm tells of the steps: {alarms}")
    _left_alone(rig, record, "killed with the clock stepped", rig.end_agent)
    _restore(rig)
    rig.step_clock(365 * DAY_S)
    _in_service(rig, record, NO_LINK)


def disk_full(rig: Rig, record: Record, disk: harm.Disk, way: AbstractContextManager[object]) -> None:
    """No room: control goes on and says that records wait; a trip trips, and a restart does not clear it."""
    with way:
        _in_service(rig, record, NO_LINK)
        disk.fill()
        _goes_on(rig, record, "load drop, disk full: export back")
        _told(rig, "records wait in memory")
        target = _trip(rig, record, "disk full")
        rig.end_agent()
        _stays_safe_on(rig, record, disk.file_bytes)
        disk.free()
        _comes_up_tripped(rig, record, {target, "state-lost"}, "after a trip with the disk full")
        rig.end_agent()


def no_growth(rig: Rig, record: Record) -> None:
    """No file of the agent may grow."""
    disk_full(rig, record, harm.NoGrowth(rig), nullcontext())


def no_room(rig: Rig, record: Record) -> None:
    """The file system of the state folder is full to the last block; root only."""
    disk = harm.SmallDisk(rig)
    disk_full(rig, record, disk, disk)


def no_handles(rig: Rig, record: Record) -> None:
    """No handle is left: control goes on; devices that reset their connections are lost, safely; a trip stays one."""
    _in_service(rig, record, NO_LINK)
    harm.take_handles(rig)
    _goes_on(rig, record, "load drop, no handle left: export back")
    target = _trip(rig, record, "no handle left")
    rig.end_agent()
    _comes_up_tripped(rig, record, {target, "state-lost"}, "after a trip with no handle left")
    _reset(rig)
    harm.take_handles(rig)
    _left_alone(rig, record, "connections reset, no handle left", lambda: _reset_connections(rig))
    harm.give_handles(rig)
    _restore(rig)
    _reset(rig)


def restarted_tripped(rig: Rig, record: Record) -> None:
    """Killed while tripped and started again with the state kept, missing and damaged: tripped, until it is reset."""
    _in_service(rig, record, NO_LINK)
    target = _trip(rig, record, "nothing else wrong")
    before = rig.status()
    rig.end_agent()
    rig.step_clock(2 * DAY_S)
    _comes_up_tripped(rig, record, {target}, "killed while tripped")
    after = rig.status()
    counts = [found.trip.trips_24h if found else None for found in (before, after)]
    record.require(counts == [1, 1], f"trips counted before and after the restart: {counts}, not 1 and 1")
    durable = rig.state_dir / "durable.json"
    rig.end_agent()
    durable.unlink()
    _comes_up_tripped(rig, record, {"state-lost"}, "state missing")
    rig.end_agent()
    durable.write_bytes(durable.read_bytes()[:-40])
    _comes_up_tripped(rig, record, {"state-lost"}, "state damaged")
    _reset(rig)


CASES: dict[str, Case] = {
    "dead and hung": gone,
    "clock stepped": clock_stepped,
    "disk full, no file grows": no_growth,
    "disk full, no block left": no_room,
    "no file handle left": no_handles,
    "restart while tripped": restarted_tripped,
}

BY_ROOT = frozenset({"disk full, no block left"})
"""Cases that mount a file system."""


def _in_service(rig: Rig, record: Record, *options: str) -> None:
    """Start the agent, and see it come to the limit by enter service."""
    is_new = not rig.state_dir.joinpath("durable.json").exists()
    started_s = rig.start_agent(*(("--new-site",) if is_new else ()), *options)
    _settled(rig)
    if not is_new:  # until its first agent came nobody limited the site
        _entered(rig, record, started_s)


def _settled(rig: Rig) -> None:
    """Wait until the limiter holds the export at the limit."""

    def holding() -> bool:
        scans = rig.watcher.scans
        regulating = bool(scans) and scans[-1].mode == "regulating"
        return regulating and LIMIT_W - 2_000 < rig.rows[-1].export_w <= BAND_W

    rig.until("coming into service", holding, _SETTLE_S)
    rig.watch(0.3)


def _entered(rig: Rig, record: Record, since_s: float) -> None:
    """Whether the site came back by enter service: nothing closed before its delay, export never above the limit."""
    rows = [row for row in rig.rows if row.t_s > since_s]
    if rig.kind.contact:
        closed_s = next((row.t_s for row in rows if row.coil_closed), since_s) - since_s
        record.require(closed_s >= DELAY_S, f"the contact closed {closed_s:.2f} s after the agent came back")
    over = [row for row in rows if row.export_w > BAND_W]
    lasted_s = over[-1].t_s - over[0].t_s if over else 0.0
    record.require(
        lasted_s < RIDE_S, f"export was above the limit for {lasted_s:.1f} s on the way into service"
    )


def _kill_all(rig: Rig, record: Record) -> None:
    """In one moment nothing of the gateway is left."""
    status = rig.status()
    link = status.pids.link if status else None
    record.require(link is not None, "no link was running")
    if link is not None:
        rig.kill(link)
    rig.end_agent()


def _left_alone(rig: Rig, record: Record, what: str, harmed: Callable[[], object]) -> None:
    """Harm the agent, let the load drop, and time how the site becomes safe by itself."""
    harmed()
    rig.order(load_step_w=LOAD_DROP_W)
    time.sleep(_UNSEEN_S)
    last_s = rig.watcher.last_s()
    rig.watch_until(lambda row: is_safe(rig.kind, row), rig.kind.bound_s)
    rig.watch(_MORE_S)
    rows = [row for row in rig.rows if row.t_s > last_s]
    at_stake = max(row.export_w for row in rows) > BAND_W
    record.require(at_stake, "export was never above the limit: nothing was at stake")
    record.timed(f"{what}: safe by itself", unsafe_s(rig.kind, rows, last_s), rig.kind.bound_s)


def _woken(rig: Rig, record: Record, wake: Callable[[], object]) -> None:
    _restore(rig)
    rig.watch(0.2)
    woken_s = time.monotonic()
    wake()
    _settled(rig)
    _entered(rig, record, woken_s)


def _restore(rig: Rig, dropped_w: float = LOAD_DROP_W) -> None:
    rig.order(load_step_w=-dropped_w)


def _goes_on(rig: Rig, record: Record, what: str) -> None:
    """The load drops: the limiter brings export back, and the contact is held, as if nothing had happened."""
    dropped_s = rig.order(load_step_w=RIDDEN_DROP_W)
    rig.watch(_RIDE_WATCH_S)
    rows = [row for row in rig.rows if row.t_s > dropped_s]
    record.timed(what, above_s(rows, dropped_s), RIDE_S)
    open_ = rig.kind.contact and not all(row.coil_closed for row in rows)
    record.require(not open_, f"{what}: the contact opened")
    tripped = [scan.tripped for scan in rig.watcher.scans if scan.at_s > dropped_s]
    record.require(
        bool(tripped) and not any(tripped), f"{what}: the agent {'tripped' if tripped else 'fell silent'}"
    )
    _restore(rig, RIDDEN_DROP_W)
    _settled(rig)


def _told(rig: Rig, words: str) -> None:
    """Wait for an alarm with these words."""

    def said() -> bool:
        return any(words in event.detail for event in rig.events() if event.kind == "alarm")

    rig.until(f"an alarm that says {words!r}", said, 5.0)


def _trip(rig: Rig, record: Record, when: str) -> str:
    """Both inverters ignore their limits and the load drops: the guard trips; its target."""
    rig.order(fault="write-ignored")
    dropped_s = rig.order(load_step_w=LOAD_DROP_W)
    rig.until("the trip", lambda: rig.watcher.scans[-1].tripped, 10.0)
    rig.order(fault="clear")
    rig.watch(_MORE_S if rig.kind.contact else DECAY_S + _MORE_S)
    rows = [row for row in rig.rows if row.t_s > dropped_s]
    record.timed(
        f"trip, {when}: export back", above_s(rows, dropped_s), TRIP_S if rig.kind.contact else BOUND_S
    )
    _restore(rig)
    return rig.watcher.scans[-1].target or "none"


def _stays_safe_on(rig: Rig, record: Record, file_bytes: int | None) -> None:
    """Start it on the full disk: it may refuse to run; whatever it does, nothing closes."""
    started_s = rig.start_agent(NO_LINK, file_bytes=file_bytes)
    rig.until("the start", lambda: rig.agent.poll() is not None or bool(rig.watcher.scans), _SETTLE_S)
    rig.watch(DELAY_S + _MORE_S if rig.agent.poll() is None else _MORE_S)
    rows = [row for row in rig.rows if row.t_s > started_s]
    record.require(
        unsafe_s(rig.kind, rows, started_s) == 0.0, "a start on a full disk closed or released something"
    )
    if rig.agent.poll() is None:
        record.require(
            all(scan.tripped for scan in rig.watcher.scans), "the trip was forgotten on a full disk"
        )
        rig.end_agent()


def _comes_up_tripped(rig: Rig, record: Record, targets: set[str], when: str) -> None:
    """Start it again: it is tripped from its first scan on, with the target, and nothing comes back by itself."""
    started_s = rig.start_agent(NO_LINK)
    rig.until("the first scan", lambda: bool(rig.watcher.scans), _SETTLE_S)
    rig.watch(DELAY_S + 0.7)
    scans = rig.watcher.scans
    record.require(all(scan.tripped for scan in scans), "it came up without the trip that it went down with")
    found = {scan.target or "none" for scan in scans}
    record.require(
        len(found) == 1 and found <= targets, f"the target is {found}, it should be one of {targets}"
    )
    rows = [row for row in rig.rows if row.t_s > started_s]
    record.timed(f"started again, {when}: unsafe for", unsafe_s(rig.kind, rows, started_s), 0.0)
    output_w = sum(rig.now().inverter_w)
    record.require(output_w < 500.0, f"the inverters make {output_w:.0f} W while the site is tripped")


def _reset(rig: Rig) -> None:
    """A person resets what has tripped, and it comes back: the window of enter service was watched all the while."""
    rig.until("the reset", lambda: rig.reset() and not rig.watcher.scans[-1].tripped, _SETTLE_S)
    _settled(rig)


def _reset_connections(rig: Rig) -> None:
    for role in ("meter", *INVERTERS, *(("coil-1",) if rig.kind.contact else ())):
        rig.order(fault="reset", role=role, for_s=0.3)
