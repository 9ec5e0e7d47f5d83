"""What is kept of a phase with a limit of its own: its excursions beside those of the total, and what captures show."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from agent_site import DEMO, site_of
from recorder_tape import Tape
from rich.console import Console

from cli.picture import excursions
from edge.agent.captures import columns
from edge.agent.cumulative import thresholds
from edge.agent.tally import Sum
from edge.model.image import Override
from edge.model.site import Site

PHASE_W = 9_000.0
DAY_S = 86_400.0


def limited(keys: str = f"export_limit_phase_w = {PHASE_W}", **swaps: str) -> Site:
    instruments = "[meter.instruments]\nexpected_var = 1_000.0\nmeter_error_pct = 0.2\n\n[[der]]"
    text = DEMO.read_text(encoding="utf-8")
    text = text.replace("export_limit_w", f"{keys}\nexport_limit_w", 1).replace("[[der]]", instruments, 1)
    for old, new in swaps.items():
        assert old in text
        text = text.replace(old, new, 1)
    return site_of(text)


@pytest.fixture
def tape(tmp_path: Path) -> Iterator[Tape]:
    made = Tape(tmp_path / "spool.sqlite", site=limited())
    yield made
    made.writer.close()


def overrun(tape: Tape) -> None:
    """Phase b is above its limit for 0.4 s and by 6 kW at most; the total never is."""
    for b_w in (8_000.0, 12_000.0, 15_000.0, 8_000.0):
        tape.scan(20_000.0, phases_w=(6_000.0, b_w, 1_000.0))


def test_an_excursion_of_a_phase_is_kept_with_its_phase(tape: Tape) -> None:
    overrun(tape)
    for _ in range(160):
        tape.scan(20_000.0, phases_w=(6_000.0, 8_000.0, 6_000.0))
    assert tape.events("excursion") == []
    (found,) = tape.events("phase-excursion")
    assert (found["phase"], found["limit_w"], found["peak_w"]) == ("b", PHASE_W, 15_000.0)
    assert found["duration_s"] == pytest.approx(0.4)
    assert found["energy_wh"] == pytest.approx((3_000 + 6_000) * 0.2 / 3600)
    assert found["detail"] == "export on phase b above 9000 W for 0.4 s, at most 15000 W, 0.50 Wh"
    assert found["values"] == {"count_24h": 1.0, "count_30d": 1.0}
    (capture,) = tape.events("capture")
    assert [mark["type"] for mark in capture["capture"]["marks"]] == [
        "phase-excursion",
        "phase-excursion-end",
    ]
    assert capture["detail"] == "phase-excursion: export on phase b of 12000 W, above 9000 W"


def test_phase_and_total_are_counted_apart(tape: Tape) -> None:
    overrun(tape)
    tape.scan(40_000.0, phases_w=(20_000.0, 20_000.0, 0.0))
    tape.scan(20_000.0, phases_w=(6_000.0, 8_000.0, 6_000.0))
    found = tape.recorder.excursions()
    assert found.last_24h.count == 1
    assert {phase: sums.last_24h.count for phase, sums in found.phases.items()} == {"a": 1, "b": 2, "c": 0}
    shown = StringIO()
    Console(file=shown, width=200).print(excursions(found))
    lines = [line.strip() for line in shown.getvalue().splitlines()]
    assert lines[0].startswith("excursions  1 in 1 h (0.2 s, 0.8 Wh); 1 in 24 h")
    assert lines[2].startswith("phase b  2 in 1 h (0.6 s, 1.1 Wh); 2 in 24 h")
    assert lines[3].startswith("phase c  none in 1 h; none in 24 h")


def test_half_a_percent_of_what_is_on_the_phase_is_no_excursion(tape: Tape) -> None:
    """100 kW on three phases alike: 166.7 W."""
    for b_w, count in ((9_166.0, 0), (9_167.0, 1)):
        tape.scan(20_000.0, phases_w=(6_000.0, b_w, 1_000.0))
        assert tape.recorder.excursions().phases["b"].last_24h.count == count


def test_one_that_runs_when_the_agent_stops_is_kept(tape: Tape) -> None:
    tape.scan(20_000.0, phases_w=(0.0, 0.0, 12_000.0))
    tape.recorder.close(tape.now_s + 0.2)
    (found,) = tape.events("phase-excursion")
    assert (found["phase"], found["duration_s"]) == ("c", pytest.approx(0.2))


def test_too_much_in_sum_on_a_phase_is_an_alarm_of_that_phase(tape: Tape) -> None:
    tape.tallies.of("b").add(Sum(1, 60.0, 1.0), tape.recorder._wall.now_s())
    overrun(tape)
    (alarm,) = tape.alarms()
    assert alarm.startswith("export on phase b above its limit adds up to 60.2 s in an hour")


def test_the_energy_that_is_too_much_is_that_of_all_there(tape: Tape) -> None:
    """20 and 80 kW on three phases: a third of 100 kW for 30 s."""
    whole, there = thresholds(limited())[1], thresholds(limited(), "a")[1]
    assert there.most == pytest.approx(whole.most / 3)


def test_a_flood_is_one_record_with_the_limit_of_a_phase(tape: Tape) -> None:
    for _ in range(65):
        overrun(tape)
    tape.recorder.close(tape.now_s)
    (flood,) = (one for one in tape.events("phase-excursion") if one["count"] > 1)
    assert (flood["count"], flood["limit_w"], flood["peak_w"]) == (5, PHASE_W, 15_000.0)


@pytest.mark.parametrize(
    ("keys", "there"),
    [
        (f"export_limit_phase_w = {PHASE_W}", {"phase b export_w": 8_000.0}),
        ("export_limit_va = 26_000.0", {"export_var": None}),
        ("export_limit_phase_va = 9_000.0", {"phase c export_w": 6_000.0, "phase c export_var": None}),
    ],
)
def test_a_capture_shows_each_quantity_and_element_that_is_limited(
    tmp_path: Path, keys: str, there: dict[str, float | None]
) -> None:
    tape = Tape(tmp_path / "spool.sqlite", site=limited(keys))
    tape.scan(20_000.0, "pickup", phases_w=(6_000.0, 8_000.0, 6_000.0))
    for _ in range(160):
        tape.scan(20_000.0, phases_w=(6_000.0, 8_000.0, 6_000.0))
    (found,) = tape.events("capture")
    names, row = found["capture"]["columns"], found["capture"]["rows"][0]
    assert len(names) == len(set(names)) == len(row)
    shown = dict(zip(names, row, strict=True))
    assert {name: shown[name] for name in there} == there
    assert [f"{element['name']} operated" in names for element in found["capture"]["elements"]]


def test_a_test_lowers_the_pickup_of_the_total_alone(tape: Tape) -> None:
    tape.overrides = (Override("test", 1e12, pickup_w=5_000.0),)
    tape.scan(4_000.0, "pickup", phases_w=(1_000.0, 2_000.0, 1_000.0))
    (found,) = tape.events("pickup")
    shown = dict(zip(found["capture"]["columns"], found["capture"]["rows"][0], strict=True))
    assert (shown["32 pickup_w"], shown["32-b pickup_w"], shown["PCS-b pickup_w"]) == (
        5_000.0,
        PHASE_W,
        PHASE_W,
    )


def test_a_site_without_such_limits_has_no_such_columns() -> None:
    assert not [name for name in columns(limited("")) if name.startswith("phase") or name == "export_var"]
