"""All devices of the site at work: what they show goes into the image, what is commanded goes to them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from contract.socket import Device
from edge.agent.der_task import DerTask, Writes
from edge.agent.devices import SiteDevices
from edge.agent.meter_task import MeterTask
from edge.agent.output_task import OutputTask
from edge.agent.overrides import Blindfold
from edge.agent.reactive_task import ReactiveTask
from edge.agent.supervise import keep_alive
from edge.agent.tell import Tell, log
from edge.guard.budget import feedback_every_s
from edge.model.commands import Commands, DerLimit
from edge.model.image import Image, Override
from edge.model.readings import Identity
from edge.model.site import Site

_SETTLE_S = 2.0


class Part(Protocol):
    """One device's task."""

    tried: asyncio.Event

    async def run(self) -> None:
        """Work for ever."""

    def forget(self) -> None:
        """Leave nothing that looks fresh."""


class Plant:
    """The tasks of one site's devices."""

    def __init__(self, site: Site, devices: SiteDevices, tell: Tell, on_new: Callable[[], None]) -> None:
        self.writes = Writes()
        self._site = site
        self._tell = tell
        self._blindfold = Blindfold()
        self._meter = MeterTask(site, devices.meter, tell, on_new)
        self._ders = {
            der.name: DerTask(
                der,
                devices.ders[der.name],
                site.site.nominal_v,
                site.control.reassert_s,
                tell,
                self.writes,
            )
            for der in site.der
        }
        self._outputs = {
            output.name: OutputTask(
                output,
                devices.outputs[output.name],
                site.control.scan_s,
                feedback_every_s(site, output),
                tell,
            )
            for output in site.trip_output
        }
        self._reactive = {
            der.name: ReactiveTask(der, devices.reactive[der.name], site.control.reassert_s, tell)
            for der in site.der
            if der.name in devices.reactive
        }

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """What must run, one for each device."""
        parts = [keep_alive(name, part.run, part.forget, self._tell) for name, part in self._parts().items()]
        return parts + [
            keep_alive(f"the reactive power of {name}", part.run, part.forget, self._tell)
            for name, part in self._reactive.items()
        ]

    def _parts(self) -> dict[str, Part]:
        return {"the meter's task": self._meter, **self._ders, **self._outputs}

    async def met(self, within_s: float) -> bool:
        """Wait until every device was tried once; False when that took too long."""
        tried = [part.tried.wait() for part in self._parts().values()]
        try:
            async with asyncio.timeout(within_s):
                await asyncio.gather(*tried)
        except TimeoutError:
            return False
        return True

    def image(self, scan: int, now_s: float, overrides: tuple[Override, ...], *, reset: bool) -> Image:
        """Everything as it is now."""
        return Image(
            scan=scan,
            pcc=self._blindfold.look(self._meter.reading, overrides),
            ders=tuple(der.reading(now_s) for der in self._ders.values()),
            outputs=tuple(output.reading() for output in self._outputs.values()),
            overrides=overrides,
            reset=reset,
        )

    def command(self, commands: Commands) -> None:
        """Hand over commands: contacts that open come first; what closes waits for `feed`."""
        for output in commands.outputs:
            if not output.closed:
                self._outputs[output.name].open()
        for limit in commands.limits:
            self._ders[limit.name].command(limit.limit_w, limit.floor_w)
        wanted = {one.name: one.var for one in commands.reactive}
        for name, part in self._reactive.items():
            part.command(wanted.get(name))

    def feed(self, commands: Commands) -> None:
        """Hold the contacts that are commanded closed: the scan was complete and on time."""
        for output in commands.outputs:
            if output.closed:
                self._outputs[output.name].hold()

    async def settle(self, commands: Commands) -> tuple[list[str], list[str]]:
        """Write last commands while no task runs any more; names of what took them and what did not."""
        parts = {
            **{limit.name: _settled(self._ders[limit.name], limit) for limit in commands.limits},
            **{output.name: self._outputs[output.name].settle() for output in commands.outputs},
            **{f"the reactive power of {name}": part.settle() for name, part in self._reactive.items()},
        }
        results = await asyncio.gather(*(_in_time(part) for part in parts.values()))
        done = [name for name, took in zip(parts, results, strict=True) if took]
        return done, [name for name in parts if name not in done]

    def device_list(self) -> tuple[Device, ...]:
        """Every device, and who it says it is."""
        site, meter = self._site, self._meter
        listed = [_device("meter", "meter", site.meter.uri, meter.reachable, meter.identity)]
        for der in site.der:
            part = self._ders[der.name]
            listed.append(_device(der.name, "der", der.uri, part.reachable, part.identity))
        for output in site.trip_output:
            reachable = self._outputs[output.name].reachable
            listed.append(_device(output.name, "trip-output", output.address, reachable, None))
        return tuple(listed)


async def _settled(der: DerTask, limit: DerLimit) -> bool:
    """Whether the DER took the limit now: what it was seen to hold before proves nothing."""
    asked_s = time.monotonic()
    took = await der.settle(limit.limit_w, limit.floor_w)
    return took and der.reading(asked_s).limit_w.since(asked_s) is not None


async def _in_time(part: Coroutine[Any, Any, bool]) -> bool:
    try:
        async with asyncio.timeout(_SETTLE_S):
            return await part
    except Exception as error:  # noqa: BLE001 - what one device does must not keep the others from their last command
        log.debug("a last command was not taken: %r", error)
        return False


def _device(name: str, role: Any, uri: str, reachable: bool, identity: Identity | None) -> Device:
    if identity is None:
        return Device(name=name, role=role, uri=uri, reachable=reachable)
    return Device(
        name=name,
        role=role,
        uri=uri,
        reachable=reachable,
        manufacturer=identity.manufacturer,
        model=identity.model,
        version=identity.version,
        serial=identity.serial,
        nameplate_w=identity.nameplate_w,
    )
