"""A site in memory that answers as the agent's socket does: two inverters, a meter, an element, a contact.

It runs a hundred times faster than a real one, so that whole procedures fit into a test. Faults are attributes.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from commissioning.agent import Agent
from contract import socket as says
from contract import status as shows
from contract.client import AgentRefusedError, AgentUnreachableError
from contract.message import Message
from edge.model.site import Site
from edge.model.strict_toml import load

R = TypeVar("R", bound=BaseModel)

SITE_TOML = Path(__file__).with_name("quick.site.toml")
TICK_S = 0.01


class FakeSite:
    """The plant and the agent's promises about it."""

    def __init__(self, text: str | None = None) -> None:
        self.text = text or SITE_TOML.read_text()
        self.site = load(Site, self.text, "fake.site.toml")
        self.available_w = {"inverter-1": 16_000.0, "inverter-2": 60_000.0}
        self.load_w = 52_000.0
        self.meter_sign = 1.0
        self.deaf = False
        self.pickup_w = 25_000.0
        self.delay_s = 0.4
        self.armed = True
        self.refuses_overrides: str | None = None
        self.forgets_restore = False
        self.gone_after_s: float | None = None
        self.points = {"ESDlyTms": 300.0}
        self.written = asyncio.Event()
        self.writes: list[dict[str, int | float]] = []
        self.overrides: list[tuple[object, says.OverrideRequest]] = []
        self.tripped_s: float | None = None
        self.target: str | None = None
        self.trips = 0
        self.above_s: float | None = None
        self.blind_s: float | None = None
        self.began_s = time.monotonic()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Agent]:
        """A connection; its overrides end with it."""
        connection = FakeConnection(self)
        try:
            yield connection
        finally:
            self.drop(connection)

    def drop(self, owner: object) -> None:
        self.overrides = [item for item in self.overrides if item[0] is not owner]

    def scan(self, number: int) -> says.Scan:
        """Advance to now."""
        now_s = time.monotonic()
        if self.gone_after_s is not None and now_s - self.began_s > self.gone_after_s:
            raise AgentUnreachableError("the agent closed the connection")
        asked = [request for _, request in self.overrides]
        self.blind_s = (self.blind_s or now_s) if any(one.blind for one in asked) else None
        lost = self.blind_s is not None and now_s - self.blind_s > 0.05
        if self.tripped_s is not None and now_s - self.tripped_s > self.site.enter_service.delay_s:
            self.tripped_s, self.target = None, None
        limits = self._limits(asked, lost=lost)
        output = {name: min(watts, limits[name]) for name, watts in self.available_w.items()}
        export_w = self.meter_sign * (sum(output.values()) - self.load_w)
        self._protect(now_s, export_w, asked)
        closed = self.tripped_s is None
        return says.Scan(
            scan=number,
            at_s=now_s,
            mode="tripped" if not closed else "fallback" if lost else "regulating",
            export_w=export_w,
            export_age_s=0.0 if self.blind_s is None else now_s - self.blind_s,
            new_sample=self.blind_s is None,
            v_pu=1.0,
            f_hz=60.0,
            output_w=dict(output),
            limit_w=limits,
            commanded_closed={"coil-2": closed},
            closed={"coil-2": closed},
            picked_up=("32",) if self.above_s is not None else (),
            tripped=not closed,
            target=self.target,
            tightest="",
        )

    def _limits(self, asked: list[says.OverrideRequest], *, lost: bool) -> dict[str, float]:
        if self.tripped_s is not None:
            return dict.fromkeys(self.available_w, 0.0)
        caps = {der.name: der.nameplate_w for der in self.site.der}
        if lost:
            caps = {name: cap * self.site.limit_w / self.site.nameplate_w for name, cap in caps.items()}
        if self.deaf:
            return caps
        for one in asked:
            if one.der is not None and one.limit_w is not None:
                caps[one.der] = min(caps[one.der], one.limit_w)
        possible = {name: min(cap, self.available_w[name]) for name, cap in caps.items()}
        for one in asked:
            total_w = sum(possible.values())
            if one.der is None and one.limit_w is not None and total_w > one.limit_w:
                possible = {name: cap * one.limit_w / total_w for name, cap in possible.items()}
                caps = dict(possible)
        return caps

    def _protect(self, now_s: float, export_w: float, asked: list[says.OverrideRequest]) -> None:
        pickup_w = min([self.pickup_w, *(one.pickup_w for one in asked if one.pickup_w is not None)])
        if not self.armed or self.blind_s is not None or export_w <= pickup_w:
            self.above_s = None
            return
        self.above_s = self.above_s or now_s
        if now_s - self.above_s >= self.delay_s and self.tripped_s is None:
            self.tripped_s, self.target, self.trips = now_s, "32", self.trips + 1


