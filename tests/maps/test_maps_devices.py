"""Every complete register map of a real device decodes as pysunspec2's own client decodes it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from drivers.bus import Bus
from drivers.errors import NotSunSpec
from drivers.sunspec.decode import GroupValues, decode
from drivers.sunspec.definition import definition
from drivers.sunspec.device import SunSpecDevice
from drivers.sunspec.plan import make_plan
from drivers.uri import ModbusUri

sys.path.append(str(Path(__file__).parents[1] / "drivers"))
from served_map import device, serve

pytestmark = pytest.mark.maps

FOLDER = Path(
    os.environ.get("DERGATE_DEVICE_MAPS") or Path(__file__).parents[2] / ".." / "shared/data/devices"
)
MAPS = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
COMPLETE = [name for name, data in MAPS.items() if data["complete"]]
PARTIAL = [name for name, data in MAPS.items() if not data["complete"]]

# Points that we read otherwise than pysunspec2, and why: (map, model, point). Today's maps need none; the
# differences that quirks.md asks for (strings cut at the first NUL, acc32 0x80000000 absent) are shown on
# generated maps in tests/drivers.
EXCEPTIONS: dict[tuple[str, int, str], str] = {}


def registers(name: str) -> dict[int, int]:
    return {int(address): word for address, word in MAPS[name]["registers"].items()}


def peer_models(uri: ModbusUri) -> list[Any]:
    """What pysunspec2 finds; its model_list leaves out models without a definition."""
    client = SunSpecModbusClientDeviceTCP(slave_id=uri.unit_or_1, ipaddr=uri.host, ipport=uri.port, timeout=5)
    client.scan()
    return list(client.model_list)


def differences(name: str, model: int, ours: GroupValues, peer: Any, path: str = "") -> list[str]:
    """Point by point, group by group, names included."""
    found = []
    if set(ours.points) != set(peer.points):
        found.append(f"{path}: points {set(ours.points) ^ set(peer.points)}")
    for point, theirs in peer.points.items():
        mine = ours.points.get(point)
        if mine != theirs.cvalue and (name, model, path + point) not in EXCEPTIONS:
            found.append(f"{path}{point}: ours {mine!r}, pysunspec2 {theirs.cvalue!r}")
    if set(ours.groups) != set(peer.groups):
        found.append(f"{path}: groups {set(ours.groups) ^ set(peer.groups)}")
    for group, found_there in peer.groups.items():
        instances = found_there if isinstance(found_there, list) else [found_there]
        mine_instances = ours.groups.get(group, ())
        if len(instances) != len(mine_instances):
            found.append(f"{path}{group}: {len(mine_instances)} instances, pysunspec2 {len(instances)}")
        for number, (instance, other) in enumerate(zip(mine_instances, instances, strict=False)):
            found += differences(name, model, instance, other, f"{path}{group}.{number}.")
    return found


def test_the_maps_are_there() -> None:
    assert FOLDER.is_dir(), f"{FOLDER} is absent: set DERGATE_DEVICE_MAPS to the folder of register maps"
    assert len(COMPLETE) >= 10


@pytest.mark.parametrize("name", COMPLETE)
async def test_complete_map_decodes_as_pysunspec2_does(name: str) -> None:
    async with serve(device(MAPS[name]["unit_id"], registers(name))) as uri:
        bus = Bus(uri, timeout_s=5)
        ours = SunSpecDevice(bus, uri.unit_or_1)
        chain = await ours.discover()
        reads = [await ours.read_model(ref) for ref in chain.models]
        bus.close()
        peers = await asyncio.to_thread(peer_models, uri)
    assert chain.base == MAPS[name]["base"]
    assert chain.warnings == ()
    assert [(r.ref.id, r.ref.address, r.ref.length) for r in reads] == [
        (p.model_id, p.model_addr, p.model_len) for p in peers
    ]
    wrong = [
        f"model {read.ref.id} {difference}"
        for read, peer in zip(reads, peers, strict=True)
        for difference in differences(name, read.ref.id, read.values, peer)
    ]
    assert not wrong
    values = {f"model_{read.ref.id}": read.values.points for read in reads}
    for model, points in MAPS[name]["expect"].items():
        assert {point: values[model][point] for point in points} == points


def test_every_exception_is_about_a_complete_map() -> None:
    assert {name for name, _, _ in EXCEPTIONS} <= set(COMPLETE)


@pytest.mark.parametrize("name", PARTIAL)
async def test_partial_map_warns_and_does_not_crash(name: str) -> None:
    async with serve(device(MAPS[name]["unit_id"], registers(name))) as uri:
        bus = Bus(uri, timeout_s=5)
        ours = SunSpecDevice(bus, uri.unit_or_1)
        if registers(name).get(40000) == 0x5375:
            assert (await ours.discover()).warnings
        else:
            with pytest.raises(NotSunSpec):
                await ours.discover()
        bus.close()


async def test_e3dc_in_simple_mode_is_not_sunspec() -> None:
    name = "e3dc_not_sunspec_negative"
    async with serve(device(MAPS[name]["unit_id"], registers(name))) as uri:
        bus = Bus(uri, timeout_s=5)
        with pytest.raises(NotSunSpec, match="is not SunSpec"):
            await SunSpecDevice(bus, uri.unit_or_1).discover()
        bus.close()


@pytest.mark.parametrize("name", [name for name in PARTIAL if MAPS[name]["expect"]])
def test_partial_map_holds_the_values_its_source_states(name: str) -> None:
    for model, points in MAPS[name]["expect"].items():
        model_id = int(model.removeprefix("model_"))
        values = cut_out(name, model_id)
        assert {point: values.points[point] for point in points} == points


def cut_out(name: str, model_id: int) -> GroupValues:
    """Decode one model from a map that may lack its header: the longest run of registers that can hold it."""
    spec = definition(model_id)
    assert spec is not None
    found = registers(name)
    header = next((a for a in found if found[a] == model_id and found.get(a + 1) in (65, 66, 105)), None)
    start = min(found) - 2 if header is None else header
    length = found[header + 1] if header is not None else spec.points_size - 2
    words = [model_id, length, *(found.get(start + offset, 0) for offset in range(2, length + 2))]
    return decode(make_plan(spec, length, {}), words)
