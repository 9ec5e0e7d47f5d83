"""Runs of scenarios: deterministic, judged as told, and every shipped one comes out as it says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.sim import app
from edge.model.strict_toml import load
from edge.step import UnfitError
from sim.run import Finding, Run, run
from sim.scenario import Scenario, load_scenario, scenario_names
from sim.simfile import SimFile

SHORT = """
name = "short"
shows = "A load drop."
duration_s = 24.0
judged_from_s = 12.0
site = "five"

[[event]]
at_s = 15.0
load_step_w = -36_000.0

[expect]
trips = 0
"""


def short(expect: str = "trips = 0", more: str = "") -> Scenario:
    return load(Scenario, SHORT.replace("trips = 0", expect) + more, "short.toml")


@pytest.fixture(scope="module")
def drop() -> Run:
    return run(short())


@pytest.mark.parametrize("name", scenario_names())
def test_a_shipped_scenario_comes_out_as_it_says(name: str) -> None:
    done = run(load_scenario(name))
    missed = [finding for finding in done.findings if not finding.held]
    assert done.verdict in {"held", "known failure"}, missed


def test_two_runs_of_a_seed_are_equal_byte_for_byte(drop: Run) -> None:
    again, other = run(short()), run(short(), seed=2)
    assert again.events == drop.events
    assert again.writes == drop.writes
    assert again.modes == drop.modes
    assert again.metrics == drop.metrics
    for name in ("t_s", "export_w", "host_load_w", "inverter_w", "available_w", "coil_closed"):
        assert np.array_equal(getattr(again.truth, name), getattr(drop.truth, name))
    assert not np.array_equal(other.truth.export_w, drop.truth.export_w)
    assert not np.array_equal(other.truth.host_load_w, drop.truth.host_load_w), "its noise is drawn anew"
    assert other.seed == 2


def test_faults_that_strike_at_random_are_drawn_from_the_seed() -> None:
    struck = '\n[[fault]]\nkind = "silence"\ntarget = "meter"\nat_s = 5.0\nrate = 0.4\n'
    first, again, other = (run(short(more=struck), seed=seed) for seed in (1, 1, 3))
    assert np.array_equal(first.truth.export_w, again.truth.export_w)
    assert first.writes == again.writes
    assert first.writes != other.writes


def test_progress_goes_from_start_to_end() -> None:
    parts: list[float] = []
    run(short(), progress=parts.append)
    assert len(parts) == 24
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


def found(expect: str) -> dict[str, Finding]:
    return {finding.key: finding for finding in run(short(expect)).findings}


def test_a_span_with_nothing_in_it_shows_nothing() -> None:
    missed = found('trips = 0\n[[expect.during]]\nfrom_s = 23.99\nder = "inverter-1"\nwritten_w = 20_000.0')
    assert missed["during[0].written_w"].got == "there was nothing to measure"
    assert not missed["during[0].written_w"].held


def test_each_expectation_can_be_missed() -> None:
    missed = found(
        """
trips = 1
fallbacks = { least = 1 }
excursions = 0
longest_excursion_s = 0.1
peak_over_w = 1_000.0
energy_over_wh = 0.001
max_export_w = 25_000.0
response_s = 0.1
response_ratio = 0.5
undershoot_pu = { least = 0.5 }
oscillation_pu = { least = 0.5 }
harvest_pu = 1.0
mean_margin_w = 1.0
safe_after_s = 1.0
writes = 3
target = "32"
mode = "fallback"
events = { pickup = 0 }
[[expect.during]]
from_s = 14.0
until_s = 18.0
output_w = 10_000.0
export_w = { least = 24_000.0, most = 25_500.0 }
written_w = 10_000.0
contact = "open"
mode = "tripped"
[[expect.during]]
from_s = 14.0
der = "inverter-1"
output_w = 1_000.0
written_w = 1_000.0
"""
    )
    assert len(missed) == 25
    assert not [finding for finding in missed.values() if finding.held]
    assert missed["trips"] == Finding("trips", "1", 0, held=False)
    assert missed["target"].got == "no trip"
    assert missed["safe_after_s"].got == "there was nothing to measure"
    assert missed["during[0].contact"].got == "closed"
    assert missed["during[1].written_w"].wanted == "inverter-1 at most 1 kW from 14 s to the end"


def test_what_holds_is_found_to_hold() -> None:
    held = found(
        """
