"""`dergate scan` and `dergate read` as a user runs them, against served maps."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
import typer
from served_map import chain, common, device, model, serve
from typer.testing import CliRunner, Result

from cli.read import read
from cli.scan import scan

SITE = chain(
    common(SN="1"),
    model(103, {"W": 1234, "W_SF": -1}),
    [61234, 1, 7],
    common(SN="2", Md="Meter"),
    model(203, {"W": 5, "W_SF": 1}),
)
CURVE = model(
    705,
    {"V_SF": -2, "DeptRef_SF": -1, "Crv.1.Pt.0.V": 9200, "Crv.1.Pt.0.Var": -300},
    {"NPt": 2, "NCrv": 3},
)


def run(*args: str) -> Result:
    app = typer.Typer()
    app.command("scan")(scan)
    app.command("read")(read)
    return CliRunner().invoke(app, args)


async def ran(*args: str) -> Result:
    return await asyncio.to_thread(run, *args)


def told(result: Result) -> Any:
    return json.loads(result.stdout)


async def test_scan_json() -> None:
    async with serve(device(1, SITE)) as uri:
        result = await ran("scan", str(uri), "--json")
    assert result.exit_code == 0, result.stderr
    one, two = told(result)["devices"]
    assert one == {
        "unit_id": 1,
        "base": 40000,
        "manufacturer": "Maker",
        "model": "Kind",
        "version": "1.0",
        "serial": "1",
        "models": [
            {"id": 1, "name": "common", "address": 40002, "length": 66},
            {"id": 103, "name": "inverter_three_phase", "address": 40070, "length": 50},
            {"id": 61234, "name": None, "address": 40122, "length": 1},
        ],
        "warnings": [],
    }
    assert (two["serial"], [ref["id"] for ref in two["models"]]) == ("2", [1, 203])


async def test_scan_for_people() -> None:
    async with serve(device(1, SITE)) as uri:
        result = await ran("scan", str(uri))
    assert result.exit_code == 0
    assert "Maker Kind" in result.stdout
    assert "inverter_three_phase" in result.stdout


async def test_scan_of_unit_1_by_default_and_of_others_when_asked() -> None:
    async with serve(device(3, SITE), device(5, SITE)) as uri:
        plain = uri.endpoint
        alone = await ran("scan", plain, "--json")
        found = await ran("scan", plain, "--units", "1-4,5", "--json")
    assert alone.exit_code == 1
    assert told(alone) == {"devices": []}
    assert found.exit_code == 0
    assert [one["unit_id"] for one in told(found)["devices"]] == [3, 3, 5, 5]


async def test_scan_keeps_what_it_found_and_warns() -> None:
    broken = chain(common(), model(203, {}), end=[714, 93])
    async with serve(device(1, broken)) as uri:
        result = await ran("scan", str(uri), "--json")
    assert result.exit_code == 0
    assert "no end marker" in told(result)["devices"][0]["warnings"][0]


async def test_scan_with_nothing_readable_behind_the_marker() -> None:
    async with serve(device(1, {40000: 0x5375, 40001: 0x6E53})) as uri:
        result = await ran("scan", str(uri), "--json")
    assert result.exit_code == 0
    only = told(result)["devices"][0]
    assert (only["models"], only["manufacturer"]) == ([], None)
    assert only["warnings"]


@pytest.mark.parametrize("command", ["scan", "read"])
async def test_not_sunspec_is_1_with_one_sentence(command: str) -> None:
    async with serve(device(1, {40000: 0xE3DC, 40001: 0x0102})) as uri:
        result = await ran(command, str(uri), "--json")
    assert result.exit_code == 1
    assert "is not SunSpec" in result.stderr
    assert "too soon" not in result.stderr
    assert result.stderr.count("\n") == 1


async def test_zeros_may_be_those_of_a_device_that_was_asked_too_soon() -> None:
    async with serve(device(1, {40000: 0, 40001: 0})) as uri:
        result = await ran("scan", str(uri))
    assert result.exit_code == 1
    assert "zeros may mean that it was asked too soon: try again" in result.stderr


@pytest.mark.parametrize("command", ["scan", "read"])
def test_unreachable_is_3_with_one_sentence(command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        result = run(command, f"tcp://127.0.0.1:{port}")
    assert result.exit_code == 3
    told = "nothing accepts a connection, or one stands already and the device takes no other"
    assert result.stderr == f"tcp://127.0.0.1:{port} cannot be reached: {told}\n"


@pytest.mark.parametrize(
    "args",
    [
        ["scan", "http://x"],
        ["scan", "tcp://x", "--units", "1-"],
        ["scan", "tcp://x", "--units", "9-1"],
        ["scan", "tcp://x", "--units", "300"],
        ["read", "tcp://x?slave=1"],
        ["read", "tcp://x", "--model", "0"],
        ["scan"],
    ],
)
def test_bad_usage_is_2(args: list[str]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


async def test_read_json_in_chain_order() -> None:
    async with serve(device(1, SITE)) as uri:
        result = await ran("read", str(uri), "--json")
    models = told(result)["models"]
    assert [(one["id"], one["address"], one["length"]) for one in models] == [
        (1, 40002, 66),
        (103, 40070, 50),
        (61234, 40122, 1),
        (1, 40125, 66),
        (203, 40193, 105),
    ]
    points = models[1]["points"]
    assert (points["ID"], points["L"], points["W"], points["W_SF"]) == (103, 50, 123.4, -1)
    assert points["Hz"] is None
    assert models[0]["points"]["Opt"] is None
    assert models[2] == {
        "id": 61234,
        "address": 40122,
        "length": 1,
        "points": {"ID": 61234, "L": 1},
        "groups": {},
    }


async def test_read_of_one_model_with_its_groups() -> None:
    async with serve(device(1, chain(common(), CURVE, model(704, {"PF_SF": -3})))) as uri:
        curve = await ran("read", str(uri), "--model", "705", "--json")
        control = await ran("read", str(uri), "--model", "704", "--json")
        human = await ran("read", str(uri), "--model", "705")
    (only,) = told(curve)["models"]
    second = only["groups"]["Crv"][1]
    assert second["groups"]["Pt"][0] == {"points": {"V": 92.0, "Var": -30.0}, "groups": {}}
    assert len(told(control)["models"][0]["groups"]["PFWInj"]) == 1
    assert "Crv[2].Pt[1].V" in human.stdout


async def test_read_of_a_model_that_is_not_there() -> None:
    async with serve(device(1, SITE)) as uri:
        result = await ran("read", str(uri), "--model", "704")
    assert result.exit_code == 1
    assert "has no model 704" in result.stderr


async def test_read_keeps_what_it_can_when_a_model_fails() -> None:
    registers = chain(common(), model(203, {"W": 5, "W_SF": 0}))
    del registers[40100]
    async with serve(device(1, registers)) as uri:
        result = await ran("read", str(uri), "--json")
    assert result.exit_code == 0
    answer = told(result)
    assert answer["models"][0]["points"]["SN"] == "42"
    assert answer["models"][1]["points"] == {"ID": 203, "L": 105}
    assert "could not be read" in answer["warnings"][0]
