"""Wall time that never runs below the highest value ever persisted, its quality, and how long ago something was."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from contract.envelope import TimeQuality
from edge.agent.tell import Happening, Tell
from edge.spool.clock import WallClock
from edge.spool.spool import boot_id

_STEP_S = 1.0
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment on every axis: monotonic s of a boot, and wall s since 1970, which may be trusted or not."""

    mono_s: float
    wall_s: float
    boot: str
    trusted: bool

    def since(self, before: Moment) -> float:
        """How long after `before` this is, in s, and no more than is known for certain.

        Within a boot monotonic time tells, whatever was done to the wall clock. Over a boot only a wall clock that
        could be trusted at both ends does; nothing is known to have passed without one.
        """
        if self.boot == before.boot:
            return max(0.0, self.mono_s - before.mono_s)
        return max(0.0, self.wall_s - before.wall_s) if self.trusted and before.trusted else 0.0


class Wall:
    """The wall clock of one run. Order and durations use monotonic time only."""

    def __init__(self, floor_s: float = 0.0) -> None:
        self._clock = WallClock()
        self._highest_s = floor_s
        self._boot = boot_id()

    def now_s(self) -> float:
        """Seconds since 1970, UTC: the system's clock, held at the highest value seen when that runs below."""
        self._highest_s = max(self._highest_s, time.time())
        return self._highest_s

    def raise_floor(self, floor_s: float) -> None:
        """Time was at least this, says what was kept."""
        self._highest_s = max(self._highest_s, floor_s)

    def moment(self) -> Moment:
        """Now."""
        return Moment(time.monotonic(), self.now_s(), self._boot, trusted=self.quality() == "synchronised")

    def offset_s(self) -> float:
        """Wall minus monotonic."""
        return self.now_s() - time.monotonic()

    def at(self, mono_s: float) -> datetime:
        """The UTC time of a monotonic moment."""
        return datetime.fromtimestamp(mono_s + self.offset_s(), UTC)

    def quality(self) -> TimeQuality:
        """How far it can be trusted; a clock that runs below what was seen is not known at all."""
        quality = self._clock.quality()
        return "unknown" if time.time() < self._highest_s - 1.0 else quality


async def watch_wall(tell: Tell) -> None:
    """Tell for ever when somebody or something steps the wall clock."""
    offset_s = time.time() - time.monotonic()
    while True:
        await asyncio.sleep(_LOOK_S)
        now_s = time.monotonic()
        before_s, offset_s = offset_s, time.time() - now_s
        step_s = offset_s - before_s
        if abs(step_s) > _STEP_S:
            detail = f"the wall clock was stepped by {step_s:+.0f} s; nothing that protects goes by it"
            tell(Happening("alarm", now_s, detail))
