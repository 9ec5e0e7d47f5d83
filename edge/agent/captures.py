"""The image from 10 s before to 30 s after what happened, out of a bounded ring of rows. Pure.

What happens while a capture is open is shown by the same capture, which then lasts 30 s longer than the last of
it; a minute after its first event the next event opens a new one. So every event is covered, and a burst of
them is one picture.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from contract.records import Capture, CaptureMark, scan_line
from edge.agent.scanned import Scanned
from edge.guard.settings import GuardSettings
from edge.model.image import Image, PccReading
from edge.model.sample import Sample
from edge.model.site import Site
from edge.model.view import ElementView

TESTED = frozenset({"32R", "32F", "32"})
"""Elements whose pickup a test may lower: those that look at the export of the whole site."""

BEFORE_S = 10.0
AFTER_S = 30.0
JOINED_S = 60.0
"""Events join an open capture until this long after its first one."""

_SHOW_S = 1e9
_KEPT_S = BEFORE_S + AFTER_S
_MAX_ROWS = 10_000
"""Bounds memory when a meter is far faster than any we know: the longest capture at 100 Hz."""
_MAX_MARKS = 500

Quantity = tuple[str, Callable[[PccReading], Sample]]
"""A column, and how its value is read."""

Row = tuple[float, str]
"""Monotonic time of a scan, and its other values as a line."""


def columns(site: Site) -> tuple[str, ...]:
    """The names of a row's values, with their units."""
    ders = [f"{der.name} {what}" for der in site.der for what in ("output_w", "limit_w", "commanded_w")]
    outputs = [f"{out.name} {what}" for out in site.trip_output for what in ("commanded_closed", "closed")]
    guard = GuardSettings.of(site)
    judged = (*guard.elements, guard.pcs, *(bound.element for bound in guard.bounds), *guard.further)
    whats = ("pickup_w", "dropout_w", "picked_up", "operated", "blocked")
    elements = [f"{element.name} {what}" for element in judged for what in whats]
    pcc = ("t_s", "export_w", "export_age_s", "v_pu", "f_hz", "sequence", "target_w")
    return (*pcc, *(name for name, _ in limited(site)), *ders, *outputs, *elements, "tripped", "fallback")


def row(done: Scanned, quantities: Sequence[Quantity] = ()) -> Row:
    """One scan, its values in the order of `columns` after the first; `quantities` are those of its site."""
    now_s, image, view = done.now_s, done.image, done.view
    limits = {limit.name: limit.limit_w for limit in done.commands.limits}
    closed = {output.name: output.closed for output in done.commands.outputs}
    export_w, export_age_s = _shown(image.pcc.export_w, now_s)
    values: list[float | None] = [export_w, export_age_s]
    values += [_shown(image.pcc.v_pu, now_s)[0], _shown(image.pcc.f_hz, now_s)[0]]
    values += [float(image.pcc.sequence), view.target_w]
    values += [_shown(read(image.pcc), now_s)[0] for _, read in quantities]
    for der in image.ders:
        values += [_shown(der.output_w, now_s)[0], _shown(der.limit_w, now_s)[0], limits.get(der.name)]
    for output in image.outputs:
        commanded = closed.get(output.name)
        values += [None if commanded is None else float(commanded), _shown(output.closed, now_s)[0]]
    for element in view.elements:
        values += _thresholds(element, image)
        values += [float(element.picked_up), float(element.operated), float(element.blocked)]
    values += [float(view.tripped), float(view.mode in ("fallback", "starting"))]
    return now_s, scan_line(values)


def _thresholds(element: ElementView, image: Image) -> tuple[float, float]:
    """Pickup and dropout in force: a test may have lowered those of an export element, as the guard has it."""
    asked_w = (one.pickup_w for one in image.overrides if one.pickup_w is not None)
    lowest_w = min(asked_w, default=element.pickup_w) if element.name in TESTED else element.pickup_w
    lower_w = max(0.0, element.pickup_w - lowest_w)
    return element.pickup_w - lower_w, element.dropout_w - lower_w


