"""`dergate check --probe` at a meter that answers: what enter service would miss is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from served_map import chain, common, device, model, serve
from typer.testing import CliRunner

from cli.main import build
from sim.simfile import DEMO

SEEN = {"W": 100, "W_SF": 1, "PhV": 2771, "V_SF": -1, "Hz": 6001, "Hz_SF": -2}


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        (set(), []),
        ({"Hz"}, ["gives no frequency: the site would never enter service"]),
        ({"PhV"}, ["gives no voltage: the site would never enter service"]),
    ],
)
async def test_a_meter_without_voltage_or_frequency_is_a_problem(
    tmp_path: Path, gone: set[str], says: list[str]
) -> None:
    words = chain(common(), model(203, {name: raw for name, raw in SEEN.items() if name not in gone}))
    text = DEMO.with_name("demo.site.toml").read_text()
    for port in range(15022, 15025):
        text = text.replace(f":{port}", f":{port - 15020}")
    file = tmp_path / "site.toml"
    async with serve(device(1, words)) as uri:
        file.write_text(text.replace(":15021", f":{uri.port}"))
        arguments = ["check", str(file), "--probe", "--json"]
        result = await asyncio.to_thread(CliRunner().invoke, build(), arguments)
    told = json.loads(result.stdout)
    assert [finding["text"] for finding in told["findings"] if finding["level"] == "problem"] == says
    assert told["devices"][0]["answer"]["f_hz"] == (None if "Hz" in gone else pytest.approx(60.01))
    assert result.exit_code == (1 if says else 3)
