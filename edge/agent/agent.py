"""The agent of one site: everything put together, started in a safe order and stopped in one."""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from os import getpid
from pathlib import Path
from typing import Any

from contract.client import socket_path
from contract.status import Pids, Status
from edge.agent import safe
from edge.agent.broadcast import Broadcast
from edge.agent.child import Child
from edge.agent.devices import SiteDevices
from edge.agent.durable_file import DurableFile, Restored
from edge.agent.keeper import Keeper
from edge.agent.notify import Notifier
from edge.agent.overrides import Overrides
from edge.agent.plant import Plant
from edge.agent.recorder import Recorder
from edge.agent.requests import Requests, SiteFile, Wish
from edge.agent.scanned import Scanned
from edge.agent.scanner import Scanner, Step, StepFailedError
from edge.agent.settings_watch import SettingsWatch
from edge.agent.socket_server import SocketServer
from edge.agent.summary import status_of
from edge.agent.supervise import end_all, keep_alive
from edge.agent.tally_file import TallyFile
from edge.agent.tell import Happening, log
from edge.agent.wall import Wall, watch_wall
from edge.model.site import Site
from edge.spool import Spool, SpoolError, SpoolWriter
from edge.spool.salvage import set_aside_if_damaged
from edge.step import Settings, step

_FIRST_CONTACT_S = 5.0
_BREATH_S = 0.015
_PENDING_EVERY_S = 1.0
JOURNAL = "commissioning.journal"


@dataclass(frozen=True)
class Place:
    """Where an agent keeps its things."""

    state_dir: Path

    @property
    def spool(self) -> Path:
        """Records on their way to the portal."""
        return self.state_dir / "spool.sqlite"

    @property
    def durable(self) -> Path:
        """The protective state."""
        return self.state_dir / "durable.json"

    @property
    def tally(self) -> Path:
        """How many excursions there were of late."""
        return self.state_dir / "excursions.json"

    @property
    def journal(self) -> Path:
        """What a commissioning run has changed and not yet restored."""
        return self.state_dir / JOURNAL


