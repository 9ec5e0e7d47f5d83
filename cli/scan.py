"""`dergate scan`: which SunSpec devices answer at an address, and what they hold."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import FINE, PROBLEM, REFUSED, UNREACHABLE, fail

if TYPE_CHECKING:
    from drivers.bus import Buses
    from drivers.errors import DriverError
    from drivers.sunspec.device import SunSpecDevice
    from drivers.sunspec.discovery import ModelRef
    from drivers.uri import ModbusUri


def scan(
    uris: Annotated[
        list[str],
        typer.Argument(
            metavar="URI...", help="tcp://host:port?unit=1 or rtu:///dev/ttyUSB0?baud=9600&unit=1"
        ),
    ],
    units: Annotated[
        str | None, typer.Option(help="Unit ids to try where the URI names none, as in 1-10 or 1,126.")
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0.05, max=60, help="Seconds for each request.")
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find SunSpec devices and list their models."""
    from drivers.errors import UriError
    from drivers.uri import ModbusUri

    try:
        wanted = [1] if units is None else parse_units(units)
        targets = [(uri, wanted if uri.unit is None else [uri.unit]) for uri in map(ModbusUri.parse, uris)]
    except UriError as error:
        fail(REFUSED, str(error))
    devices, status, troubles = asyncio.run(_scan(targets, timeout_s))
    if as_json:
        sys.stdout.write(json.dumps({"devices": devices}) + "\n")
    elif devices:
        _show(devices)
    for trouble in troubles:
        sys.stderr.write(trouble + "\n")
    raise typer.Exit(status)


def parse_units(text: str) -> list[int]:
    """Unit ids from `1-10` or `1,126`.

    Raises:
        UriError: it cannot be read.
    """
    from drivers.errors import UriError

    found: list[int] = []
    for part in text.split(","):
        low, dash, high = part.partition("-")
        ends = [low, high if dash else low]
        if not all(end.isascii() and end.isdigit() and int(end) <= 255 for end in ends):
            raise UriError(f"--units {text!r} must name unit ids from 0 to 255, as in 1-10 or 1,126")
        found += range(int(ends[0]), int(ends[1]) + 1)
    if not found:
        raise UriError(f"--units {text!r} names no unit id")
    return found


def silent(error: DriverError) -> bool:
    """Whether an error means that the device does not answer, rather than that it answers oddly."""
    from drivers.errors import ModbusException, Timeout, Unreachable

    gateway = isinstance(error, ModbusException) and error.code in (10, 11)
    return gateway or isinstance(error, (Timeout, Unreachable))


async def _scan(
    targets: list[tuple[ModbusUri, list[int]]], timeout_s: float
) -> tuple[list[dict[str, Any]], int, list[str]]:
    """The devices found, the worst status of any URI, and a sentence for each that gave nothing."""
    from drivers.bus import Buses

    buses = Buses()
    devices: list[dict[str, Any]] = []
    worst, troubles = FINE, []
    try:
        for uri, units in targets:
            found, status, trouble = await _scan_uri(buses, uri, units, timeout_s)
            devices += found
            worst = max(worst, status)
            troubles += [trouble] if status != FINE else []
    finally:
        buses.close()
    return devices, worst, troubles


async def _scan_uri(
    buses: Buses, uri: ModbusUri, units: list[int], timeout_s: float
) -> tuple[list[dict[str, Any]], int, str]:
    from drivers.errors import DriverError, Unreachable

    devices: list[dict[str, Any]] = []
    status, trouble = UNREACHABLE, f"{uri} does not answer"
    for unit in units:
        try:
            devices += await _devices(buses, uri.with_unit(unit), timeout_s)
        except DriverError as error:
            if not silent(error):
                status, trouble = PROBLEM, str(error)
            elif status == UNREACHABLE:
                trouble = str(error)
            if isinstance(error, Unreachable):
                break
    return devices, FINE if devices else status, trouble


async def _devices(buses: Buses, uri: ModbusUri, timeout_s: float) -> list[dict[str, Any]]:
    from drivers.sunspec.device import SunSpecDevice

    device = SunSpecDevice(buses.open(uri, timeout_s=timeout_s, retries=1), uri.unit_or_1)
    chain = await device.discover()
    return [
        {
            "unit_id": device.unit,
            "base": chain.base,
            **await _identity(device, refs, warnings := list(chain.warnings)),
            "models": [
                {"id": ref.id, "name": ref.name, "address": ref.address, "length": ref.length} for ref in refs
            ],
            "warnings": warnings,
        }
        for refs in chain.devices() or [()]
    ]


async def _identity(
    device: SunSpecDevice, refs: tuple[ModelRef, ...], warnings: list[str]
) -> dict[str, str | None]:
    from drivers.errors import DriverError
    from drivers.sunspec.definition import COMMON

    found: dict[str, str | None] = dict.fromkeys(("manufacturer", "model", "version", "serial"))
    common = next((ref for ref in refs if ref.id == COMMON), None)
    if common is None:
        return found
    try:
        identity = await device.identity(common=common)
    except DriverError as error:
        warnings.append(f"the common model could not be read: {error}")
        return found
    return {name: getattr(identity, name) or None for name in found}


def _show(devices: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for device in devices:
        who = " ".join(device[name] for name in ("manufacturer", "model", "version") if device[name])
        serial = f", serial {device['serial']}" if device["serial"] else ""
        table = Table(
            "model",
            "name",
            "address",
            "length",
            title=f"unit {device['unit_id']}: {who or 'unnamed'}{serial}",
        )
        for model in device["models"]:
            table.add_row(
                str(model["id"]),
                model["name"] or "(vendor's own)",
                str(model["address"]),
                str(model["length"]),
            )
        console.print(table)
        for warning in device["warnings"]:
            console.print(f"warning: {warning}", style="yellow", markup=False)
