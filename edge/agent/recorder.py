"""Turns scans and happenings into records for the spool, captures among them. Never blocks control."""

from __future__ import annotations

import time
from collections import deque
from typing import cast, get_args

from contract import records
from contract.envelope import RecordClass
from contract.socket import EventStatus
from contract.status import ExcursionStatus
from edge.agent.capture_records import CaptureRecords
from edge.agent.captures import Mark
from edge.agent.coalesce import HOUR_S, Coalescer, Flood
from edge.agent.cumulative import Cumulative
from edge.agent.excursions import Excursion, Excursions
from edge.agent.minute import Minute
from edge.agent.scanned import Scanned
from edge.agent.summary import excursion_status, status_record
from edge.agent.tally import DAY_S, MONTH_S, Sum, Tally
from edge.agent.tell import Happening, log
from edge.agent.wall import Wall
from edge.model.sample import Quality
from edge.model.site import Site
from edge.model.view import View
from edge.spool import SpoolWriter
from edge.spool.spool import boot_id

KEPT_EVENTS = 1000
STATUS_EVERY_S = 60.0
_STATUS_GAP_S = 1.0
_DER_FRESH_S = 2.0

_KINDS = frozenset(get_args(records.EventType))
_EVIDENCE = frozenset(
    {
        "pickup",
        "trip",
        "lockout",
        "breaker-failure",
        "fallback",
        "isolation",
        "out-of-service",
        "excursion",
        "settings-change",
        "reset",
        "capture",
    }
)


