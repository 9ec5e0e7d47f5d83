"""`dergate read`: every point of every SunSpec model of a device, in real units."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import FINE, PROBLEM, REFUSED, UNREACHABLE, fail
from cli.scan import silent

if TYPE_CHECKING:
    from rich.table import Table

    from drivers.sunspec.device import SunSpecDevice
    from drivers.sunspec.discovery import ModelRef
    from drivers.uri import ModbusUri


def read(
    uri: Annotated[
        str,
        typer.Argument(metavar="URI", help="tcp://host:port?unit=1 or rtu:///dev/ttyUSB0?baud=9600&unit=1"),
    ],
    model: Annotated[int | None, typer.Option(min=1, max=65_534, help="Only this model.")] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0.05, max=60, help="Seconds for each request.")
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read a SunSpec device: all models in the order of its chain, or one."""
    from drivers.errors import DriverError, UriError
    from drivers.uri import ModbusUri

    try:
        parsed = ModbusUri.parse(uri)
        models, warnings = asyncio.run(_read(parsed, model, timeout_s))
    except UriError as error:
        fail(REFUSED, str(error))
    except DriverError as error:
        fail(UNREACHABLE if silent(error) else PROBLEM, str(error))
    if model is not None and not models:
        fail(PROBLEM, f"{parsed} has no model {model}")
    if as_json:
        sys.stdout.write(json.dumps({"models": models, "warnings": warnings}) + "\n")
    else:
        _show(models)
    for warning in warnings:
        sys.stderr.write(f"warning: {warning}\n")
    raise typer.Exit(FINE)


async def _read(
    uri: ModbusUri, model: int | None, timeout_s: float
) -> tuple[list[dict[str, Any]], list[str]]:
    from drivers.bus import Bus
    from drivers.sunspec.device import SunSpecDevice

    bus = Bus(uri, timeout_s=timeout_s, retries=1)
    device = SunSpecDevice(bus, uri.unit_or_1)
    try:
        chain = await device.discover()
        warnings = list(chain.warnings)
        wanted = [ref for ref in chain.models if model in (None, ref.id)]
        return [await _model(device, ref, warnings) for ref in wanted], warnings
    finally:
        bus.close()


async def _model(device: SunSpecDevice, ref: ModelRef, warnings: list[str]) -> dict[str, Any]:
    """One model; when it cannot be read, what its header says, and a warning."""
    from drivers.errors import DriverError

    where = {"id": ref.id, "address": ref.address, "length": ref.length}
    try:
        found = await device.read_model(ref)
    except DriverError as error:
        warnings.append(f"model {ref.id} at {ref.address} could not be read: {error}")
        return {**where, "points": {"ID": ref.id, "L": ref.length}, "groups": {}}
    warnings += [f"model {ref.id} at {ref.address}: {warning}" for warning in found.warnings]
    return {**where, **found.values.as_json()}


def _show(models: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    from drivers.sunspec.definition import model_name

    console = Console()
    for model in models:
        name = model_name(model["id"]) or "vendor's own"
        table = Table("point", "value", "unit", title=f"{model['id']} {name} at {model['address']}")
        _rows(table, model, "", _units(model["id"]))
        console.print(table)


def _rows(table: Table, group: dict[str, Any], prefix: str, units: dict[str, str]) -> None:
    for name, value in group["points"].items():
        if value is not None and name not in ("ID", "L") and not name.endswith("_SF"):
            table.add_row(prefix + name, str(value), units.get(name, ""))
    for name, instances in group["groups"].items():
        for number, instance in enumerate(instances, start=1):
            _rows(table, instance, f"{prefix}{name}[{number}].", units)


def _units(model_id: int) -> dict[str, str]:
    from drivers.sunspec.definition import definition

    spec = definition(model_id)
    groups = () if spec is None else spec.walk()
    return {point.name: point.units for group in groups for point in group.points if point.units}
