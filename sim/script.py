"""The script: load and sun changes at their times, counted on a clock of its own that can be held."""

from __future__ import annotations

from collections.abc import Iterable

from sim.files.script import ScriptEvent

_EPS = 1e-9


class Script:
    """Gives out each event once, when its time has come."""

    def __init__(self, events: Iterable[ScriptEvent]) -> None:
        self._events = sorted(events, key=lambda event: event.at_s)
        self._elapsed_s = 0.0
        self.held = False

    def step(self, dt_s: float) -> list[ScriptEvent]:
        """Let `dt_s` pass, unless held; the events that fall due."""
        if self.held:
            return []
        self._elapsed_s += dt_s
        if not self._events or self._events[0].at_s > self._elapsed_s + _EPS:
            return []
        due = [event for event in self._events if event.at_s <= self._elapsed_s + _EPS]
        self._events = self._events[len(due) :]
        return due


def describe(event: ScriptEvent) -> str:
    """The event in a few words, for the truth log."""
    return _effect(event) + (f" in {event.ramp_s:g} s" if event.ramp_s else "")


def _effect(event: ScriptEvent) -> str:
    if event.load_step_w is not None:
        return f"load step {event.load_step_w:+.0f} W"
    if event.load_w is not None:
        return f"load to {event.load_w:.0f} W"
    if event.sun_pu is not None:
        return f"sun to {event.sun_pu:.2f} pu" + (f" on {event.role}" if event.role else "")
    if event.v_pu is not None:
        return f"grid voltage to {event.v_pu:.3f} pu" + (f" on phase {event.phase}" if event.phase else "")
    if event.hz is not None:
        return f"grid frequency to {event.hz:.2f} Hz"
    if event.motor_w is not None:
        return f"motor of {event.motor_w:.0f} W starts"
    if event.wish_w is not None:
        return f"{event.role} wants {event.wish_w:.0f} W"
    return f"{event.role} set to {event.set_w:.0f} W"
