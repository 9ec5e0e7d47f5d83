"""A recorder over a real spool, fed one scan after the other."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent_site import demo_site

from contract.envelope import Envelope
from contract.records import SCHEMAS, Capture
from edge.agent.recorder import Recorder
from edge.agent.scanned import Scanned
from edge.agent.tally import Tallies
from edge.agent.wall import Wall
from edge.model.commands import Commands, DerLimit, Event, Narrowing, OutputCommand, Reasons
from edge.model.durable import NEW_SITE
from edge.model.image import DerReading, Image, OutputReading, Override, PccReading
from edge.model.sample import Quality, Sample
from edge.model.site import Site
from edge.spool import Spool, SpoolWriter
from edge.step import Settings, start, view

SITE = demo_site()
SETTINGS = Settings.of(SITE)


class Tape:
    """The recorder of a site, its clock, and what it has written."""

    def __init__(self, path: Path, stale_s: float = SETTINGS.core.stale_s, site: Site = SITE) -> None:
        self.path = path
        self.age_s = 0.05
        self.writer = SpoolWriter(path, "demo-site")
        self.tallies = Tallies()
        self.recorder = Recorder(site, "0" * 64, self.writer, Wall(), stale_s, self.tallies)
        self.now_s = time.monotonic()
        settings = Settings.of(site)
        self._view = view(start(settings, NEW_SITE, self.now_s), settings, self.now_s)
        self._number = 0
        self.overrides: tuple[Override, ...] = ()

    def scan(
        self,
        export_w: float,
        *events: str,
        quality: Quality = Quality.GOOD,
        phases_w: tuple[float, ...] = (),
        **changes: Any,
    ) -> None:
        """One scan, 0.2 s after the one before."""
        self.now_s += 0.2
        self._number += 1
        sample = Sample(export_w, self.now_s - self.age_s, self.now_s, quality)
        output = Sample.good(30_000.0, self.now_s)
        image = Image(
            self._number,
            PccReading(
                sample,
                Sample.good(1.0, self.now_s),
                Sample.good(60.0, self.now_s),
                self._number,
                tuple(Sample(each_w, self.now_s - self.age_s, self.now_s, quality) for each_w in phases_w),
            ),
            tuple(DerReading(der.name, output, output) for der in SITE.der),
            (OutputReading("coil-2", Sample.good(1.0, self.now_s)),),
            self.overrides,
        )
        commands = Commands(
            tuple(DerLimit(der.name, 1000.0) for der in SITE.der), (OutputCommand("coil-2", closed=True),)
        )
        happened = tuple(Event(kind, self.now_s, f"a {kind}") for kind in events)
        reasons = Reasons((Narrowing("export-limit", 25_000.0),), happened)
        shown = replace(self._view, **changes)
        self.recorder.scanned(Scanned(self.now_s, image, commands, reasons, shown, new_sample=True))

    def records(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything in the spool, as the portal would read it."""
        self.writer.close()
        spool = Spool(self.path, "demo-site")
        found = [Envelope.from_bytes(record.body) for record in spool.pending(10_000)]
        spool.close()
        for envelope in found:
            kind, model = SCHEMAS[envelope.schema_]
            assert kind == envelope.kind
            model.model_validate_json(json.dumps(envelope.payload))
        return [(envelope.kind, dict(envelope.payload)) for envelope in found]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind, captures with their `rows`."""
        found = self._events(kind)
        for payload in found:
            if payload["capture"] is not None:
                payload["capture"]["rows"] = Capture.model_validate_json(json.dumps(payload["capture"])).rows
        return found

    def _events(self, kind: str) -> list[dict[str, Any]]:
        return [payload for what, payload in self.records() if what == "event" and payload["type"] == kind]

    def alarms(self) -> list[str]:
        return [event.detail for event in self.recorder.events if event.kind == "alarm"]
