"""The machine that the agent runs on, in virtual time: stopped, started anew, its wall clock moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.model.durable import Durable
from sim.files.fault import Fault, FaultKind


class Gateway:
    """Whether the agent runs, and what its wall clock shows.

    Nothing in the agent measures durations by the wall clock; it is used to keep the times of trips over a restart,
    on an axis that never runs below the highest value seen.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._stops = [fault for fault in faults if fault.kind is FaultKind.AGENT_STOPPED]
        self._restarts = [fault for fault in faults if fault.kind is FaultKind.AGENT_RESTART]
        self._died_s = 0.0
        self.can_fail = bool(self._stops or self._restarts)
        self._jumps = [fault for fault in faults if fault.kind is FaultKind.CLOCK_JUMP]

    def is_down(self, now_s: float) -> bool:
        """No scan, no request, no answer taken."""
        return any(fault.at_s <= now_s < fault.until_s for fault in (*self._stops, *self._restarts))

    def restarted(self, now_s: float) -> bool:
        """True once for each restart whose time is over."""
        over = [fault for fault in self._restarts if fault.until_s <= now_s]
        if not over:
            return False
        self._died_s = max(fault.at_s for fault in over)
        self._restarts = [fault for fault in self._restarts if fault not in over]
        return True

    def restored(self, durable: Durable, now_s: float) -> Durable:
        """The kept state on the new process' axis: trips were kept in wall time."""
        before_s = self.wall_offset_s(self._died_s)
        wall_s = max(self._died_s + before_s, now_s + self.wall_offset_s(now_s))
        moved_s = before_s - (wall_s - now_s)
        return replace(durable, trips_s=tuple(trip_s + moved_s for trip_s in durable.trips_s))

    def wall_offset_s(self, now_s: float) -> float:
        """Wall clock less monotonic time, as the system has it."""
        return sum(fault.jump_s or 0.0 for fault in self._jumps if fault.at_s <= now_s < fault.until_s)
