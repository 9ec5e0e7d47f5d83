"""The picture of a capture: what is drawn, what is left out, and captures that have nothing to draw."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
from made_incident import COLUMNS, capture, incident, row, trip
from matplotlib.figure import Figure

from contract.records import Capture, CaptureMark
from edge.evidence import plot
from edge.evidence.labels import grouped


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Every figure that is saved."""
    figures: list[Figure] = []
    save = Figure.savefig

    def kept(figure: Figure, *arguments: object, **options: object) -> None:
        figures.append(figure)
        save(figure, *arguments, **options)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(Figure, "savefig", kept)
    return figures


def names(figure: Figure, axes: int) -> list[str]:
    return figure.axes[axes].get_legend_handles_labels()[1]


def test_what_a_person_looks_for_is_there(tmp_path: Path, drawn: list[Figure]) -> None:
    plot.draw(incident(), tmp_path / "trip.png")
    assert (tmp_path / "trip.png").read_bytes().startswith(b"\x89PNG")
    (figure,) = drawn
    assert len(figure.axes) == 8, "the whole, and a closer look"
    assert figure.axes[7].get_xlim() == (-0.4213, 2.25)
    assert names(figure, 0) == ["export limit", "32 pickup", "32 dropout", "target", "export"]
    assert names(figure, 2) == [
        "inverter-1 output",
        "inverter-1 limit commanded",
        "inverter-1 limit read back",
    ]
    lanes = [tick.get_text() for tick in figure.axes[4].get_yticklabels()]
    assert lanes[:5] == [
        "coil-2 commanded closed",
        "coil-2 closed",
        "32 picked up",
        "32 operated",
        "trip latch",
    ]
    assert "32 blocked" not in lanes
    words = [text.get_text() for text in figure.axes[6].texts]
    assert words == ["pickup: element 32 picked up", "trip: target 32"]
    assert "kW" in figure.axes[0].get_ylabel()
    assert figure.axes[6].get_xlabel() == "time from the event in s"


def test_nothing_is_drawn_where_nothing_was_known(tmp_path: Path, drawn: list[Figure]) -> None:
    plot.draw(incident(), tmp_path / "trip.png")
    export = next(line for line in drawn[0].axes[0].get_lines() if line.get_label() == "export")
    values = [float(value) for value in export.get_ydata()]  # type: ignore[arg-type,union-attr]  # an array here
    assert [math.isnan(value) for value in values] == [False, False, False, True, False, False]


def test_many_ders_are_drawn_as_their_sum(tmp_path: Path, drawn: list[Figure]) -> None:
    ders = [f"inverter-{number}" for number in range(7)]
    columns = ("t_s", *(f"{der} {what}" for der in ders for what in ("output_w", "limit_w", "commanded_w")))
    rows = ((0.0, *[10.0] * 21), (1.0, None, *[10.0] * 20))
    plot.draw(incident(capture(columns, rows)), tmp_path / "many.png")
    assert names(drawn[0], 1) == [
        "output, all 7 DERs",
        "limit commanded, all 7 DERs",
        "limit read back, all 7 DERs",
    ]
    first = drawn[0].axes[1].get_lines()[0].get_ydata()
    assert next(iter(first)) == 70.0  # type: ignore[arg-type]  # an array here


@pytest.mark.parametrize(
    "of",
    [
        capture(("t_s",), ()),
        capture(COLUMNS, ()),
        capture(COLUMNS, (row(0.0),)),
        capture(("t_s", "export_w"), ((0.0, None), (1.0, None))),
    ],
)
def test_a_capture_with_hardly_anything_is_still_a_picture(tmp_path: Path, of: Capture) -> None:
    plot.draw(incident(of, station="a $weird_ ^name", detail="x" * 300), tmp_path / "little.png")
    assert (tmp_path / "little.png").stat().st_size > 1000


def test_a_burst_of_marks_is_few_labels() -> None:
    marks = [CaptureMark(t_s=0.01 * number, type="pickup", detail="again") for number in range(200)]
    marks.append(CaptureMark(t_s=0.5, type="trip", detail="target 32"))
    labels = grouped(marks, -10.0, 30.0)
    assert [label.text for label in labels] == ["pickup ×160, trip", "pickup ×40"]
    assert grouped(trip().marks, 40.0, 50.0) == []
    (long,) = grouped([CaptureMark(t_s=0.0, type="trip", detail="x" * 99)], -1.0, 1.0)
    assert len(long.text) == 44
    assert long.text.endswith("…")


def test_labels_stay_in_their_panel_and_clear_of_each_other(tmp_path: Path, drawn: list[Figure]) -> None:
    """As wide as letters are, as close as labels may stand."""
    marks = tuple(CaptureMark(t_s=0.4 * number, type="trip", detail="W" * 60) for number in range(10))
    plot.draw(incident(trip().model_copy(update={"marks": marks})), tmp_path / "wide.png")
    (figure,) = drawn
    for panel in figure.axes[-2:]:
        boxes = [text.get_window_extent() for text in panel.texts]
        assert len(boxes) >= 3
        assert all(box.y0 >= panel.bbox.y0 and box.y1 <= panel.bbox.y1 for box in boxes)
        assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))


def test_phases_have_a_panel_of_their_own(tmp_path: Path, drawn: list[Figure]) -> None:
    """What judges a phase, or apparent power, is no line beside the total."""
    judged = ("32", "32-a", "32-b", "PCS-a", "PCS-b", "PCS-va", "PCS-a-va")
    columns: tuple[str, ...] = ("t_s", "export_w", "phase a export_w", "phase b export_w")
    columns += tuple(f"{name} {what}" for name in judged for what in ("pickup_w", "dropout_w"))
    thresholds = (25e3, 24e3, *(9e3, 8e3) * 2, *(9.5e3, 9.5e3) * 2, 26e3, 26e3, 9e3, 9e3)
    rows = ((0.0, 14e3, 8e3, 6e3, *thresholds), (1.0, 15e3, None, 6e3, *thresholds))
    plot.draw(incident(capture(columns, rows, limit_w=25e3)), tmp_path / "phases.png")
    assert names(drawn[0], 0) == ["export limit", "32 pickup", "32 dropout", "export"]
    assert names(drawn[0], 1) == [
        "32-a, 32-b pickup",
        "PCS-a, PCS-b pickup",
        "export, phase a",
        "export, phase b",
    ]
    assert drawn[0].axes[1].get_ylabel() == "PCC by phase in kW"