def limited(site: Site) -> list[Quantity]:
    """What else is limited than the active power of the whole site."""
    found: list[Quantity] = []
    for phase in site.limited_phases:
        place = "abc".index(phase)
        found.append((f"phase {phase} export_w", partial(PccReading.power_w, phase=place)))
        if site.agreement.export_limit_phase_va is not None:
            found.append((f"phase {phase} export_var", partial(PccReading.power_var, phase=place)))
    if site.limits_va:
        found.append(("export_var", partial(PccReading.power_var, phase=None)))
    return found


def _shown(sample: Sample, now_s: float) -> tuple[float | None, float | None]:
    value, age_s, _ = sample.shown(now_s, _SHOW_S)
    return value, age_s


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: monotonic time, wall time as it was known then, what."""

    at_s: float
    at: datetime
    kind: str
    detail: str


@dataclass(slots=True)
class _Open:
    marks: list[Mark]
    last_s: float

    @property
    def first_s(self) -> float:
        return self.marks[0].at_s


class Captures:
    """Keeps the last rows, and hands out captures once their time is over, each with its first mark."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._rows: deque[Row] = deque(maxlen=_MAX_ROWS)
        self._open: deque[_Open] = deque()

    def add(self, scan: Row) -> None:
        """Add a row; rows that no capture can ask for any more go."""
        self._rows.append(scan)
        needed_s = min([scan[0] - _KEPT_S, *(one.first_s - BEFORE_S for one in self._open)])
        while self._rows[0][0] < needed_s:
            self._rows.popleft()

    def cover(self, mark: Mark) -> bool:
        """See to it that a capture reaches to 30 s after `mark`; whether that opened a new one."""
        if self._joins(mark):
            one = self._open[-1]
            one.last_s = max(one.last_s, mark.at_s)
            self.note(mark)
            return False
        self.note(mark)
        self._open.append(_Open([mark], mark.at_s))
        return True

    def note(self, mark: Mark) -> None:
        """Show `mark` on the captures that reach to it, and ask for none."""
        for one in self._open:
            if mark.at_s <= one.last_s + AFTER_S and len(one.marks) < _MAX_MARKS:
                one.marks.append(mark)

    def _joins(self, mark: Mark) -> bool:
        if not self._open:
            return False
        one = self._open[-1]
        return mark.at_s <= min(one.last_s + AFTER_S, one.first_s + JOINED_S)

    def ready(self, now_s: float) -> list[tuple[Mark, Capture]]:
        """What is complete now."""
        done = []
        while self._open and now_s >= self._open[0].last_s + AFTER_S:
            done.append(self._taken(self._open.popleft()))
        return done

    def flush(self) -> list[tuple[Mark, Capture]]:
        """What was asked for, as far as it goes: nobody will add rows any more."""
        done = [self._taken(one) for one in self._open]
        self._open.clear()
        return done

    def so_far(self, mark: Mark) -> Capture | None:
        """The capture opened last, with the rows that there are now and its times counted from `mark`."""
        return self._taken(self._open[-1], mark)[1] if self._open else None

    def _taken(self, one: _Open, about: Mark | None = None) -> tuple[Mark, Capture]:
        about = about or one.marks[0]
        scans = tuple(
            f"{at_s - about.at_s:.4f},{values}"
            for at_s, values in self._rows
            if one.first_s - BEFORE_S <= at_s <= one.last_s + AFTER_S
        )
        marks = tuple(
            CaptureMark(t_s=round(mark.at_s - about.at_s, 4), type=mark.kind, detail=mark.detail)
            for mark in sorted(one.marks, key=lambda mark: mark.at_s)
        )
        # Not checked again: what is made here has its columns, and checking takes as long as reading it all.
        return about, Capture.model_construct(columns=self._names, scans=scans, marks=marks)
