"""What `make bench` writes: the schema of its rows, how goals are judged, the calibration, the registry."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks import calibration, registry
from benchmarks.__main__ import main, table
from benchmarks.rows import Row, percentile, write

KEYS = ["measure", "value", "unit", "reference", "ratio", "goal", "passed"]


def _check_schema(results: object) -> None:
    assert isinstance(results, list)
    assert results
    for row in results:
        assert list(row) == KEYS
        assert isinstance(row["measure"], str)
        assert isinstance(row["value"], int | float | str)
        assert isinstance(row["unit"], str)
        assert row["reference"] is None or isinstance(row["reference"], str)
        assert row["ratio"] is None or isinstance(row["ratio"], int | float | str)
        assert row["goal"] is None or isinstance(row["goal"], int | float)
        assert row["passed"] is (None if row["goal"] is None else row["passed"] is True)


def test_a_goal_is_the_most_a_value_may_be() -> None:
    assert Row("m", 1.02, "x", goal=1.02).passed is True
    assert Row("m", 1.0201, "x", goal=1.02).passed is False
    assert Row("m", math.inf, "x", goal=1.02).passed is False
    assert Row("m", 5.0, "x").passed is None


def test_a_miss_is_judged_before_the_value_is_shortened(tmp_path: Path) -> None:
    write([Row("m", 150.004, "us", goal=150.0)], tmp_path / "results.json")
    (row,) = json.loads((tmp_path / "results.json").read_text())
    assert row["value"] == 150.0
    assert row["passed"] is False


def test_what_never_ended_is_valid_json(tmp_path: Path) -> None:
    write([Row("m", math.inf, "x", "never came back", math.inf, 1.5)], tmp_path / "results.json")

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    results = json.loads((tmp_path / "results.json").read_text(), parse_constant=refuse)
    _check_schema(results)
    assert results[0]["value"] == "inf"
    assert results[0]["passed"] is False


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_percentiles_are_nearest_ranks(share: float, expected: float) -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], share) == expected


def test_the_calibration_workload_is_fixed() -> None:
    assert calibration.workload(50) == calibration.workload(50)
    assert calibration.workload(50) != calibration.workload(51)


def test_the_calibration_says_what_is_assumed() -> None:
    loop, factor = calibration.measure()
    assert loop.value == calibration.loop_ms() > 0
    assert loop.unit == "ms"
    assert factor.value == pytest.approx(calibration.PI4_LOOP_MS / loop.value)
    assert "unmeasured" in (factor.reference or "")


def test_absolute_times_stand_beside_the_calibration() -> None:
    loop_ms = calibration.loop_ms()
    row = calibration.timed("m", 1000.0 * loop_ms, "us", goal=1.0)
    assert row.ratio == pytest.approx(1.0)
    assert f"{loop_ms:.1f} ms" in (row.reference or "")
    assert calibration.timed("m", 10.0, "% of a core").ratio is None


def test_every_measure_of_the_registry_can_be_loaded() -> None:
    assert next(iter(registry.MEASURES)) == "calibration"
    for name in registry.MEASURES:
        assert callable(registry.load(name))


def test_one_measure_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.json"
    assert main(["calibration"], results) == 0
    _check_schema(json.loads(results.read_text()))
    shown = capsys.readouterr()
    assert "calibration loop" in shown.out
    assert "unmeasured" in shown.out


def test_an_unknown_measure_is_bad_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["speed"], tmp_path / "results.json") == 2
    assert "'speed'" in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


def test_help_names_the_measures_and_takes_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"], tmp_path / "results.json") == 0
    assert "trip-clearing" in capsys.readouterr().out
    assert not (tmp_path / "results.json").exists()


def test_what_cannot_be_measured_is_said_and_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lost() -> list[Row]:
        raise registry.UnmeasuredError("the simulator did not start")

    monkeypatch.setattr("benchmarks.poll_cost.measure", lost)
    assert main(["calibration", "poll"], tmp_path / "results.json") == 1
    assert "poll could not be measured: the simulator did not start" in capsys.readouterr().err
    assert len(json.loads((tmp_path / "results.json").read_text())) == 2


def test_a_missed_goal_is_shown_as_missed_and_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmarks.poll_cost.measure", lambda: [Row("slow", 2.0, "x", goal=1.0)])
    assert main(["poll"], tmp_path / "results.json") == 0
    assert "missed" in capsys.readouterr().out
    assert json.loads((tmp_path / "results.json").read_text())[0]["passed"] is False


def test_the_table_holds_every_row() -> None:
    assert table([Row("a", 1.0, "x", goal=2.0), Row("b", 3.0, "s")]).row_count == 2
