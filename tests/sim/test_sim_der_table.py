"""`dergate sim der`: one unit over a table, and every mistake told where it is."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.sim import app
from edge.model.strict_toml import FileRefusedError
from sim.der_table import TableRefusedError, load_unit, read_inputs, run, step_of, too_long

HEADER = "t_s,v_pu,f_hz,p_avail_pu"
SETTINGS = 'normal_category = "B"\nES_DELAY = 1\nES_RAMP_RATE = 2\n[settings]\nOV1_TRIP_T = 2\n'


def table(*rows: str, header: str = HEADER) -> list[str]:
    return [header, *rows]


class TestTable:
    def test_rows_columns_in_any_order_and_empty_lines(self) -> None:
        rows = read_inputs(
            ["f_hz, t_s,p_avail_pu,v_pu,p_limit_pu", "60,0,1,1.01,", "", "60,1,0.9,1,0.5"], "x"
        )
        assert [(row.t_s, row.v_pu, row.f_hz, row.p_avail_pu, row.p_limit_pu) for row in rows] == [
            (0.0, 1.01, 60.0, 1.0, None),
            (1.0, 1.0, 60.0, 0.9, 0.5),
        ]

    @pytest.mark.parametrize(
        ("lines", "told"),
        [
            ([], "in.csv:1: has no column 't_s'"),
            (table(header="t_s,v_pu,f_hz"), "in.csv:1: has no column 'p_avail_pu'"),
            (
                table(header=HEADER + ",p_lim"),
                "in.csv:1: has an unknown column 'p_lim'; allowed are t_s, v_pu",
            ),
            (table(header=HEADER + ",v_pu"), "in.csv:1: names twice the column 'v_pu'"),
            (table(), "in.csv: has no rows"),
            (table("0,1,60,1", "1,1,60"), "in.csv:3: has 3 cells, and the header 4"),
            (table("0,one,60,1"), "in.csv:2: column v_pu: 'one' is not a number from 0 to 3"),
            (table("0,nan,60,1"), "in.csv:2: column v_pu: 'nan'"),
            (table("0,1,inf,1"), "in.csv:2: column f_hz: 'inf' is not a number from 0 to 120"),
            (table("0,1,60,-0.1"), "in.csv:2: column p_avail_pu: '-0.1' is not a number from 0 to 2"),
            (table("0,,60,1"), "in.csv:2: column v_pu: ''"),
            (table("0,1,60,1,1.2", header=HEADER + ",p_limit_pu"), "in.csv:2: column p_limit_pu: '1.2'"),
            (table("0,1,60,1", "0,1,60,1"), "in.csv:3: column t_s: 0 must be at least 0.001 s after"),
            (table("5,1,60,1", "4,1,60,1"), "in.csv:3: column t_s: 4 must be"),
            (table("0,1,60," + "1" * 200_000), "in.csv:2: field larger than field limit"),
        ],
    )
    def test_mistakes_are_told_with_line_column_value_and_what_is_allowed(
        self, lines: list[str], told: str
    ) -> None:
        with pytest.raises(TableRefusedError) as refused:
            read_inputs(lines, "in.csv")
        assert refused.value.problems[0].startswith(told)

    def test_all_mistakes_are_told(self) -> None:
        with pytest.raises(TableRefusedError) as refused:
            read_inputs(table("0,x,y,1", "1,1,60,1", "1,1,60,z"), "in.csv")
        assert len(refused.value.problems) == 3

    def test_storage_may_be_told_to_charge(self) -> None:
        assert read_inputs(table("0,1,60,-0.5"), "x", storage=True)[0].p_avail_pu == -0.5


class TestUnit:
    def test_labels_at_the_top_and_in_a_table(self) -> None:
        unit = load_unit(SETTINGS, "s.toml", 5_000.0)
        assert unit.nameplate_w == 5_000.0
        assert [unit.complete_settings[label] for label in ("ES_DELAY", "OV1_TRIP_T", "UV1_TRIP_T")] == [
            1,
            2,
            21,
        ]

    def test_nothing_stated_is_the_standard(self) -> None:
        assert load_unit("", "s.toml", 1.0).complete_settings["OV1_TRIP_T"] == 13.0

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("ES_DELAY = = 3", "s.toml:1: not valid TOML"),
            (
                "\nOV1_TRIP_T = 99",
                "s.toml:2: OV1_TRIP_T: OV1_TRIP_T = 99 is outside 1 to 13 s (IEEE 1547-2018 6.4.1",
            ),
            ("[settings]\nOV1_TRIP_T = 99", "s.toml:2: settings.OV1_TRIP_T: OV1_TRIP_T = 99"),
            ("\n\nOV1_TRIP_X = 9", "s.toml:3: OV1_TRIP_X: OV1_TRIP_X is not a setting of IEEE 1547-2018"),
            ("normal_category = 'C'", "s.toml:1: normal_category: "),
            ("deadtime_s = 3", "s.toml:1: deadtime_s: unknown key; did you mean 'dead_time_s'"),
            ("nameplate_w = 3.0", "s.toml:1: nameplate_w: is the rating"),
            ("NP_P_MAX = 5", "s.toml:1: NP_P_MAX: NP_P_MAX is a rating: nameplate_w, va_rating_pu"),
            ("ES_DELAY = 3\n[settings]\nES_DELAY = 3", "s.toml:1: ES_DELAY: is in [settings] too"),
            ("settings = 3", "s.toml:1: settings: "),
            ("kind = 'storage'", "s.toml: kind = 'storage' and a storage table go together"),
        ],
    )
    def test_mistakes_are_told_with_file_line_and_key(self, text: str, told: str) -> None:
        with pytest.raises(FileRefusedError) as refused:
            load_unit(text, "s.toml", 1.0)
        assert refused.value.problems[0].startswith(told)


class TestRun:
    def rows(self, times: list[float], v_pu: float = 1.0) -> list[str]:
        return table(*(f"{t_s:.6f},{v_pu},60,0.8" for t_s in times))

    def test_it_is_settled_at_the_first_row(self) -> None:
        unit = load_unit("QV_MODE_ENABLE = true", "s", 1e4)
        first = next(run(unit, read_inputs(self.rows([0.0], 1.05), "x"), 0.1))
        assert (first.p_pu, first.q_pu) == pytest.approx((0.8, -0.22 * 1.1))

    @pytest.mark.parametrize(
        ("times", "step_s"), [([0, 0.02, 0.04], 0.02), ([0, 1, 3], 0.1), ([0, 0.25, 1], 0.25 / 3)]
    )
    def test_the_step_is_the_rows_or_a_part_of_it(self, times: list[float], step_s: float) -> None:
        assert step_of(read_inputs(self.rows(times), "x")) == pytest.approx(step_s)

    @pytest.mark.parametrize(("end_s", "refused"), [(5e6, False), (5.1e6, True), (1e11, True)])
    def test_a_table_that_nobody_would_wait_for_is_refused(self, end_s: float, refused: bool) -> None:
        rows = read_inputs(table("0,1,60,1", f"{end_s:.0f},1,60,1"), "x")
        assert (too_long(rows, 0.1) is not None) is refused

    def test_uneven_rows_come_to_the_same_at_the_same_times(self) -> None:
        """A trip by OV1 after 2 s, and enter service, seen at every step and at a few odd ones."""
        unit = load_unit(SETTINGS, "s", 1e4)

        def v_pu(t_s: float) -> float:
            return 1.12 if 0.995 <= t_s < 3.495 else 1.0

        even = [index * 0.05 for index in range(200)]
        odd = [
            t_s
            for index, t_s in enumerate(even)
            if index < 2 or v_pu(t_s) != v_pu(t_s - 0.05) or index % 7 == 3
        ]
        lines = [table(*(f"{t_s:.6f},{v_pu(t_s)},60,0.8" for t_s in times)) for times in (even, odd)]
        outputs = [list(run(unit, read_inputs(each, "x"), 0.05)) for each in lines]
        by_time = {round(row.t_s, 6): row for row in outputs[0]}
        assert len({row.status for row in outputs[1]}) >= 4
        assert outputs[1] == [by_time[round(row.t_s, 6)] for row in outputs[1]]

    def test_a_little_unevenness_of_clocks_does_not_add_up(self) -> None:
        times = [index * 0.1 + 0.003 * (-1) ** index for index in range(500)]
        rows = read_inputs(self.rows(times, 1.12), "x")
        statuses = [row.status.name for row in run(load_unit(SETTINGS, "s", 1e4), rows, 0.1)]
        assert statuses.index("TRIP") in {19, 20}

    def test_a_row_without_a_limit_has_that_of_the_settings(self) -> None:
        unit = load_unit(
            "AP_LIMIT_ENABLE = true\nAP_LIMIT = 0.4\nmoves = 'limit'\nslope_pct_s = 1e6", "s", 1e4
        )
        rows = table("0,1,60,0.9,", "1,1,60,0.9,0.6", "2,1,60,0.9,", header=HEADER + ",p_limit_pu")
        shown = [row.p_pu for row in run(unit, read_inputs(rows, "x"), 0.1)]
        assert shown[0] == pytest.approx(0.4)
        later = table("0,1,60,0.9,0.6", "5,1,60,0.9,", "9,1,60,0.9,", header=HEADER + ",p_limit_pu")
        assert [row.p_pu for row in run(unit, read_inputs(later, "x"), 0.1)][-1] == pytest.approx(0.4)

    def test_storage_follows_its_demand_and_limit(self) -> None:
        text = "kind = 'storage'\ndead_time_s = 0\nslope_pct_s = 1e6\nstorage = { capacity_wh = 1e4 }\n"
        rows = read_inputs(
            table(
                "0,1,60,-0.5,", "1,1,60,0.7,", "2,1,60,0.7,0.3", "3,1,60,0.7,", header=HEADER + ",p_limit_pu"
            ),
            "x",
            storage=True,
        )
        powers = [row.p_pu for row in run(load_unit(text, "s", 1e4), rows, 0.1)]
        assert powers == pytest.approx([-0.5, 0.7, 0.3, 0.7])


class TestCommand:
    def invoke(self, folder: Path, *more: str, lines: list[str], text: str = SETTINGS) -> tuple[int, str]:
        (folder / "s.toml").write_text(text, encoding="utf-8")
        (folder / "in.csv").write_text("\n".join(lines), encoding="utf-8")
        names = {"--settings": "s.toml", "--input": "in.csv", "--out": "out.csv"}
        options = [word for option, name in names.items() for word in (option, str(folder / name))]
        result = CliRunner().invoke(app, ["der", *options, "--rating-w", "10000", *more])
        return result.exit_code, result.output

    def test_it_writes_a_row_for_each(self, tmp_path: Path) -> None:
        lines = table(*(f"{index / 10},{1.12 if index > 10 else 1.0},60,0.8" for index in range(60)))
        assert self.invoke(tmp_path, lines=lines)[0] == 0
        with (tmp_path / "out.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["t_s", "p_pu", "q_pu", "status"]
        assert rows[0] == {"t_s": "0", "p_pu": "0.800000", "q_pu": "0.000000", "status": "continuous"}
        assert rows[11]["status"] == "momentary_cessation"
        assert rows[-1] == {"t_s": "5.9", "p_pu": "0.000000", "q_pu": "0.000000", "status": "trip"}
        assert len(rows) == 60

    def test_what_is_refused_ends_with_2(self, tmp_path: Path) -> None:
        status, told = self.invoke(tmp_path, lines=table(*["0,x,60,1"] * 30))
        assert status == 2
        assert "in.csv:2: column v_pu: 'x'" in told
        assert "and 20 more" in told
        assert self.invoke(tmp_path, lines=table("0,1,60,1"), text="OV1_TRIP_T = 99")[0] == 2

    def test_a_missing_file_and_an_output_that_cannot_be(self, tmp_path: Path) -> None:
        lines = table("0,1,60,1")
        status, told = self.invoke(tmp_path, "--input", str(tmp_path / "none.csv"), lines=lines)
        assert (status, "none.csv" in told) == (2, True)
        status, told = self.invoke(tmp_path, "--out", str(tmp_path / "no" / "out.csv"), lines=lines)
        assert (status, "cannot be written" in told) == (2, True)
