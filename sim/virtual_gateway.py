"""The machine that the agent runs on, in virtual time: the agent stopped, or started anew."""

from __future__ import annotations

from collections.abc import Sequence

from sim.files.fault import Fault, FaultKind


class Gateway:
    """Whether the agent runs.

    A clock-jump moves nothing here: control and protection go by monotonic time alone, over a restart of the agent
    too, since that goes on through it.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._stops = [fault for fault in faults if fault.kind is FaultKind.AGENT_STOPPED]
        self._restarts = [fault for fault in faults if fault.kind is FaultKind.AGENT_RESTART]
        self.can_fail = bool(self._stops or self._restarts)

    def is_down(self, now_s: float) -> bool:
        """No scan, no request, no answer taken."""
        return any(fault.at_s <= now_s < fault.until_s for fault in (*self._stops, *self._restarts))

    def restarted(self, now_s: float) -> bool:
        """True once for each restart whose time is over."""
        over = [fault for fault in self._restarts if fault.until_s <= now_s]
        if not over:
            return False
        self._restarts = [fault for fault in self._restarts if fault not in over]
        return True