class FakeConnection:
    """Answers the requests that commissioning makes."""

    def __init__(self, fake: FakeSite) -> None:
        self.fake = fake

    async def ask(self, request: says.Request, answer: type[R], timeout_s: float | None = None) -> R:
        await asyncio.sleep(0)
        return answer.model_validate(self._answer(request).model_dump())

    async def status(self) -> shows.Status:
        fake = self.fake
        element = shows.ElementStatus(
            name="32",
            pickup_w=fake.pickup_w,
            dropout_w=fake.pickup_w - 500,
            delay_s=fake.delay_s,
            picked_up=fake.above_s is not None,
            elapsed_s=0.0,
            operated=False,
            blocked=False,
        )
        shown = shows.Shown(value=0.0, age_s=0.0, quality="good")
        return shows.Status(
            pids=shows.Pids(agent=1, link=None),
            site="quick-site",
            mode="regulating" if fake.tripped_s is None else "tripped",
            export_limit_w=fake.site.limit_w,
            target_w=fake.site.limit_w,
            image=shows.ImageStatus(
                scan=1,
                at_s=0.0,
                pcc=shows.PccStatus(export_w=shown, v_pu=shown, f_hz=shown),
                ders=(),
                outputs=(),
            ),
            limits=(),
            elements=(element,) if fake.armed else (),
            trip=shows.TripStatus(
                tripped=fake.tripped_s is not None,
                target=fake.target,
                service="in-service" if fake.tripped_s is None else "tripped",
                remaining_s=None,
                trips_24h=0,
                lockout=False,
            ),
            scan=shows.ScanStatus(period_s=TICK_S, count=1, late=0, p99_s=0.0),
            writes=shows.WriteStatus(sent=0, verified=0, refused=0),
            fallbacks=0,
            trips=fake.trips,
            link=shows.LinkStatus(alive=False, pending=0),
        )

    async def stream(self) -> AsyncIterator[says.Scan]:
        number = 0
        while True:
            number += 1
            yield self.fake.scan(number)
            await asyncio.sleep(TICK_S)

    def _answer(self, request: says.Request) -> Message:
        fake = self.fake
        match request:
            case says.SiteRequest():
                sha256 = hashlib.sha256(fake.text.encode()).hexdigest()
                return says.SiteInForce(path="fake.site.toml", sha256=sha256, text=fake.text)
            case says.DevicesRequest():
                return says.Devices(devices=tuple(devices_of(fake.site)))
            case says.EventsRequest():
                return says.Events(events=())
            case says.ReadModelsRequest():
                return says.Models(models=self._models(request.device))
            case says.WritePointsRequest():
                return self._write(request.values)
            case says.OverrideRequest():
                if fake.refuses_overrides is not None:
                    raise AgentRefusedError(fake.refuses_overrides)
                fake.overrides.append((self, request))
                return says.Accepted(until_s=time.monotonic() + request.ttl_s)
            case says.ClearOverridesRequest():
                fake.drop(self)
                return says.Accepted()
        raise AgentRefusedError(f"{request.op} is not known here")

    def _models(self, device: str) -> tuple[dict[str, Any], ...]:
        if device != "inverter-1":
            return ()
        return ({"id": 703, "address": 40_000, "length": 17, "points": dict(self.fake.points), "groups": {}},)

    def _write(self, values: dict[str, int | float]) -> says.Written:
        fake = self.fake
        fake.writes.append(values)
        fake.written.set()
        if fake.forgets_restore and len(fake.writes) > 1:
            return says.Written(outcome="mismatch", found=dict(fake.points))
        fake.points.update({name: float(value) for name, value in values.items()})
        return says.Written(outcome="verified", found=dict(fake.points))


def devices_of(site: Site) -> list[says.Device]:
    """The devices of a site, all answering."""
    known = {"reachable": True, "manufacturer": "Maker", "model": "Model", "version": "1", "serial": "S-1"}
    return [
        says.Device(name="meter", role="meter", uri=site.meter.uri, **known),
        *(
            says.Device(name=d.name, role="der", uri=d.uri, nameplate_w=d.nameplate_w, **known)
            for d in site.der
        ),
        *(
            says.Device(name=o.name, role="trip-output", uri=o.address, reachable=True)
            for o in site.trip_output
        ),
    ]
