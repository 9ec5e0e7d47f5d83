"""Register maps served by a real Modbus server, for the tests of drivers and of the maps of real devices."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from pymodbus.simulator.simdevice import SimAction

from drivers.sunspec.definition import definition
from drivers.sunspec.plan import Group, Point, make_plan
from drivers.uri import ModbusUri


def runs(registers: Mapping[int, int]) -> list[SimData]:
    """Registers as blocks; what lies between them answers exception 2."""
    blocks: list[tuple[int, list[int]]] = []
    for address in sorted(registers):
        if not blocks or address != blocks[-1][0] + len(blocks[-1][1]):
            blocks.append((address, []))
        blocks[-1][1].append(registers[address])
    return [SimData(start, values=words, datatype=DataType.REGISTERS) for start, words in blocks]


def device(unit: int, registers: Mapping[int, int], action: SimAction | None = None) -> SimDevice:
    """A device with one set of registers."""
    return SimDevice(unit, runs(registers), action=action)


@asynccontextmanager
async def serve(*devices: SimDevice) -> AsyncIterator[ModbusUri]:
    """Serve devices on a free port of loopback; the URI names the first one's unit."""
    server = ModbusTcpServer(list(devices), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    listener = server.transport
    assert listener is not None
    port = listener.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # an asyncio.Server
    try:
        yield ModbusUri(host="127.0.0.1", port=port, unit=devices[0].id)
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus leaves it unannotated


def chain(*models: Sequence[int], base: int = 40000, end: Sequence[int] = (0xFFFF, 0)) -> dict[int, int]:
    """Registers of a chain: the marker, the models (ID and L included) and the end."""
    words = [0x5375, 0x6E53]
    for model in models:
        words += model
    words += end
    return {base + index: word for index, word in enumerate(words)}


def model(
    model_id: int,
    raw: Mapping[str, int | str],
    counts: Mapping[str, int] | None = None,
    *,
    repeats: int = 0,
) -> list[int]:
    """A model laid out by its definition, ID and L included; what `raw` leaves out is not implemented.

    Args:
        model_id: a SunSpec model.
        raw: unscaled values by path, as in `Crv.0.Pt.1.V`.
        counts: values of its count points.
        repeats: instances of a group that fills the model to its length.
    """
    spec = definition(model_id)
    assert spec is not None
    filling = repeats * sum(group.points_size for group in spec.groups if group.count == 0)
    counted = any(group.count != 0 for group in spec.groups)
    plan = make_plan(spec, 60_000 if counted else spec.points_size - 2 + filling, counts or {})
    size = max(point.end for point in plan.root.every_point)
    given = {"ID": model_id, "L": size - 2, **(counts or {}), **raw}
    words: list[int] = []
    for path, point in paths(plan.root):
        words += _words(point, given.pop(path, None))
    assert not given, given
    return words


def paths(group: Group, prefix: str = "") -> list[tuple[str, Point]]:
    """All points with their paths, in register order."""
    found = [(prefix + name, point) for name, point in group.points.items()]
    for name, instances in group.groups.items():
        for number, instance in enumerate(instances):
            found += paths(instance, f"{prefix}{name}.{number}.")
    return found


def _words(point: Point, value: int | str | None) -> list[int]:
    size = point.spec.size
    if isinstance(value, str):
        data = value.encode().ljust(2 * size, b"\0")
    elif value is None:
        signed = point.spec.type in ("int16", "int32", "int64", "sunssf")
        zero = point.spec.type.startswith("acc") or point.spec.type in ("string", "pad", "ipaddr", "ipv6addr")
        number = 0 if zero else (1 << 16 * size - 1) if signed else (1 << 16 * size) - 1
        data = number.to_bytes(2 * size, "big")
    else:
        data = (value % (1 << 16 * size)).to_bytes(2 * size, "big")
    return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


def common(**points: int | str) -> list[int]:
    """Model 1 of 66 registers."""
    return model(1, {"Mn": "Maker", "Md": "Kind", "Vr": "1.0", "SN": "42", "DA": 1, "Pad": 0, **points})
