"""A scenario file: what it may say, how it changes a site, and how a mistake in it is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model.strict_toml import FileRefusedError
from edge.step import Settings
from sim.base import SITES, site_names
from sim.expect import Bounds
from sim.overlay import Overlay
from sim.scenario import load_scenario, scenario_names

WHOLE = """name = "one"
shows = "Something."
duration_s = 30.0
site = "five"

[plant.load]
base_w = 1_000.0

[[plant.inverter]]
role = "inverter-2"
dead_time_s = 0.5

[[agent.der]]
name = "*"
slope_pct_per_s = 33.0

[[event]]
at_s = 10.0
load_step_w = -500.0

[[fault]]
kind = "silence"
target = "meter"
at_s = 12.0

[[ask]]
at_s = 5.0
reset = true

[expect]
trips = 0
harvest_pu = 0.9
longest_excursion_s = { least = 0.1, most = 2.0 }

[[expect.during]]
from_s = 12.0
contact = "open"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "one.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(FileRefusedError) as refused:
        load_scenario(written(folder, text))
    return "\n".join(refused.value.problems)


def test_a_file_changes_its_base_and_leaves_the_rest(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, WHOLE))
    plain = load_scenario(written(tmp_path, WHOLE.replace("base_w = 1_000.0", "").replace("0.5", "0.2")))
    assert scenario.sim.load.base_w == 1_000.0
    assert scenario.sim.load.noise_w == plain.sim.load.noise_w
    assert [unit.dead_time_s for unit in scenario.sim.inverter] == [0.2, 0.5, 0.2, 0.2, 0.2]
    assert [der.slope_pct_per_s for der in scenario.site_file.der] == [33.0] * 5
    assert scenario.sim.script == scenario.event
    assert scenario.site_file.limit_w == 25_000.0


def own_pair(folder: Path, name: str) -> None:
    for suffix in ("sim", "site"):
        text = (SITES / f"five.{suffix}.toml").read_text(encoding="utf-8")
        (folder / f"{name}.{suffix}.toml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", ["mine", "sites/mine", "../mine", "./five"])
