"""Which records are on their way, and when one is sent again: pure, time is an argument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edge.spool import Pending

MAX_RECORDS = 200
MAX_BYTES = 16 * 2**20
FIRST_RESEND_S = 15.0
LAST_RESEND_S = 600.0
FIRST_UNHEARD_S = 1.0
LAST_UNHEARD_S = 60.0
"""While the broker says that nobody is subscribed, as after its own loss of memory, we ask more often."""


@dataclass
class _Sent:
    size: int
    attempts: int
    due_s: float


class Window:
    """Records published and not yet received by the portal, bounded in number and bytes."""

    def __init__(self) -> None:
        self._sent: dict[str, _Sent] = {}
        self.last_seq = 0

    def forget(self) -> None:
        """After a new connection everything is sent again from the start: the broker may have lost it all."""
        self._sent.clear()
        self.last_seq = 0

    def room(self) -> int:
        """How many more records may go out now."""
        if sum(sent.size for sent in self._sent.values()) >= MAX_BYTES:
            return 0
        return MAX_RECORDS - len(self._sent)

    def expiry_s(self, record: Pending) -> int:
        """How long the broker need keep the copy that goes out now: until its successor's turn has come twice.

        A portal that is away for days then finds two copies of a record at the broker, not hundreds.
        """
        return int(2 * min(LAST_RESEND_S, FIRST_RESEND_S * 2 ** self._attempts(record)))

    def add(self, record: Pending, now_s: float, *, heard: bool) -> None:
        """Note that the broker has `record`, and whether anybody is subscribed to it."""
        attempts = self._attempts(record)
        first_s, last_s = (FIRST_RESEND_S, LAST_RESEND_S) if heard else (FIRST_UNHEARD_S, LAST_UNHEARD_S)
        again_s = min(last_s, first_s * 2**attempts)
        self._sent[record.id] = _Sent(len(record.body), attempts + 1, now_s + again_s)
        self.last_seq = max(self.last_seq, record.seq)

    def remove(self, ids: Iterable[str]) -> None:
        """Note that these have arrived, or are gone from the spool."""
        for record_id in ids:
            self._sent.pop(record_id, None)

    def due(self, now_s: float) -> list[str]:
        """Ids that have waited for their receipt long enough to be sent again, in the order they went out."""
        return [record_id for record_id, sent in self._sent.items() if now_s >= sent.due_s]

    def _attempts(self, record: Pending) -> int:
        sent = self._sent.get(record.id)
        return min(sent.attempts, 20) if sent else 0
