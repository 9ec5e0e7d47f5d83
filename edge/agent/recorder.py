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
from edge.agent.followed import Followed, News
from edge.agent.minute import Minute
from edge.agent.scanned import Scanned
from edge.agent.summary import excursion_status, status_record
from edge.agent.tally import Tallies
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
        "phase-excursion",
        "settings-change",
        "reset",
        "capture",
    }
)


class Recorder:
    """One site's recorder; `events` are the newest, oldest first. A PCC sample past `stale_s` is no measurement."""

    def __init__(
        self, site: Site, site_hash: str, writer: SpoolWriter, wall: Wall, stale_s: float, tallies: Tallies
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
        self._tallies = tallies
        self._followed = Followed.all_of(site, tallies, wall, time.monotonic())
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
        for one in self._followed:
            self._tell_news(one, one.end(now_s), now_s)
        for at_s, payload in self._captures.flush():
            self._put(payload, at_s)
        for flood in self._coalescer.flush():
            self._put_flood(flood, now_s)

    def excursions(self) -> ExcursionStatus:
        """How often of late."""
        return excursion_status(self._tallies, self._wall.now_s())

    def _measured(self, done: Scanned) -> None:
        now_s, pcc = done.now_s, done.image.pcc
        export_w = pcc.export_w.fresh(now_s, self._stale_s) if done.new_sample else None
        for one in self._followed if done.new_sample else ():
            measured_w = one.measured(pcc).fresh(now_s, self._stale_s)
            if measured_w is not None:
                self._tell_news(one, one.take(measured_w, now_s), now_s)
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

    def _tell_news(self, of: Followed, news: News, now_s: float) -> None:
        for sentence in news.alarms:
            self.tell(Happening("alarm", now_s, sentence))
        if news.ended is not None:
            self._keep_excursion(*news.ended, now_s)
        if news.began is not None and self._coalescer.has_room(of.kind, now_s):
            self._captures.reach(Mark(now_s, of.onset, of.kind, news.began))

    def _keep_excursion(self, start_s: float, one: records.Event, now_s: float) -> None:
        """Its record, at its end; its capture reaches to 30 s after that."""
        self._remember(Happening(one.type, start_s, one.detail, values=one.values))
        if not self._coalescer.admit(one.type, start_s, one.peak_w, one.energy_wh, one.duration_s):
            return
        log.warning("%s: %s", one.type, one.detail)
        self._captures.reach(Mark(now_s, self._wall.at(now_s), f"{one.type}-end", one.detail))
        self._put(one, start_s)

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
            limit_w=self._site.phase_limit_w if flood.kind == "phase-excursion" else self._site.limit_w,
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
