"""The scan: freeze an image, run the step, hand out the commands, feed what waits for a complete scan."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeAlias

from edge.agent import safe
from edge.agent.notify import Notifier
from edge.agent.overrides import Overrides
from edge.agent.plant import Plant
from edge.agent.requests import Wish
from edge.agent.scan_clock import ScanClock
from edge.agent.scanned import Scanned
from edge.agent.tell import Happening, Tell
from edge.model.commands import Commands, Reasons
from edge.model.durable import Durable
from edge.model.image import Image
from edge.model.site import Site
from edge.step import Settings, State, start, step, view

Step: TypeAlias = Callable[[Image, Settings, State, float], tuple[State, Commands, Reasons]]

UNKEPT_S = 2.0
"""The disk may be behind the protective state for this long before contacts are no longer held."""

GIVE_UP_AFTER = 3
"""Failures of the step in a row; then the agent ends, and what stands behind it takes over."""


class StepFailedError(Exception):
    """The step fails again and again."""


class Scanner:
    """Runs the scans of one site. A scan is one synchronous piece: what arrives during it waits for the next."""

    def __init__(
        self,
        site: Site,
        settings: Settings,
        durable: Durable,
        plant: Plant,
        overrides: Overrides,
        wish: Wish,
        notifier: Notifier,
        tell: Tell,
        after: Callable[[Scanned], None],
        keep: Callable[[Durable], float],
        run_step: Step = step,
    ) -> None:
        self.clock = ScanClock(site.control.scan_s)
        self.new_sample = asyncio.Event()
        self._site = site
        self._settings = settings
        self._plant = plant
        self._overrides = overrides
        self._wish = wish
        self._notifier = notifier
        self._tell = tell
        self._after = after
        self._keep = keep
        self._holding = False
        self._step = run_step
        self._failures = 0
        self._number = 0
        now_s = time.monotonic()
        self._state = start(settings, durable, now_s)
        self.last = Scanned(
            now_s,
            plant.image(0, now_s, (), reset=False),
            safe.before_scans(site, durable),
            Reasons(()),
            view(self._state, settings, now_s),
            new_sample=False,
        )

    @property
    def durable(self) -> Durable:
        """What must survive, as of the last scan."""
        return self._state.durable

    async def run(self) -> None:
        """Scan at each new sample, and at the latest when the period is over.

        Raises:
            StepFailedError: The step failed several times in a row.
        """
        while True:
            try:
                async with asyncio.timeout(self.clock.due_s(time.monotonic())):
                    await self.new_sample.wait()
            except TimeoutError:
                pass
            self.new_sample.clear()
            self.scan()

    def scan(self) -> None:
        """One scan."""
        now_s = time.monotonic()
        self._number += 1
        overrides = self._overrides.in_force(now_s)
        image = self._plant.image(self._number, now_s, overrides, reset=self._wish.reset)
        self._wish.reset = False
        try:
            state, commands, reasons = self._step(image, self._settings, self._state, now_s)
        except Exception as error:  # noqa: BLE001 - whatever fails in there, the site must not run on open-ended
            self._failed(error, now_s)
            return
        self._failures = 0
        self._state = state
        self._plant.command(commands)
        unkept_s = self._keep(state.durable)
        if self.clock.done(now_s, time.monotonic()):
            self._feed(commands, unkept_s)
            self._notifier.on_time()
        shown = view(state, self._settings, now_s)
        is_new = image.pcc.sequence != self.last.image.pcc.sequence
        self.last = Scanned(now_s, image, commands, reasons, shown, new_sample=is_new)
        self._after(self.last)

    def _feed(self, commands: Commands, unkept_s: float) -> None:
        """Close only what a power loss could not close by mistake: the state is on the disk, or was just now."""
        if unkept_s <= (UNKEPT_S if self._holding else 0.0):
            self._plant.feed(commands)
            self._holding = any(output.closed for output in commands.outputs)
        else:
            self._holding = False

    def _failed(self, error: Exception, now_s: float) -> None:
        """Nothing is fed, every DER gets its safe share."""
        self._failures += 1
        self._plant.command(safe.on_failure(self._site, self.last.commands))
        self._tell(
            Happening("alarm", now_s, f"the control step failed, safe limits are commanded: {error!r}")
        )
        self.clock.missed(now_s)
        if self._failures >= GIVE_UP_AFTER:
            raise StepFailedError(f"the control step failed {self._failures} times in a row: {error!r}")
