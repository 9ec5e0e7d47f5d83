"""Study files: shipped ones can be run, mistakes are told with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest
from study_files import FEEDER, write_study

from edge.model.strict_toml import FileRefusedError
from sim.study.file import study_names, study_path
from sim.study.job import Job, seeds_of
from sim.study.plan import load_plan
from sim.study.variant import variant


def refusal(path: Path) -> str:
    with pytest.raises(FileRefusedError) as refused:
        load_plan(path)
    return str(refused.value)


@pytest.mark.parametrize("name", study_names())
def test_every_site_of_a_shipped_study_can_be_built(name: str) -> None:
    plan = load_plan(study_path(name))
    assert plan.study.name == name
    for site in range(60):
        drawn = plan.study.family.drawn(plan.study.seed, site)
        variant(plan.base, drawn, seeds_of(plan.study, Job(site, 0)))


def test_there_are_studies_of_load_drops_and_of_feeders() -> None:
    assert {"load-drops", "feeder-clouds", "feeder-drops"} <= set(study_names())
    assert load_plan(study_path("load-drops")).study.sites >= 1000


def test_a_study_can_be_cut_short(tmp_path: Path) -> None:
    assert load_plan(write_study(tmp_path, sites=6), sites=2).study.sites == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seeds = 1", "seedz = 1", "tiny.toml:5: seedz: unknown key"),
        ("sites = 6\n", "", "sites: is required and missing"),
        ("sites = 6", "sites = 0", "tiny.toml:4: sites: "),
        ('"short.toml"', '"none.toml"', "none.toml: cannot be read"),
        ("limit_pu =", "limit =", "tiny.toml:9: family.limit: unknown key"),
        ("[0.1, 0.4]", "[0.1, 4.0]", "tiny.toml:9: family.limit_pu: can draw 0.1 to 4"),
        ('"scattered"', '"sometimes"', "tiny.toml:15: feeder.event: "),
        ("window_s = 60", "window_s = 59", "tiny.toml:16: feeder.window_s: "),
    ],
)
def test_mistakes_are_told_with_line_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = write_study(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert said in refusal(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "nowhere.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in refusal(tmp_path / "bad.toml")


def test_a_feeder_must_fit_its_scenario(tmp_path: Path) -> None:
    common = FEEDER.replace('"scattered"', '"common"')
    assert "feeder.from_s: leaves less than a minute" in refusal(write_study(tmp_path, feeder=common))
    long = write_study(tmp_path, feeder=FEEDER)
    scenario = tmp_path / "short.toml"
    scenario.write_text(scenario.read_text().replace("duration_s = 4.0", "duration_s = 61.0"))
    assert (
        "feeder.window_s: what from_s leaves of the scenario's 61 s must be above 0 and fit in 60 s"
        in refusal(long)
    )


def test_a_drop_needs_a_step_to_scale(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    scenario = tmp_path / "short.toml"
    text = scenario.read_text()
    scenario.write_text(
        text.replace("load_step_w = -36_000.0", "sun_pu = 0.5").replace("load_step_w", "load_w")
    )
    assert "tiny.toml:11: family.load_drop_share: the scenario has no load_step_w" in refusal(path)
