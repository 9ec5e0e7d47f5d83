"""The image from 10 s before to 30 s after something happened, out of a bounded ring of rows. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

from contract.records import Capture
from edge.model.commands import Commands
from edge.model.image import Image
from edge.model.sample import Sample
from edge.model.site import Site

BEFORE_S = 10.0
AFTER_S = 30.0
_SHOW_S = 1e9
_MAX_ROWS = 4000
"""Bounds memory when a meter is far faster than any we know: 40 s at 100 Hz."""
_MAX_OPEN = 16

Row = tuple[float | None, ...]
T = TypeVar("T")


def columns(site: Site) -> tuple[str, ...]:
    """The names of a row's values, with their units."""
    ders = [f"{der.name} {what}" for der in site.der for what in ("output_w", "limit_w", "commanded_w")]
    outputs = [f"{out.name} {what}" for out in site.trip_output for what in ("commanded_closed", "closed")]
    return ("t_s", "export_w", "export_age_s", "v_pu", "f_hz", "sequence", *ders, *outputs)


def row(image: Image, commands: Commands, now_s: float) -> Row:
    """One scan as a row under `columns`."""
    limits = {limit.name: limit.limit_w for limit in commands.limits}
    closed = {output.name: output.closed for output in commands.outputs}
    export_w, export_age_s = _shown(image.pcc.export_w, now_s)
    values: list[float | None] = [now_s, export_w, export_age_s]
    values += [_shown(image.pcc.v_pu, now_s)[0], _shown(image.pcc.f_hz, now_s)[0], float(image.pcc.sequence)]
    for der in image.ders:
        values += [_shown(der.output_w, now_s)[0], _shown(der.limit_w, now_s)[0], limits.get(der.name)]
    for output in image.outputs:
        commanded = closed.get(output.name)
        values += [None if commanded is None else float(commanded), _shown(output.closed, now_s)[0]]
    return tuple(values)


def _shown(sample: Sample, now_s: float) -> tuple[float | None, float | None]:
    value, age_s, _ = sample.shown(now_s, _SHOW_S)
    return value, age_s


@dataclass(frozen=True, slots=True)
class _Open(Generic[T]):
    about: T
    at_s: float


class Captures(Generic[T]):
    """Keeps the last rows, and hands out a capture for each event once its time is over."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._rows: deque[Row] = deque(maxlen=_MAX_ROWS)
        self._open: deque[_Open[T]] = deque()

    def take(self, values: Row, now_s: float) -> list[tuple[T, Capture]]:
        """Add a row; returns what is complete now."""
        self._rows.append(values)
        while self._rows and _t(self._rows[0]) < now_s - BEFORE_S - AFTER_S:
            self._rows.popleft()
        done = []
        while self._open and now_s >= self._open[0].at_s + AFTER_S:
            ready = self._open.popleft()
            done.append((ready.about, self.around(ready.at_s)))
        return done

    def begin(self, about: T, at_s: float) -> bool:
        """Ask for a capture around `at_s`; False when too many are open already."""
        if len(self._open) >= _MAX_OPEN:
            return False
        self._open.append(_Open(about, at_s))
        return True

    def flush(self) -> list[tuple[T, Capture]]:
        """What was asked for, as far as it goes: nobody will add rows any more."""
        done = [(ready.about, self.around(ready.at_s)) for ready in self._open]
        self._open.clear()
        return done

    def around(self, at_s: float) -> Capture:
        """What is there now of the span around `at_s`."""
        rows = tuple(
            (round(_t(values) - at_s, 4), *values[1:])
            for values in self._rows
            if at_s - BEFORE_S <= _t(values) <= at_s + AFTER_S
        )
        return Capture(columns=self._names, rows=rows)


def _t(values: Row) -> float:
    return values[0] or 0.0