def test_a_base_may_be_a_pair_of_ones_own(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "scenarios"
    (folder / "sites").mkdir(parents=True)
    own_pair((folder / name).parent, Path(name).name)
    sim = folder / f"{name}.sim.toml"
    sim.write_text(sim.read_text().replace("nominal_v = 480.0", "nominal_v = 400.0"), encoding="utf-8")
    path = written(folder, WHOLE.replace('"five"', f'"{name}"'))
    monkeypatch.chdir(tmp_path)
    for either in (path, path.relative_to(tmp_path)):
        scenario = load_scenario(either)
        assert scenario.sim.grid.nominal_v == 400.0
        assert scenario.sim.load.base_w == 1_000.0


def test_the_name_of_a_shipped_base_means_that_one(tmp_path: Path) -> None:
    (tmp_path / "five.sim.toml").write_text("nonsense", encoding="utf-8")
    assert load_scenario(written(tmp_path, WHOLE)).sim.grid.nominal_v == 480.0


def test_a_mistake_in_ones_own_base_is_told_with_its_file(tmp_path: Path) -> None:
    own_pair(tmp_path, "mine")
    mine = WHOLE.replace('"five"', '"mine"')
    sim = tmp_path / "mine.sim.toml"
    sim.write_text(sim.read_text().replace("nominal_v", "nominal_w"), encoding="utf-8")
    assert f"{sim}:" in refusal(tmp_path, mine)
    own_pair(tmp_path, "mine")
    (tmp_path / "mine.site.toml").unlink()
    assert f"{tmp_path / 'mine.site.toml'}: cannot be read" in refusal(tmp_path, mine)


def test_recordings_lie_beside_the_file_that_names_them(tmp_path: Path) -> None:
    sites = tmp_path / "sites"
    sites.mkdir()
    own_pair(sites, "mine")
    (sites / "sun.csv").write_text("t_s,irradiance_pu\n0,0.5\n", encoding="utf-8")
    (tmp_path / "load.csv").write_text("t_s,load_w\n0,700\n", encoding="utf-8")
    sim = sites / "mine.sim.toml"
    sim.write_text(sim.read_text() + '\n[weather]\ncsv = "sun.csv"\n', encoding="utf-8")
    text = WHOLE.replace('"five"', '"sites/mine"').replace(
        "base_w = 1_000.0", 'base_w = 1_000.0\ncsv = "load.csv"'
    )
    scenario = load_scenario(written(tmp_path, text))
    assert (scenario.sim.load.csv, scenario.sim.weather.csv) == (
        str(tmp_path / "load.csv"),
        str(sites / "sun.csv"),
    )
    (tmp_path / "load.csv").unlink()
    assert "plant.load.csv" in refusal(tmp_path, text)


def test_a_number_alone_is_a_bound_in_the_usual_sense(tmp_path: Path) -> None:
    expect = load_scenario(written(tmp_path, WHOLE)).expect
    assert expect.trips == Bounds(least=0, most=0)
    assert expect.harvest_pu == Bounds(least=0.9)
    assert expect.longest_excursion_s == Bounds(least=0.1, most=2.0)


@pytest.mark.parametrize(
    ("found", "instead", "told"),
    [
        ("duration_s", "durations_s", ":3: durations_s: unknown key; did you mean 'duration_s'?"),
        (
            "dead_time_s = 0.5",
            "ded_time_s = 0.5",
            ":11: plant.inverter[0].ded_time_s: unknown key; did you mean",
        ),
        (
            "dead_time_s = 0.5",
            "dead_time_s = -1.0",
            ":11: plant.inverter[0].dead_time_s: should be greater than",
        ),
        ("slope_pct_per_s = 33.0", "slope_pct_per_s = 0.0", ":15: agent.der[0].slope_pct_per_s: should be"),
        ("base_w = 1_000.0", "base_w = true", ":7: plant.load.base_w: should be a valid number"),
        ('target = "meter"', 'target = "metre"', ":23: fault[0].target: no device is called 'metre'"),
        (
            'kind = "silence"',
            'kind = "contact-welded"',
            ":23: fault[0].target: 'meter' can have no contact-welded",
        ),
        (
            'kind = "silence"',
            'kind = "write-ignored"',
            "fault[0].target: 'meter' can have no write-ignored, only an",
        ),
        (
            'kind = "silence"',
            'kind = "unit-swap"\nswap_with = "meter"',
            ":21: fault[0]: a unit-swap needs two devices",
        ),
        (
            'kind = "silence"',
            'kind = "unit-swap"\nswap_with = "x"',
            ":23: fault[0].swap_with: no device is called 'x'; there are meter, inverter-1, inverter-2",
        ),
        ("load_step_w", "sun_pu = 1.0\nload_step_w", ":17: event[0]: give exactly one of"),
        ("at_s = 12.0", "at_s = 30.0", ":24: fault[0].at_s: is not before the end, 30 s"),
        (
            "duration_s = 30.0",
            "duration_s = 30.0\njudged_from_s = 28.1",
            ":4: judged_from_s: leaves less than 2 s",
        ),
        ("duration_s = 30.0", "duration_s = 30.0\nseed = 100000000000000000000000000", "seed: "),
        ('site = "five"', 'site = "fife"', ":4: site: no base is called 'fife', and there is no"),
        (
            'role = "inverter-2"',
            'role = "inverter-9"',
            ":9: plant.inverter[0]: no inverter is called 'inverter-9', so it is a new one; there are inverter-1, inv",
        ),
        (
            'role = "inverter-2"',
            'role = "inverter-9"',
            ":9: plant.inverter[0].nameplate_w: is required and missing",
        ),
        (
            'role = "inverter-2"',
            "",
            ":9: plant.inverter[0]: names no inverter that it changes, so it is a new one",
        ),
        (
            '[[agent.der]]\nname = "*"',
            '[[agent.der]]\nname = "inverter9"',
            "agent.der[0]: no der is called 'inverter9', so it is a new one; there are inverter-1, inverter-2",
        ),
        ("trips = 0", "trips = { least = 2, most = 1 }", ":31: expect.trips: least is above most"),
        ("trips = 0", "trip = 0", ":31: expect.trip: unknown key; did you mean 'trips'?"),
        ('contact = "open"', "", ":35: expect.during[0]: give at least one of"),
        (
            'contact = "open"',
            'output_w = 1.0\nder = "x"',
            ":38: expect.during[0].der: no inverter is called 'x'",
        ),
        ("[expect]\n", "[expect]\nevents = { tripp = 1 }\n", ":31: expect.events"),
        ("reset = true", "reset = true\nblind = true", ":26: ask[0]: give exactly one of"),
        ('shows = "Something."\n', "", "shows: is required and missing"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_key(
    tmp_path: Path, found: str, instead: str, told: str
) -> None:
    assert found in WHOLE
    assert told in refusal(tmp_path, WHOLE.replace(found, instead, 1))


def test_a_scenario_that_expects_nothing_is_refused(tmp_path: Path) -> None:
    nothing = WHOLE[: WHOLE.index("trips")]
    assert "expects nothing shows nothing" in refusal(tmp_path, nothing)


def test_an_unknown_name_is_told_with_a_suggestion() -> None:
    with pytest.raises(FileRefusedError, match="did you mean 'load-drop'"):
        load_scenario("laod-drop")


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(FileRefusedError, match="cannot be read"):
        load_scenario("nowhere/at-all.toml")


def test_what_is_laid_over_later_wins_and_is_checked(tmp_path: Path) -> None:
    scenario = load_scenario(written(tmp_path, WHOLE))
    changed = scenario.varied(
        plant={"load": {"base_w": 7.0}, "inverter": [{"role": "inverter-2", "dead_time_s": 1.0}]},
        agent={"control": {"scan_s": 0.1}},
    )
    assert changed.sim.load.base_w == 7.0
    assert changed.sim.inverter[1].dead_time_s == 1.0
    assert changed.site_file.control.scan_s == 0.1
    assert scenario.sim.load.base_w == 1_000.0, "the scenario itself stays as it is"
    with pytest.raises(FileRefusedError, match="base_v"):
        scenario.varied(plant={"load": {"base_v": 7.0}})


def test_thirty_scenarios_or_more_are_shipped_each_named_as_its_file() -> None:
    scenarios = [load_scenario(name) for name in scenario_names()]
    assert len(scenarios) >= 30
    assert [scenario.name for scenario in scenarios] == list(scenario_names())
    assert len({scenario.shows for scenario in scenarios}) == len(scenarios)


def test_every_base_is_used_and_fit() -> None:
    scenarios = [load_scenario(name) for name in scenario_names()]
    assert set(site_names()) - {"demo"} <= {scenario.site for scenario in scenarios}
    for scenario in scenarios:
        Settings.of(scenario.site_file)


KEYS = st.sampled_from(["a", "b", "c"])
TABLES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(KEYS, st.integers(), max_size=3),
    lambda inner: st.dictionaries(KEYS, st.one_of(st.integers(), inner), max_size=3),
    max_leaves=6,
)


@given(TABLES, TABLES)
def test_laying_over_keeps_both_and_lets_the_later_win(base: dict[str, Any], changes: dict[str, Any]) -> None:
    data = Overlay(base).lay(changes, "plant").data

    def leaves(table: dict[str, Any], at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
        found: dict[tuple[str, ...], Any] = {}
        for key, value in table.items():
            found |= leaves(value, (*at, key)) if isinstance(value, dict) and value else {(*at, key): value}
        return found

    merged = leaves(data)
    for path, value in leaves(changes).items():
        if value != {}:
            assert merged[path] == value
    covered = leaves(changes)
    for path, value in leaves(base).items():
        touched = any(path[: len(other)] == other or other[: len(path)] == path for other in covered)
        assert touched or merged[path] == value


def test_lists_of_tables_match_by_role_name_or_kind() -> None:
    base = {"unit": [{"role": "a", "w": 1}, {"role": "b", "w": 2}]}
    overlay = Overlay(base).lay(
        {"unit": [{"role": "*", "v": 3}, {"role": "b", "w": 9}, {"role": "c"}]}, "plant"
    )
    assert overlay.data["unit"] == [
        {"role": "a", "w": 1, "v": 3},
        {"role": "b", "w": 9, "v": 3},
        {"role": "c"},
    ]
    assert overlay.told_as(("unit", 1, "w")) == ("plant", "unit", 1, "w")
    assert overlay.told_as(("unit", 2)) == ("plant", "unit", 2)
    assert overlay.told_as(("unit", 0, "v")) == ("plant", "unit", 0, "v")
    assert base == {"unit": [{"role": "a", "w": 1}, {"role": "b", "w": 2}]}
