"""Incidents for the evidence tests, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from contract.records import Capture, CapturedElement, CaptureMark, scan_line
from edge.evidence.incident import Incident

AT = datetime(2026, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)

COLUMNS = (
    "t_s",
    "export_w",
    "export_age_s",
    "v_pu",
    "f_hz",
    "sequence",
    "target_w",
    "inverter-1 output_w",
    "inverter-1 limit_w",
    "inverter-1 commanded_w",
    "coil-2 commanded_closed",
    "coil-2 closed",
    "32 pickup_w",
    "32 dropout_w",
    "32 picked_up",
    "32 operated",
    "32 blocked",
    "tripped",
    "fallback",
)


def row(t_s: float, **changes: float | None) -> tuple[float | None, ...]:
    """A row at `t_s`; `changes` name columns with `_` for blank and dash."""
    values: dict[str, float | None] = dict.fromkeys(COLUMNS, 0.0)
    values |= {"t_s": t_s, "export_w": 24_900.5, "v_pu": 1.0, "f_hz": 60.01, "coil-2 closed": 1.0}
    values |= {"32 pickup_w": 25_000.0, "32 dropout_w": 24_500.0}
    for name, value in changes.items():
        column = next(one for one in COLUMNS if one.replace(" ", "_").replace("-", "_") == name)
        values[column] = value
    return tuple(values[column] for column in COLUMNS)


def capture(columns: Sequence[str], rows: Sequence[Sequence[float | None]], **others: Any) -> Capture:
    """A capture of rows of numbers."""
    return Capture(columns=tuple(columns), scans=tuple(map(scan_line, rows)), **others)


def trip() -> Capture:
    """A pickup, a trip, and a meter that is not seen for one scan; scans at uneven times."""
    return capture(
        COLUMNS,
        (
            row(-0.4213),
            row(-0.2, export_w=-1_250.0),
            row(0.0, export_w=61_000.0, **{"32_picked_up": 1.0}),
            row(0.0113, export_w=None, export_age_s=None, coil_2_closed=None),
            row(1.25, export_w=60_000.25, **{"32_operated": 1.0}, tripped=1.0, coil_2_closed=0.0),
            row(30.0, export_w=0.0, tripped=1.0, coil_2_closed=0.0),
        ),
        limit_w=25_000.0,
        nominal_v=277.0,
        nominal_hz=60.0,
        elements=(CapturedElement(name="32", pickup_w=25_000.0, dropout_w=24_500.0, delay_s=1.25),),
        marks=(
            CaptureMark(t_s=0.0, type="pickup", detail="element 32 picked up"),
            CaptureMark(t_s=1.25, type="trip", detail="target 32"),
        ),
    )


def incident(of: Capture | None = None, **changes: Any) -> Incident:
    """The incident of a capture, `trip()` when left out."""
    given: dict[str, Any] = {
        "seq": 17,
        "gateway": "demo-site",
        "station": "Demo site",
        "detail": "pickup: element 32 picked up, and 1 more",
        "at": AT,
        "time_quality": "synchronised",
        "mono_s": 1234.5,
        "boot": "b" * 8,
        "capture": trip() if of is None else of,
    }
    return Incident(**(given | changes))


def of_values(values: Sequence[float | None], column: str = "export_w") -> Incident:
    """An incident of one series, a scan each 0.1 s."""
    rows = tuple((round(0.1 * number, 4), value) for number, value in enumerate(values))
    return incident(capture(("t_s", column), rows))
