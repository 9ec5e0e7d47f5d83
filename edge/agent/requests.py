"""What the socket's requests do. Every answer is a message of the contract, or one sentence that says why not."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import records
from contract.envelope import EnvelopeError, RecordClass
from contract.message import Message
from contract.socket import (
    Accepted,
    AdoptCurveRequest,
    ClearOverridesRequest,
    Device,
    Devices,
    DevicesRequest,
    Events,
    EventsRequest,
    Models,
    OverrideRequest,
    ReadModelsRequest,
    Recorded,
    RecordRequest,
    Request,
    ResetRequest,
    SiteInForce,
    SiteRequest,
    StatusRequest,
    StreamRequest,
    WritePointsRequest,
    Written,
)
from contract.status import Status
from drivers.errors import DriverError
from drivers.protocol import WriteResult
from edge.agent.broadcast import Broadcast
from edge.agent.devices import SiteDevices
from edge.agent.overrides import Overrides
from edge.agent.recorder import Recorder
from edge.agent.tell import Happening
from edge.model.image import Override
from edge.model.site import Site
from edge.spool import SpoolWriter
from edge.spool.writer import EvictedError

RECORD_KINDS = ("settings", "test", "event", "audit")
_FULL = 0.9
_STORED_WITHIN_S = 8.0
_RESET_WITHIN_S = 5.0


class RefusedError(Exception):
    """The request is not carried out; the message says why in one sentence."""


@dataclass(frozen=True)
class SiteFile:
    """The site file in force, as read at the start."""

    path: Path
    text: str
    sha256: str


@dataclass
class Wish:
    """What requests ask of the next scan."""

    reset: bool = False


class Requests:
    """Carries out the requests of all connections; `owner` stands for the connection that asks."""

    def __init__(
        self,
        site: Site,
        file: SiteFile,
        devices: SiteDevices,
        overrides: Overrides,
        wish: Wish,
        scans: Broadcast,
        recorder: Recorder,
        writer: SpoolWriter,
        status: Callable[[], Status],
        device_list: Callable[[], tuple[Device, ...]],
        settings_written: Callable[[], None],
    ) -> None:
        self.scans = scans
        self._site = site
        self._file = file
        self._devices = devices
        self._overrides = overrides
        self._wish = wish
        self._recorder = recorder
        self._writer = writer
        self._status = status
        self._device_list = device_list
        self._settings_written = settings_written

    async def carry_out(self, request: Request, owner: object) -> Message:
        """The answer to a request.

        Raises:
            RefusedError: Why not.
        """
        try:
            return await self._dispatch(request, owner)
        except DriverError as error:
            raise RefusedError(str(error)) from error

    def gone(self, owner: object) -> None:
        """A connection closed: what it had asked to narrow ends."""
        if self._overrides.drop(owner):
            self._say("override", "the connection closed, its overrides ended")

    async def _dispatch(self, request: Request, owner: object) -> Message:
        match request:
            case StatusRequest():
                return self._status()
            case SiteRequest():
                return SiteInForce(path=str(self._file.path), sha256=self._file.sha256, text=self._file.text)
            case DevicesRequest():
                return Devices(devices=self._device_list())
            case EventsRequest():
                newest = tuple(self._recorder.events)[-request.last :]
                return Events(events=newest, excursions=self._recorder.excursions())
            case ReadModelsRequest():
                return Models(models=await self._devices.read_models(request.device, request.models))
            case WritePointsRequest():
                return await self._write_points(request)
            case AdoptCurveRequest():
                return await self._adopt(request)
            case OverrideRequest():
                return self._override(request, owner)
            case ClearOverridesRequest():
                self.gone(owner)
                return Accepted()
            case ResetRequest():
                return await self._reset(request)
            case RecordRequest():
                return await self._record(request)
            case StreamRequest():
                return Accepted()

    async def _write_points(self, request: WritePointsRequest) -> Written:
        result = await self._devices.write_points(request.device, request.model, request.values)
        changed = ", ".join(f"{name} = {value}" for name, value in request.values.items())
        self._say_written(request.device, f"model {request.model}: {changed}", result)
        return _written(result)

    async def _adopt(self, request: AdoptCurveRequest) -> Written:
        result = await self._devices.adopt_curve(
            request.device, request.model, request.points, request.settings, enable=request.enable
        )
        self._say_written(request.device, f"a curve of model {request.model}", result)
        return _written(result)

    def _say_written(self, device: str, what: str, result: WriteResult) -> None:
        detail = f"{device}: {what}: {result.outcome}{f' ({result.reason})' if result.reason else ''}"
        self._recorder.tell(Happening("settings-change", time.monotonic(), detail, device))
        self._settings_written()

    def _override(self, request: OverrideRequest, owner: object) -> Accepted:
        if request.der is not None and request.der not in {der.name for der in self._site.der}:
            raise RefusedError(f"no DER is named {request.der!r}")
        if request.limit_w is None and request.pickup_w is None and not request.blind:
            raise RefusedError("an override needs limit_w, pickup_w or blind")
        until_s = time.monotonic() + request.ttl_s
        override = Override(
            by=request.by,
            until_s=until_s,
            limit_w=request.limit_w,
            der=request.der,
            pickup_w=request.pickup_w,
            blind=request.blind,
        )
        if not self._overrides.add(owner, override):
            raise RefusedError("this connection holds as many overrides as it may; clear them first")
        self._say("override", f"{request.by} narrows for at most {request.ttl_s:g} s")
        return Accepted(until_s=until_s)

    async def _reset(self, request: ResetRequest) -> Accepted:
        self._recorder.audit(request.by, "reset the trip latch")
        with self.scans.listen() as scans:
            asked_s, self._wish.reset = time.monotonic(), True
            try:
                async with asyncio.timeout(_RESET_WITHIN_S):
                    # Scans are handed out some time after they were made: the answer is in the one that took the wish.
                    while not (done := await scans.next()).image.reset or done.now_s < asked_s:
                        pass
            except TimeoutError as error:
                self._wish.reset = False
                raise RefusedError("no scan was made in time") from error
        if done.view.tripped:
            raise RefusedError(f"the latch is not reset: its cause stands ({done.view.target})")
        return Accepted()

    async def _record(self, request: RecordRequest) -> Recorded:
        if request.kind not in RECORD_KINDS:
            raise RefusedError(
                f"records of kind {request.kind!r} are not taken; allowed: {', '.join(RECORD_KINDS)}"
            )
        payload = records.read_payload(f"{request.kind}/1", _plain(request.payload))
        if isinstance(payload, str):
            raise RefusedError(payload)
        if request.kind == "test" and self._writer.fill() >= _FULL:
            raise RefusedError(
                "the spool is 90 % full of evidence: connect the link before further test runs"
            )
        stored = self._writer.put(request.kind, RecordClass.EVIDENCE, payload, time.monotonic())
        try:
            async with asyncio.timeout(_STORED_WITHIN_S):
                return Recorded(seq=await asyncio.wrap_future(stored))
        except TimeoutError as error:
            fault = self._writer.state.fault or "the disk is slow"
            raise RefusedError(f"the record waits in memory: {fault}") from error
        except (EnvelopeError, EvictedError) as error:
            raise RefusedError(str(error)) from error

    def _say(self, kind: str, detail: str) -> None:
        self._recorder.tell(Happening(kind, time.monotonic(), detail))


def _plain(payload: dict[str, Any]) -> dict[str, Any]:
    """Only what JSON can say."""
    return dict(json.loads(json.dumps(payload)))


def _written(result: WriteResult) -> Written:
    return Written(outcome=result.outcome.value, found=dict(result.found), reason=result.reason or None)
