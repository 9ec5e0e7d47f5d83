"""Keeps a flood of one kind of event from filling the disk: past sixty in an hour, one record for the rest."""

from __future__ import annotations

from dataclasses import dataclass, replace

HOUR_S = 3600.0
PASS = 60


@dataclass(frozen=True, slots=True)
class Flood:
    """What was held back of one kind: how many, the worst peak in W and the energy in Wh where it has them."""

    kind: str
    first_s: float
    count: int = 0
    peak_w: float | None = None
    energy_wh: float | None = None
    duration_s: float | None = None


class Coalescer:
    """Counts each kind in hours that start with the kind's first event. Pure: time is given."""

    def __init__(self) -> None:
        self._hours: dict[str, tuple[float, int]] = {}
        self._held: dict[str, Flood] = {}

    def has_room(self, kind: str, at_s: float) -> bool:
        """Whether an event of this kind would get a record of its own."""
        start_s, count = self._hours.get(kind, (at_s, 0))
        return count < PASS or (at_s - start_s >= HOUR_S and kind not in self._held)

    def admit(
        self,
        kind: str,
        at_s: float,
        peak_w: float | None = None,
        energy_wh: float | None = None,
        duration_s: float | None = None,
    ) -> bool:
        """Whether this event gets a record of its own; otherwise it is added to the flood's."""
        start_s, count = self._hours.get(kind, (at_s, 0))
        if at_s - start_s >= HOUR_S and kind not in self._held:
            start_s, count = at_s, 0
        self._hours[kind] = (start_s, count + 1)
        if count < PASS:
            return True
        flood = self._held.get(kind, Flood(kind, at_s))
        self._held[kind] = replace(
            flood,
            count=flood.count + 1,
            peak_w=_most(flood.peak_w, peak_w),
            energy_wh=_sum(flood.energy_wh, energy_wh),
            duration_s=_most(flood.duration_s, duration_s),
        )
        return False

    def due(self, now_s: float) -> list[Flood]:
        """The floods whose hour is over; each is handed out once."""
        over = [kind for kind in self._held if now_s - self._hours[kind][0] >= HOUR_S]
        return [self._release(kind) for kind in over]

    def flush(self) -> list[Flood]:
        """All that is held back, now."""
        return [self._release(kind) for kind in list(self._held)]

    def _release(self, kind: str) -> Flood:
        del self._hours[kind]
        return self._held.pop(kind)


def _most(known: float | None, new: float | None) -> float | None:
    return new if known is None else known if new is None else max(known, new)


def _sum(known: float | None, new: float | None) -> float | None:
    return new if known is None else known if new is None else known + new