excursions = 1
events = { pickup = 1, dropout = 1, trip = 0 }
mode = "regulating"
[[expect.during]]
from_s = 18.0
output_w = 35_000.0
export_w = { least = 20_000.0, most = 25_500.0 }
written_w = 35_000.0
contact = "closed"
mode = "regulating"
"""
    )
    assert not [finding for finding in held.values() if not finding.held]


@pytest.mark.parametrize(
    ("expect", "reason", "verdict"),
    [
        ("trips = 0", None, "held"),
        ("trips = 1", None, "missed"),
        ("trips = 1", "a reason", "known failure"),
        ("trips = 0", "a reason", "stale"),
    ],
)
def test_a_known_failure_that_holds_is_stale(expect: str, reason: str | None, verdict: str) -> None:
    assert run(short(expect).model_copy(update={"known_failure": reason})).verdict == verdict


def test_a_site_that_the_agent_refuses_is_not_run() -> None:
    with pytest.raises(UnfitError, match="meter"):
        run(short().varied(agent={"meter": {"period_s": 2.0}}))


def test_the_events_are_the_script_whatever_the_base_says() -> None:
    sim: SimFile = load_scenario("load-drop").sim
    assert [event.at_s for event in sim.script] == [25.0, 40.0]


def command(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("expect", "more", "status"),
    [
        ("trips = 0", "", 0),
        ("trips = 1", "", 1),
        ("trips = 1", 'known_failure = "so"\n', 0),
        ("trips = 0", 'known_failure = "so"\n', 1),
        ("tripps = 0", "", 2),
    ],
)
def test_the_command_ends_with_the_verdict(tmp_path: Path, expect: str, more: str, status: int) -> None:
    path = tmp_path / "short.toml"
    path.write_text(more + SHORT.replace("trips = 0", expect), encoding="utf-8")
    assert command("run", str(path))[0] == status


def test_the_command_tells_people_what_was_missed(tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text(SHORT.replace("trips = 0", "trips = 1"), encoding="utf-8")
    said = command("run", str(path))[1]
    assert "missed  trips" in said
    assert "not everything held" in said


def test_the_command_tells_machines_everything(tmp_path: Path) -> None:
    picture = tmp_path / "run.png"
    status, said = command("run", "clock-jumps", "--seed", "4", "--json", "--plot", str(picture))
    told: Mapping[str, Any] = json.loads(said)
    assert status == 0
    assert (told["name"], told["seed"], told["verdict"]) == ("clock-jumps", 4, "held")
    assert told["metrics"]["trips"] == 0
    assert {"key", "wanted", "got", "held"} == set(told["findings"][0])
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    assert command("run", "clock-jumps", "--plot", str(tmp_path / "no" / "run.png"))[0] == 3


@pytest.mark.parametrize("name", ["run.jpg", "run", "run.svg", "run.png.gz"])
def test_a_picture_of_another_kind_is_refused_before_the_run(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(app, ["run", "no-such-scenario", "--plot", str(tmp_path / name)])
    assert done.exit_code == 2
    assert "let its name end in .png" in done.stderr


def test_the_list_breaks_no_name_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = command("list")[1].splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == list(scenario_names())


def test_the_list_names_every_scenario_and_its_lessons() -> None:
    status, said = command("list", "--json")
    listed = json.loads(said)
    assert status == 0
    assert tuple(one["name"] for one in listed) == scenario_names()
    assert {number for one in listed for number in one["lesson"]} >= {1, 2, 3, 4, 7, 15, 16, 38, 45, 46, 47}
    assert [one["name"] for one in listed if one["known_failure"]]
    assert command("list")[0] == 0
