"""What is being measured, on stderr: a bar at a terminal, elsewhere a line now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

LINE_EVERY_S = 60.0
"""Where nobody watches, so seldom does a measure say how far it is."""
REDRAW_EVERY_S = 0.5


class Shown:
    """How far the measures are. A long one calls `tell` as it likes, from any thread; not all is shown."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        # Nothing redraws by itself: a thread that draws would be in the way of what is measured.
        layout = (
            TextColumn("{task.description}", table_column=Column(min_width=14, no_wrap=True)),
            BarColumn(bar_width=20),
            TextColumn("{task.completed}/{task.total}", table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[far]}", markup=False, table_column=Column(no_wrap=True, ratio=1)),
        )
        self._console = console or Console(stderr=True)
        self._draws = self._console.is_terminal and not self._console.is_dumb_terminal
        self._bar = Progress(*layout, console=self._console, auto_refresh=False, expand=True)
        self._task = self._bar.add_task("measuring", total=0, far="")
        self._measure = "measuring"
        self._clock = clock
        self._told_s = clock()
        self._lock = threading.Lock()

    @contextmanager
    def over(self, measures: int) -> Iterator[None]:
        """While so many measures are taken."""
        self._bar.update(self._task, total=measures, completed=0)
        with self._bar:
            yield

    def begin(self, measure: str) -> None:
        """The next measure."""
        self._measure, self._told_s = measure, self._clock()
        self._bar.update(self._task, description=measure, far="", refresh=True)

    def end(self, took_s: float) -> None:
        """It was taken, or could not be."""
        self._console.print(f"{self._measure}: {took_s:.0f} s")
        self._bar.advance(self._task)

    def tell(self, far: str) -> None:
        """How far the measure is, in a few words."""
        with self._lock:
            now_s = self._clock()
            if now_s - self._told_s < (REDRAW_EVERY_S if self._draws else LINE_EVERY_S):
                return
            self._told_s = now_s
        if self._draws:
            self._bar.update(self._task, far=far, refresh=True)
        else:
            self._console.print(f"{self._measure}: {far}", highlight=False, markup=False)


SHOWN = Shown()
"""Of this process."""