class Agent:
    """Runs one site until told to stop.

    Raises:
        SpoolError: The spool cannot be opened.
        DriverError: A URI or profile cannot be used.
    """

    def __init__(
        self,
        site: Site,
        settings: Settings,
        file: SiteFile,
        place: Place,
        *,
        with_link: bool = True,
        run_step: Step = step,
    ) -> None:
        self._site = site
        self._settings = settings
        self._file = file
        self._place = place
        self._wall = Wall()
        durable_file = DurableFile(place.durable)
        restored = durable_file.load(self._wall.moment())
        self._wall.raise_floor(restored.highest_wall_s)
        self._salvaged = set_aside_if_damaged(place.spool, site.site.id)
        self._writer = SpoolWriter(place.spool, site.site.id, clock=self._wall)
        self._reader = Spool(place.spool, site.site.id)
        self._tally_file = TallyFile(place.tally)
        self._tallies, self._miscounted = self._tally_file.load()
        stale_s = settings.core.stale_s
        self._recorder = Recorder(site, file.sha256, self._writer, self._wall, stale_s, self._tallies)
        self._keeper = Keeper(durable_file, self._wall, self._recorder.tell, restored.durable)
        self._keeper.keep(restored.durable)
        self._devices = SiteDevices(site)
        self._plant = Plant(site, self._devices, self._recorder.tell, self._on_new_sample)
        self._settings_watch = SettingsWatch(site, self._devices, self._writer, self._recorder.tell)
        self._overrides = Overrides()
        self._wish = Wish()
        self._scans = Broadcast()
        self._notifier = Notifier()
        self._after: deque[Scanned] = deque(maxlen=1000)
        self._after_wake = asyncio.Event()
        self._scanner = Scanner(
            site,
            settings,
            restored.durable,
            self._plant,
            self._overrides,
            self._wish,
            self._notifier,
            self._recorder.tell,
            self._scan_done,
            self._keeper.keep,
            run_step,
        )
        self._link = Child("the link", _link_command(site, file, place)) if with_link and site.link else None
        self._pending = 0
        self._restored = restored
        self._farewell = (
            "the agent stops; its last commands failed, the site is left to dead-man and reversion"
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop`.

        Raises:
            SocketTakenError: Another agent answers on this site's socket.
            StepFailedError: The step fails again and again; the site was left in its safe state.
        """
        requests = Requests(
            self._site,
            self._file,
            self._devices,
            self._overrides,
            self._wish,
            self._scans,
            self._recorder,
            self._writer,
            self.status,
            self._plant.device_list,
            self._settings_watch.written,
        )
        server = SocketServer(socket_path(self._file.path), requests)
        await server.start()
        tasks = [asyncio.create_task(work) for work in self._background()]
        scanning = asyncio.create_task(self._scan_when_met())
        stopped = asyncio.create_task(stop.wait())
        try:
            self._say_start(self._restored)
            await asyncio.wait({scanning, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if scanning.done():
                scanning.result()
        except StepFailedError as error:
            self._recorder.tell(Happening("alarm", time.monotonic(), str(error)))
            raise
        finally:
            await end_all([*tasks, scanning, stopped])
            await self._leave_safe()
            await server.stop()

    def status(self) -> Status:
        """The whole picture."""
        pids = Pids(agent=getpid(), link=self._link.pid if self._link else None)
        return status_of(
            self._scanner.last,
            self._site,
            self._settings.core.stale_s,
            self._scanner.clock,
            self._plant.writes,
            pids,
            self._pending,
            self._recorder.excursions(),
        )

    def _background(self) -> list[Coroutine[Any, Any, None]]:
        tell = self._recorder.tell
        work = [
            *self._plant.tasks(),
            keep_alive("keeping the state", self._keeper.run, _nothing, tell),
            keep_alive("the recorder", self._record, _nothing, tell),
            keep_alive("keeping the counts", self._keep_tally, _nothing, tell),
            keep_alive("watching settings", self._settings_watch.run, _nothing, tell),
            keep_alive("counting records", self._count_pending, _nothing, tell),
            keep_alive("watching the clock", lambda: watch_wall(tell), _nothing, tell),
        ]
        if self._link is not None:
            work.append(self._link.run())
        if self._place.journal.exists() and self._place.journal.stat().st_size > 0:
            work.append(_restorer(self._file.path).run_once())
        return work

    async def _scan_when_met(self) -> None:
        """Every device is tried once before the first scan; nothing closes before the state is on the disk."""
        await self._keeper.flush()
        if not await self._plant.met(_FIRST_CONTACT_S):
            log.warning("not every device has been tried yet; starting without them")
        calm_collector()
        await self._scanner.run()

    def _on_new_sample(self) -> None:
        self._scanner.new_sample.set()

    def _scan_done(self, done: Scanned) -> None:
        """What follows a scan and may wait until the commands are on the wire."""
        self._after.append(done)
        self._after_wake.set()

    async def _record(self) -> None:
        while True:
            await self._after_wake.wait()
            await asyncio.sleep(_BREATH_S)
            self._after_wake.clear()
            self._record_waiting()

    def _record_waiting(self) -> None:
        while self._after:
            done = self._after.popleft()
            self._scans.send(done)
            self._recorder.scanned(done)

    async def _keep_tally(self) -> None:
        await self._tally_file.keep(self._tallies, self._recorder.tell)

    async def _count_pending(self) -> None:
        while True:
            try:
                self._pending = await asyncio.to_thread(self._reader.count)
            except SpoolError as error:
                log.debug("the spool cannot be counted: %s", error)
            await asyncio.sleep(_PENDING_EVERY_S)

    def _say_start(self, restored: Restored) -> None:
        now_s = time.monotonic()
        if restored.problem is not None:
            detail = f"{restored.problem}: the site starts tripped until it is reset by hand (dergate reset)"
            self._recorder.tell(Happening("alarm", now_s, detail))
        for problem in filter(None, (self._salvaged, self._miscounted)):
            self._recorder.tell(Happening("alarm", now_s, problem))
        standing = f"tripped, target {restored.durable.target}" if restored.durable.tripped else "not tripped"
        self._recorder.tell(Happening("restart", now_s, f"the agent starts: {standing}"))

    async def _leave_safe(self) -> None:
        """Nobody will look after the site: open the outputs, leave safe limits, and write what waits.

        What fails of it is told, and keeps nothing else from being done.
        """
        self._notifier.stopping()
        for part in (self._last_commands, self._last_records, self._keeper.flush, self._close):
            try:
                await part()
            except Exception as error:  # noqa: BLE001 - the parts that are left matter more than why one failed
                log.warning("while stopping: %r", error)

    async def _last_commands(self) -> None:
        done, missed = await self._plant.settle(safe.on_stop(self._site, self._scanner.last.commands))
        self._farewell = _farewell(done, missed)

    async def _last_records(self) -> None:
        self._record_waiting()
        self._recorder.tell(Happening("stop", time.monotonic(), self._farewell))
        self._recorder.close(time.monotonic())
        await asyncio.to_thread(self._tally_file.save, self._tallies.steps())

    async def _close(self) -> None:
        left = await asyncio.to_thread(self._writer.close)
        if left:
            log.warning("%d records could not be written", left)
        self._reader.close()
        self._devices.close()


def _farewell(done: list[str], missed: list[str]) -> str:
    took = f"trip outputs opened and safe limits written: {', '.join(done) or 'none'}"
    if not missed:
        return f"the agent stops; {took}"
    return f"the agent stops; {took}; not confirmed, left to dead-man and reversion: {', '.join(missed)}"


def calm_collector() -> None:
    """What lives for the whole run is never looked at again, and a full collection does not come mid-scan often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _nothing() -> None:
    """There is nothing to forget."""


def _link_command(site: Site, file: SiteFile, place: Place) -> list[str]:
    if site.link is None:
        return []
    command = [sys.executable, "-m", "edge.link", "--spool", str(place.spool)]
    command += ["--gateway", site.site.id, "--broker", site.link.broker]
    for option, name in (("--ca", site.link.ca), ("--cert", site.link.cert), ("--key", site.link.key)):
        if name is not None:
            command += [option, str(file.path.parent / name)]
    return command


def _restorer(site_file: Path) -> Child:
    """Puts back what an interrupted commissioning run changed."""
    command = [sys.executable, "-m", "cli.main", "commission", str(site_file), "--restore-only"]
    return Child("restoring after commissioning", command)
