"""Faults of a served site: by the plant's time and by order, on the wire and in the devices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hand_moved_site import HandMoved
from wire_bench import TcpClient, connected, read_pdu, tcp_frame

from sim.files.fault import OF_THE_GATEWAY, Fault, FaultKind
from sim.serve import SimServer, serving
from sim.served import load
from sim.simfile import DEMO, load_simfile
from sim.truthlog import read_truth
from sim.wire.tcp import TcpPort

SUNS = bytes.fromhex("5375 6e53")
WRITE_COIL = b"\x05\0\0\xff\0"


def site(*faults: dict[str, Any]) -> HandMoved:
    made = [Fault.model_validate_json(json.dumps(fault)) for fault in faults]
    return HandMoved(load_simfile(DEMO), made)


@asynccontextmanager
async def client(moved: HandMoved, role: str) -> AsyncIterator[TcpClient]:
    wire = moved.server.servers[role].wire
    assert isinstance(wire, TcpPort)
    async with connected(wire) as made:
        yield made


async def answers(moved: HandMoved, role: str) -> bool:
    address, kind = (0, 1) if role == "coil-2" else (40_000, 3)
    async with client(moved, role) as asking:
        heard = await asking.ask(tcp_frame(read_pdu(address, 2, kind)), 0.1, size=10)
        return bool(heard) and heard[7] == kind


async def test_a_fault_begins_and_ends_by_the_plants_time() -> None:
    async with site({"kind": "silence", "target": "meter", "at_s": 1.0, "for_s": 2.0}) as moved:
        for now_s, there in ((0.98, True), (1.05, False), (2.98, False), (3.05, True)):
            moved.run(now_s - moved.now_s)
            assert await answers(moved, "meter") == there
            assert await answers(moved, "inverter-1")


async def test_the_truth_tells_when_a_fault_begins_and_ends(tmp_path: Path) -> None:
    fault = Fault(kind=FaultKind.ZEROS, target="meter", at_s=0.5, for_s=0.25)
    async with serving(load_simfile(DEMO), tmp_path / "truth.csv", port_base=0, faults=[fault]) as server:
        await asyncio.sleep(1.0)
        assert server.plant.t_s > 0.9
    begun, ended = read_truth(tmp_path / "truth.csv").events
    assert (begun[1], ended[1]) == ("meter: zeros", "end of meter: zeros")
    assert ended[0] - begun[0] == pytest.approx(0.25, abs=1e-3)


async def test_a_restart_is_silence_and_then_a_device_without_its_limit() -> None:
    async with site({"kind": "reboot", "target": "inverter-1", "at_s": 3.0, "for_s": 2.0}) as moved:
        limit: dict[str, float] = {"WMaxLimPctEna": 1, "WMaxLimPct": 25.0}

        def write(device: Any) -> None:
            group = device.models[704][0]
            for name, value in limit.items():
                getattr(group, name).cvalue = value
            group.write()

        await moved.client("inverter-1", write)
        moved.run(2.9)
        assert moved.plant.fleet.power_w[0] == pytest.approx(5_000)
        async with client(moved, "inverter-1") as old:
            assert await old.ask(tcp_frame(read_pdu(40_000)), size=13)
            moved.run(1.0)
            assert moved.plant.fleet.power_w[0] == 0
            assert not await answers(moved, "inverter-1")
            moved.run(1.2)
            assert await answers(moved, "inverter-1")
            with pytest.raises(ConnectionResetError):
                await old.ask(tcp_frame(read_pdu(40_000)), size=13)
        shown = await moved.client("inverter-1", lambda device: device.models[704][0].WMaxLimPctEna.cvalue)
        assert shown == 0
        moved.run(4.0)
        assert moved.plant.fleet.power_w[0] == 0  # its enter service delay is 5 s
        moved.run(7.0)
        assert moved.plant.fleet.power_w[0] == pytest.approx(20_000, rel=1e-3)


async def test_a_restarting_trip_module_opens() -> None:
    async with site({"kind": "reboot", "target": "coil-2", "at_s": 1.0, "for_s": 0.5}) as moved:
        coil = moved.plant.coils[0]
        coil.watchdog_s = 0.0
        coil.write(closed=True)
        moved.run(0.99)
        assert coil.contact_closed
        moved.run(0.1)
        open_now = not coil.contact_closed
        assert open_now
        assert not await answers(moved, "coil-2")
        moved.run(0.5)
        assert await answers(moved, "coil-2")
        assert not coil.coil


async def test_a_welded_contact_stays_while_the_coil_says_open() -> None:
    async with site({"kind": "contact-welded", "target": "coil-2", "at_s": 1.0, "for_s": 1.0}) as moved:
        coil = moved.plant.coils[0]
        coil.watchdog_s = 1.2
        coil.write(closed=True)
        moved.run(0.4)
        assert coil.contact_closed
        moved.run(1.0)
        async with client(moved, "coil-2") as asking:
            assert (await asking.ask(tcp_frame(read_pdu(0, 1, 1)), size=10))[-1] == 0
            assert (await asking.ask(tcp_frame(read_pdu(0, 1, 2)), size=10))[-1] == 1
        moved.run(1.0)
        assert not coil.contact_closed


async def model_of(moved: HandMoved, role: str) -> int:
    async with client(moved, role) as asking:
        heard = await asking.ask(tcp_frame(read_pdu(40_070)), size=13)
        return int.from_bytes(heard[9:11], "big")


async def test_swapped_units_answer_for_each_other() -> None:
    fault = {
        "kind": "unit-swap",
        "target": "inverter-1",
        "swap_with": "inverter-2",
        "at_s": 1.0,
        "for_s": 1.0,
    }
    async with site(fault) as moved:
        for models in ((701, 103), (103, 701), (701, 103)):
            assert (await model_of(moved, "inverter-1"), await model_of(moved, "inverter-2")) == models
            moved.run(1.01)


async def test_a_reset_strikes_connections_that_stand() -> None:
    async with site({"kind": "reset", "target": "meter", "at_s": 0.5, "for_s": 0.5}) as moved:
        async with client(moved, "meter") as asking:
            assert await asking.ask(tcp_frame(read_pdu(40_000)), size=13)
            moved.run(0.51)
            with pytest.raises(ConnectionResetError):
                await asking.hear(1.0, size=1)
        moved.run(0.5)
        assert await answers(moved, "meter")


@pytest.mark.parametrize("kind", sorted(FaultKind))
async def test_every_fault_can_be_ordered_and_cleared(kind: FaultKind) -> None:
    needs: dict[FaultKind, dict[str, object]] = {
        FaultKind.LATE: {"delay_s": 1.0},
        FaultKind.SLOW: {"delay_s": 1.0},
        FaultKind.EXCEPTION: {"code": 4},
        FaultKind.UNIT_SWAP: {"swap_with": "inverter-2"},
    }
    role = "coil-2" if kind is FaultKind.CONTACT_WELDED else "inverter-1"
    async with site() as moved:
        said = moved.server.control.handle(json.dumps({"fault": kind, "role": role, **needs.get(kind, {})}))
        if kind in OF_THE_GATEWAY:
            assert "the gateway's own" in said["error"]
            return
        assert said == {"event": f"fault {kind}", "t_s": pytest.approx(0.01)}
        moved.run(0.1)
        assert moved.server.control.handle('{"fault": "clear"}')["event"] == "fault clear"
        moved.run(0.1)
        assert await answers(moved, role)
        assert all(not place.station.faults for place in moved.server.servers.values())
        if role != "coil-2":
            assert await model_of(moved, "inverter-1") == 701


async def test_an_ordered_fault_may_end_by_itself() -> None:
    async with site() as moved:
        moved.run(5.0)
        said = moved.server.control.handle('{"fault": "silence", "role": "inverter-2", "for_s": 1.0}')
        assert said["t_s"] == pytest.approx(5.01)
        moved.run(0.98)
        assert not await answers(moved, "inverter-2")
        moved.run(0.04)
        assert await answers(moved, "inverter-2")


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({"fault": "late", "role": "meter"}, "a late needs delay_s"),
        ({"fault": "silence", "role": "meter", "code": 4}, "a silence takes no code"),
        ({"fault": "silence"}, "role: silence needs the role of a device; there are meter, inverter-1,"),
        ({"fault": "silence", "role": "nobody"}, "role: no device is called 'nobody'; there are meter, inv"),
        (
            {"fault": "unit-swap", "role": "meter", "swap_with": "nobody"},
            "swap_with: no device is called 'nobody'; there are meter, inverter-1, inverter-2, coil-2",
        ),
        ({"fault": "unit-swap", "role": "meter", "swap_with": "meter"}, "a unit-swap needs two devices"),
        (
            {"fault": "contact-welded", "role": "meter"},
            "role: 'meter' can have no contact-welded, only a coil",
        ),
        ({"fault": "write-refused", "role": "meter"}, "role: 'meter' can have no write-refused, only an inv"),
        ({"fault": "write-ignored", "role": "meter"}, "only an inverter or a coil can"),
        ({"fault": "silnce", "role": "meter"}, "fault: no such fault; did you mean 'silence'?"),
        ({"fault": "xyz", "role": "meter"}, "fault: no such fault; there are meter-loss, inverter-loss"),
        ({"lod_w": 1.0}, "lod_w: unknown key; did you mean 'load_w'?"),
        ({"load_w": -5.0}, "load_w: should be greater than or equal to 0"),
        ([1], 'an order is one line of JSON like {"load_w": 12000}'),
        ({"fault": "zeros", "role": "meter", "rate": 1.5}, "less than or equal to 1"),
        ({"fault": "exception", "role": "meter", "code": 9}, "1, 2, 3"),
        ({"fault": "zeros", "role": "meter", "for_s": 0}, "greater than 0"),
    ],
)
async def test_orders_that_make_no_sense_are_told(order: object, said: str) -> None:
    async with site() as moved:
        assert said in moved.server.control.handle(json.dumps(order))["error"]
        assert all(not place.station.faults for place in moved.server.servers.values())


async def test_a_line_that_is_no_json_is_told_in_a_sentence() -> None:
    async with site() as moved:
        said = moved.server.control.handle("load_w 12000")
        assert said == {"error": 'an order is one line of JSON like {"load_w": 12000}'}


def test_a_scenario_is_served_with_its_faults_and_says_what_it_cannot_serve() -> None:
    to_serve = load("clock-jumps")
    assert to_serve.unserved()
    server = SimServer(to_serve.sim, port_base=0, faults=to_serve.faults, unserved=to_serve.unserved())
    assert server.ready()["unserved"] == list(to_serve.unserved())
    assert "not served, the gateway's own: clock-jump at" in server.describe()
    silent = load("bad-wire")
    assert silent.faults
    assert not silent.unserved()
    assert "unserved" not in SimServer(silent.sim, port_base=0, faults=silent.faults).ready()


def test_what_people_ask_of_the_agent_is_not_served() -> None:
    asked = load("restart-does-not-clear-a-trip")
    told = asked.unserved()
    assert (
        sum("reset by hand at" in each for each in told) == len([ask for ask in asked.asks if ask.reset]) > 0
    )
    assert len(told) == len(asked.asks) + len(
        [fault for fault in asked.faults if fault.kind in OF_THE_GATEWAY]
    )
    assert load("remote-curtailment").unserved()


async def test_sentinels_are_those_of_each_point_and_the_chain_stays() -> None:
    async with site({"kind": "sentinel", "target": "meter", "at_s": 0.5}) as moved:
        moved.run(1.0)

        def shown(device: Any) -> tuple[list[int], list[Any]]:
            model = device.models[203][0]
            return [each.model_id for each in device.model_list], [
                getattr(model, name).value for name in ("W", "Hz", "PhV", "W_SF", "TotWhExp")
            ]

        models, (watts, hz, volts, scale, energy) = await moved.client("meter", shown)
    assert models == [1, 203]
    assert (watts, hz, volts, energy) == (None, None, None, None)
    assert scale is not None


async def test_a_frozen_measurement_leaves_the_limit_to_be_written_and_read() -> None:
    async with site({"kind": "measurement-frozen", "target": "inverter-1", "at_s": 0.5}) as moved:
        moved.run(1.0)

        def limited(device: Any) -> tuple[float, float, float]:
            device.DERMeasureAC[0].read()
            before_w = device.DERMeasureAC[0].W.cvalue
            control = device.DERCtlAC[0]
            control.WMaxLimPct.cvalue, control.WMaxLimPctEna.value = 10.0, 1
            control.write()
            control.read()
            moved.run(20.0)
            device.DERMeasureAC[0].read()
            return before_w, device.DERMeasureAC[0].W.cvalue, control.WMaxLimPct.cvalue

        before_w, after_w, held_pct = await moved.client("inverter-1", limited)
        made_w = float(moved.plant.fleet.power_w[0])
    assert held_pct == 10.0
    assert before_w == after_w
    assert made_w < before_w / 2, "the limit is obeyed all the same"
