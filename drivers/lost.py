"""Answers on a serial line that did not come in time and may still come.

Modbus RTU has no transaction id: an answer that comes after we gave up looks like one to the next request of the
same unit and length. So no request asks for a length that is still owed; one register more makes it another.
"""

from __future__ import annotations

from collections import deque

KEPT = 6
"""So many owed answers of a unit are kept, the youngest."""

KEPT_S = 5.0
"""An answer later than this never comes."""

_MAX_READ = 125


class LostAnswers:
    """The lengths of the answers that each unit owes, on a serial line; on TCP ids tell them apart."""

    def __init__(self, *, serial: bool) -> None:
        self._serial = serial
        self._owed: dict[int, deque[tuple[int, float]]] = {}

    def length(self, unit: int, count: int, now_s: float) -> int:
        """How many registers to ask for when `count` are wanted; just these where none would be safe."""
        owed = {asked for asked, at_s in self._owed.get(unit, ()) if now_s < at_s + KEPT_S}
        return next((asked for asked in range(count, _MAX_READ + 1) if asked not in owed), count)

    def add(self, unit: int, asked: int, now_s: float) -> None:
        """The answer to a read of `asked` registers did not come."""
        if self._serial:
            self._owed.setdefault(unit, deque(maxlen=KEPT)).append((asked, now_s))

    def forget(self, unit: int) -> None:
        """The unit does not take longer reads than are wanted."""
        self._owed.pop(unit, None)
