"""Answers on a serial line that did not come in time and may still come.

Modbus RTU has no transaction id: an answer that comes after we gave up looks like one to the next request of the
same shape. So a read asks for a length that is not owed (`asked`), and what cannot, a write or a read from a
device that is deaf to longer reads, first gives the late answer half a time-out to come (`due_s`).
"""

from __future__ import annotations

from collections import deque

from drivers.question import Shape, lengths, read_shape

KEPT = 6
"""So many owed answers of a unit are kept, the youngest."""

KEPT_S = 5.0
"""An answer later than this never comes."""

DEAF_S = 60.0
"""So long a unit that was silent on its first longer read is asked for no other; it may just have been away."""


class LostAnswers:
    """What each unit owes, on a serial line; on TCP ids tell answers apart."""

    def __init__(self, *, serial: bool) -> None:
        self._serial = serial
        self._owed: dict[int, deque[tuple[Shape, float]]] = {}
        self._deaf_until_s: dict[tuple[int, int], float] = {}
        self._answers_longer: dict[tuple[int, int], bool] = {}
        self._late_s: dict[int, float] = {}

    def asked(self, unit: int, function: int, count: int, now_s: float) -> int:
        """How many registers or bits to ask for when `count` are wanted; just these where no other number helps."""
        if now_s < self._deaf_until_s.get((unit, function), now_s):
            return count
        free = (
            asked
            for asked in lengths(function, count)
            if not self.owes(unit, read_shape(function, asked), now_s)
        )
        return next(free, count)

    def owes(self, unit: int, shape: Shape, now_s: float) -> bool:
        """Whether an answer of this shape may still come."""
        return any(owed == shape and now_s < at_s + KEPT_S for owed, at_s in self._owed.get(unit, ()))

    def due_s(self, unit: int, shape: Shape, grace_s: float, now_s: float) -> float:
        """From when a request with an answer of this shape may go out: where owed, `grace_s` after the last loss."""
        if not self.owes(unit, shape, now_s):
            return now_s
        return max(now_s, self._owed[unit][-1][1] + grace_s)

    def add(self, unit: int, shape: Shape, now_s: float) -> None:
        """An answer of this shape did not come."""
        if self._serial:
            self._owed.setdefault(unit, deque(maxlen=KEPT)).append((shape, now_s))

    def late(self, unit: int, now_s: float) -> None:
        """An answer that was owed has come."""
        self._late_s[unit] = now_s

    def forget(self, unit: int) -> None:
        """The unit owes nothing more: it has answered a later request, and it answers in order."""
        self._owed.pop(unit, None)

    def answered(self, unit: int, function: int, *, longer: bool) -> None:
        """The unit answered in time, to a read that was longer than what is wanted or to a plain request."""
        self._answers_longer[unit, function] = longer or self._answers_longer.get((unit, function), False)

    def silent(self, unit: int, function: int, now_s: float) -> None:
        """The unit was silent on a longer read: deaf to them, if it answered all but these and is not just late."""
        late = unit in self._late_s and now_s < self._late_s[unit] + KEPT_S
        if not late and self._answers_longer.get((unit, function)) is False:
            self._deaf_until_s[unit, function] = now_s + DEAF_S
