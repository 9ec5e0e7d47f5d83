"""How `dergate tiir` reaches devices: through the running agent, or over Modbus when none runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from contract.client import AgentClient, AgentRefusedError, AgentUnreachableError, socket_path
from contract.socket import AdoptCurveRequest, Models, ReadModelsRequest, WritePointsRequest, Written
from drivers.bus import Buses
from drivers.errors import DriverError
from drivers.protocol import WriteResult
from drivers.sunspec.curve import adopt_curve
from drivers.sunspec.device import SunSpecDevice
from drivers.uri import ModbusUri
from edge.model.site import Der, Site
from tiir.sunspec_plan import CurveWrite, PlainWrite, Step

_AGENT_TIMEOUT_S = 60.0
_TIMEOUT_S = 1.0
_RETRIES = 2
_ORDINATE = {705: "Var", 706: "W"}


class NoAccessError(Exception):
    """A DER cannot be reached, or nobody there speaks SunSpec."""


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A device's decoded models, and those that it has but that could not be read, with the reason."""

    models: tuple[Mapping[str, Any], ...]
    unreadable: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Wrote:
    """How one step of a plan ended, judged by reading back."""

    outcome: str
    reason: str = ""

    @property
    def verified(self) -> bool:
        """Whether the device holds what was written."""
        return self.outcome == "verified"


class DeviceAccess(Protocol):
    """What applying and verifying settings needs of a site."""

    @property
    def by(self) -> str:
        """How devices are reached, for people."""

    async def read(self, der: str) -> ReadBack:
        """Read every model of a DER.

        Raises:
            NoAccessError: It cannot be reached.
        """

    async def write(self, der: str, step: Step) -> Wrote:
        """Carry out one step of a plan.

        Raises:
            NoAccessError: The DER cannot be reached.
        """


class AgentAccess:
    """Through the agent's socket: one owner holds each bus."""

    by = "through the running agent"

    def __init__(self, agent: AgentClient) -> None:
        self._agent = agent

    async def read(self, der: str) -> ReadBack:
        """See `DeviceAccess`."""
        try:
            answer = await self._agent.ask(ReadModelsRequest(device=der), Models, _AGENT_TIMEOUT_S)
        except (AgentRefusedError, AgentUnreachableError) as error:
            raise NoAccessError(f"{der}: {error}") from error
        return ReadBack(answer.models, {})

    async def write(self, der: str, step: Step) -> Wrote:
        """See `DeviceAccess`."""
        try:
            answer = await self._agent.ask(_request(der, step), Written, _AGENT_TIMEOUT_S)
        except AgentRefusedError as error:
            return Wrote("refused", str(error))
        except AgentUnreachableError as error:
            raise NoAccessError(f"{der}: {error}") from error
        return Wrote(answer.outcome, answer.reason or "")


class DirectAccess:
    """Over Modbus, while no agent holds the buses of this site."""

    by = "over Modbus"

    def __init__(self, site: Site, buses: Buses) -> None:
        self._devices = {der.name: _device(der, buses) for der in site.der}

    async def read(self, der: str) -> ReadBack:
        """See `DeviceAccess`."""
        device = self._devices[der]
        models: list[Mapping[str, Any]] = []
        unreadable: dict[int, str] = {}
        try:
            chain = await device.discover()
        except DriverError as error:
            raise NoAccessError(f"{der}: {error}") from error
        for ref in chain.models:
            try:
                values = (await device.read_model(ref)).values.as_json()
            except DriverError as error:
                unreadable[ref.id] = str(error)
            else:
                models.append({"id": ref.id, "address": ref.address, "length": ref.length, **values})
        return ReadBack(tuple(models), unreadable)

    async def write(self, der: str, step: Step) -> Wrote:
        """See `DeviceAccess`."""
        try:
            result = await _carry_out(self._devices[der], step)
        except DriverError as error:
            raise NoAccessError(f"{der}: {error}") from error
        return Wrote(result.outcome.value, result.reason)


@asynccontextmanager
async def open_access(site_file: Path, site: Site) -> AsyncIterator[DeviceAccess]:
    """The agent of this site file when it runs; its devices themselves when it does not."""
    client = AgentClient(socket_path(site_file))
    try:
        agent = await client.__aenter__()
    except AgentUnreachableError:
        buses = Buses()
        try:
            yield DirectAccess(site, buses)
        finally:
            buses.close()
        return
    try:
        yield AgentAccess(agent)
    finally:
        await client.__aexit__(None, None, None)


def _device(der: Der, buses: Buses) -> SunSpecDevice:
    uri = ModbusUri.parse(der.uri)
    bus = buses.open(uri, timeout_s=max(_TIMEOUT_S, der.timeout_s), retries=_RETRIES)
    return SunSpecDevice(bus, uri.unit_or_1)


def _request(der: str, step: Step) -> WritePointsRequest | AdoptCurveRequest:
    if isinstance(step, PlainWrite):
        return WritePointsRequest(device=der, model=step.model, values=dict(step.values))
    return AdoptCurveRequest(
        device=der,
        model=cast("Literal[705, 706]", step.model),
        points=step.points,
        settings=dict(step.settings),
        enable=step.enable,
    )


async def _carry_out(device: SunSpecDevice, step: Step) -> WriteResult:
    if isinstance(step, PlainWrite):
        return await device.write_points(step.model, step.values)
    return await adopt_curve(
        device, step.model, _named(step), settings=step.settings, enable=step.enable or None
    )


def _named(curve: CurveWrite) -> list[dict[str, float]]:
    ordinate = _ORDINATE[curve.model]
    return [{"V": volts, ordinate: amount} for volts, amount in curve.points]
