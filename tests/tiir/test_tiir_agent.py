"""`dergate tiir` while the agent of the site runs: through its socket, and past no guard of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.tiir import app
from contract.client import AgentClient, AgentUnreachableError, socket_path
from sim.serve import SimServer


@pytest.fixture
async def agent(site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    monkeypatch.setenv("DERGATE_RUNTIME_DIR", str(tmp_path))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli.main",
        "run",
        site,
        "--new-site",
        "--no-link",
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await _answering(Path(site), process)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _answering(site: Path, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(20):
        while process.returncode is None:
            try:
                async with AgentClient(socket_path(site)) as client:
                    if (await client.status()).scan.count > 5:
                        return
            except AgentUnreachableError:
                pass
            await asyncio.sleep(0.1)
    _, told = await process.communicate()
    pytest.fail(f"the agent did not start: {told.decode()}")


async def dergate_tiir(*args: str) -> Result:
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, args))


def inverter_one(result: Result) -> dict[str, Any]:
    ders: dict[str, dict[str, Any]] = {der["name"]: der for der in json.loads(result.stdout)["ders"]}
    return ders["inverter-1"]


@pytest.mark.live
async def test_applied_and_verified_through_the_running_agent(
    site: str, agent: None, plant: SimServer
) -> None:
    before = await dergate_tiir("verify", site)
    assert before.exit_code == 1
    assert "through the running agent" in " ".join(before.stdout.split())

    applied = await dergate_tiir("apply", site, "--json")
    assert applied.exit_code == 0, applied.stdout
    assert [step["outcome"] for step in inverter_one(applied)["written"]] == ["verified"] * 3

    after = await dergate_tiir("verify", site, "--json")
    assert after.exit_code == 0
    assert inverter_one(after)["verified"] is True
    assert bool(plant.plant.fleet.volt_var.enabled[0])
