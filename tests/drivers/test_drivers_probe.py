"""`dergate check --probe` at a meter that answers: what enter service would miss is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

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
    told, status = await probed(tmp_path, {name: raw for name, raw in SEEN.items() if name not in gone})
    assert problems(told) == says
    assert told["devices"][0]["answer"]["f_hz"] == (None if "Hz" in gone else pytest.approx(60.01))
    assert status == (1 if says else 3)


LIMITED = (
    "export_limit_phase_w = 9_000.0\nexport_limit_va = 26_000.0\nexport_limit_phase_va = 12_500.0\n",
    "[meter.instruments]\nexpected_var = 5_000.0\nmeter_error_pct = 0.2\n\n",
)
BY_PHASE = {"WphA": 30, "WphB": 30, "WphC": 40, "VAR": 3, "VARphA": 1, "VARphB": 1, "VARphC": 1, "VAR_SF": 1}


@pytest.mark.parametrize("gone", [set(), {"WphB"}, {"VAR"}, {"VARphA", "WphC"}])
async def test_a_meter_that_does_not_show_what_is_limited_is_a_problem(
    tmp_path: Path, gone: set[str]
) -> None:
    names = {"WphB": "phase_b_w", "VAR": "export_var", "VARphA": "phase_a_var", "WphC": "phase_c_w"}
    shown = {name: raw for name, raw in (SEEN | BY_PHASE).items() if name not in gone}
    told, status = await probed(tmp_path, shown, *LIMITED)
    assert sorted(problems(told)) == sorted(
        f"gives no {names[name]}, which is limited: the site would stay in fallback" for name in gone
    )
    answer = told["devices"][0]["answer"]
    assert answer["phase_a_w"] == 300
    assert answer["phase_c_var"] == 10
    assert status == (1 if gone else 3)


def problems(told: dict[str, Any]) -> list[str]:
    """The text of each problem."""
    return [finding["text"] for finding in told["findings"] if finding["level"] == "problem"]


async def probed(
    tmp_path: Path, shown: dict[str, int], agreed: str = "", instruments: str = ""
) -> tuple[dict[str, Any], int]:
    """What `check --probe` says, and its exit status, where the meter alone answers."""
    words = chain(common(), model(203, shown))
    text = DEMO.with_name("demo.site.toml").read_text().replace("export_limit_w", f"{agreed}export_limit_w")
    text = text.replace("[[der]]", f"{instruments}[[der]]", 1)
    for port in range(15022, 15025):
        text = text.replace(f":{port}", f":{port - 15020}")
    file = tmp_path / "site.toml"
    async with serve(device(1, words)) as uri:
        file.write_text(text.replace(":15021", f":{uri.port}"))
        arguments = ["check", str(file), "--probe", "--json"]
        result = await asyncio.to_thread(CliRunner().invoke, build(), arguments)
    return json.loads(result.stdout), result.exit_code