class Recorder:
    """One site's recorder; `events` are the newest, oldest first. A PCC sample past `stale_s` is no measurement."""

    def __init__(
        self, site: Site, site_hash: str, writer: SpoolWriter, wall: Wall, stale_s: float, tally: Tally
    ) -> None:
        self.events: deque[EventStatus] = deque(maxlen=KEPT_EVENTS)
        self._site = site
        self._site_hash = site_hash
        self._writer = writer
        self._wall = wall
        self._stale_s = stale_s
        self._boot = boot_id()
        self._captures = CaptureRecords(site)
        self._coalescer = Coalescer()
        self._excursions = Excursions(site.limit_w, site.nameplate_w)
        self._onset = wall.at(time.monotonic())
        self._tally = tally
        self._cumulative = Cumulative(site)
        self._minute = Minute(time.monotonic())
        self._standing: tuple[object, ...] = ()
        self._status_s = float("-inf")
        self._pcc_quality: Quality | None = None
        self._waiting = False
        self._given_up = 0
        self._given_up_said_s = float("-inf")

    def tell(self, happening: Happening) -> None:
        """Keep a happening of the shell."""
        self._keep(happening)

    def audit(self, by: str, action: str) -> None:
        """Keep who asked for what."""
        log.warning("%s asks to %s", by, action)
        now_s = time.monotonic()
        payload = records.Audit(at=self._wall.at(now_s), by=by, action=action)
        self._writer.put("audit", RecordClass.EVIDENCE, payload, now_s)

    def scanned(self, done: Scanned) -> None:
        """Take a scan: its row, its events, its measurements."""
        self._captures.scanned(done)
        for event in done.reasons.events:
            self._keep(Happening(event.kind, event.at_s, event.detail, values=dict(event.values)))
        self._measured(done)
        for at_s, payload in self._captures.ready(done.now_s):
            self._put(payload, at_s)
        self._report_status(done)
        for flood in self._coalescer.due(done.now_s):
            self._put_flood(flood, done.now_s)
        self._watch_spool(done.now_s)

    def close(self, now_s: float) -> None:
        """Write what is still open: a running excursion, captures, floods."""
        excursion = self._excursions.end(now_s)
        self._count(now_s)
        if excursion is not None:
            self._keep_excursion(excursion, now_s)
        for at_s, payload in self._captures.flush():
            self._put(payload, at_s)
        for flood in self._coalescer.flush():
            self._put_flood(flood, now_s)

    def excursions(self) -> ExcursionStatus:
        """How often of late."""
        return excursion_status(self._tally, self._wall.now_s())

    def _measured(self, done: Scanned) -> None:
        now_s, pcc = done.now_s, done.image.pcc
        export_w = pcc.export_w.fresh(now_s, self._stale_s) if done.new_sample else None
        if export_w is not None:
            self._followed(export_w, now_s)
        if self._pcc_quality not in (None, pcc.export_w.quality):
            detail = f"the PCC meter's power is {pcc.export_w.quality} (was {self._pcc_quality})"
            self.tell(Happening("quality-change", now_s, detail, "meter"))
        self._pcc_quality = pcc.export_w.quality
        over = self._minute.take(now_s, export_w, _der_w(done))
        if over is not None:
            payload = records.Telemetry(
                until=self._wall.at(now_s),
                seconds=over.seconds,
                export_mean_w=over.export_mean_w,
                export_max_w=over.export_max_w,
                der_mean_w=over.der_mean_w,
                limit_w=done.view.export_limit_w,
            )
            self._writer.put("telemetry", RecordClass.TELEMETRY, payload, now_s)

    def _keep(self, what: Happening) -> None:
        self._remember(what)
        if not self._coalescer.admit(what.kind, what.at_s):
            return
        log.warning("%s: %s", what.kind, what.detail)
        at = self._wall.at(what.at_s)
        mark = Mark(what.at_s, at, what.kind, what.detail)
        payload = records.Event(
            type=_kind(what.kind),
            at=at,
            detail=what.detail,
            device=what.device,
            limit_w=self._site.limit_w,
            values=what.values,
            capture=self._captures.happened(mark),
        )
        self._put(payload, what.at_s)

    def _followed(self, export_w: float, now_s: float) -> None:
        """A new measurement: an excursion may begin with it, or end."""
        was_running = self._excursions.running
        ended = self._excursions.take(export_w, now_s)
        self._count(now_s)
        if ended is not None:
            self._keep_excursion(ended, now_s)
        if self._excursions.running and not was_running:
            self._onset = self._wall.at(now_s)
            if self._coalescer.has_room("excursion", now_s):
                detail = f"export of {export_w:.0f} W, above {self._site.limit_w:.0f} W"
                self._captures.reach(Mark(now_s, self._onset, "excursion", detail))

    def _count(self, now_s: float) -> None:
        """Add to the tally what the excursions have grown by; too much in sum is an alarm."""
        grown = self._excursions.grown()
        if grown == Sum():
            return
        wall_s = self._wall.now_s()
        self._tally.add(grown, wall_s)
        for sentence in self._cumulative.look(self._tally, wall_s):
            self.tell(Happening("alarm", now_s, sentence))

    def _keep_excursion(self, excursion: Excursion, now_s: float) -> None:
        """One record, at its end, so that it counts once; its capture reaches to 30 s after that."""
        wall_s = self._wall.now_s()
        day, month = self._tally.over(DAY_S, wall_s).count, self._tally.over(MONTH_S, wall_s).count
        detail = (
            f"export above {self._site.limit_w:.0f} W for {excursion.duration_s:.1f} s, at most "
            f"{excursion.peak_w:.0f} W, {excursion.energy_wh:.2f} Wh"
        )
        values = {"count_24h": float(day), "count_30d": float(month)}
        self._remember(Happening("excursion", excursion.start_s, detail, values=values))
        figures = excursion.peak_w, excursion.energy_wh, excursion.duration_s
        if not self._coalescer.admit("excursion", excursion.start_s, *figures):
            return
        log.warning("excursion: %s", detail)
        self._captures.reach(Mark(now_s, self._wall.at(now_s), "excursion-end", detail))
        payload = records.Event(
            type="excursion",
            at=self._onset,
            start=self._onset,
            detail=detail,
            limit_w=self._site.limit_w,
            peak_w=excursion.peak_w,
            duration_s=excursion.duration_s,
            energy_wh=excursion.energy_wh,
            values=values,
        )
        self._put(payload, excursion.start_s)

    def _remember(self, what: Happening) -> None:
        self.events.append(
            EventStatus(
                kind=what.kind,
                at_s=what.at_s,
                wall=self._wall.at(what.at_s).isoformat(timespec="milliseconds"),
                time_quality=self._wall.quality(),
                detail=what.detail,
                values=what.values,
                boot=self._boot,
            )
        )

    def _put(self, payload: records.Event, at_s: float) -> None:
        kept = RecordClass.EVIDENCE if payload.type in _EVIDENCE else RecordClass.EVENT
        self._writer.put("event", kept, payload, at_s)

    def _put_flood(self, flood: Flood, now_s: float) -> None:
        detail = f"{flood.count} more of this kind within the hour"
        log.warning("%s: %s", flood.kind, detail)
        payload = records.Event(
            type=_kind(flood.kind),
            at=self._wall.at(now_s),
            start=self._wall.at(flood.first_s),
            detail=detail,
            count=flood.count,
            limit_w=self._site.limit_w,
            peak_w=flood.peak_w,
            duration_s=flood.duration_s,
            energy_wh=flood.energy_wh,
        )
        self._put(payload, now_s)

    def _report_status(self, done: Scanned) -> None:
        since_s = done.now_s - self._status_s
        if since_s < _STATUS_GAP_S:
            return
        standing = _standing(done.view)
        if since_s < STATUS_EVERY_S and standing == self._standing:
            return
        self._standing, self._status_s = standing, done.now_s
        status = status_record(self._site, self._site_hash, done)
        self._writer.put("status", RecordClass.TELEMETRY, status, done.now_s)

    def _watch_spool(self, now_s: float) -> None:
        """A spool that is not written, or that gave records up, is an alarm; control goes on."""
        state = self._writer.state
        waiting = state.fault is not None or not state.running
        if waiting and not self._waiting:
            why = state.fault or "the spool's writer has ended"
            self.tell(Happening("alarm", now_s, f"records wait in memory: {why}"))
        self._waiting = waiting
        if state.overflow + state.refused > self._given_up and now_s - self._given_up_said_s >= HOUR_S:
            detail = (
                f"since the start the queue to the spool overflowed {state.overflow} times, "
                f"{state.evicted} records gave way and {state.refused} were refused"
            )
            self.tell(Happening("alarm", now_s, detail))
            self._given_up, self._given_up_said_s = state.overflow + state.refused, now_s


def _standing(view: View) -> tuple[object, ...]:
    """What makes a new status record worth sending before its time."""
    states = tuple((e.picked_up, e.operated, e.blocked) for e in view.elements)
    return view.mode, view.tripped, view.target, view.export_limit_w, states


def _kind(kind: str) -> records.EventType:
    """The contract's name for a kind; what it does not name is an alarm, so that nothing is lost."""
    return cast("records.EventType", kind if kind in _KINDS else "alarm")


def _der_w(done: Scanned) -> float | None:
    """The sum of DER output, None unless all of it is known."""
    outputs = [der.output_w.fresh(done.now_s, _DER_FRESH_S) for der in done.image.ders]
    known = [output for output in outputs if output is not None]
    return sum(known) if len(known) == len(outputs) else None
