"""Captures as records: what led up to an event goes with it at once, the whole follows once its time is over. Pure."""

from __future__ import annotations

from contract import records
from edge.agent import captures
from edge.agent.captures import Captures, Mark
from edge.agent.scanned import Scanned
from edge.model.site import Site
from edge.model.view import View

CAPTURED = frozenset({"pickup", "trip", "fallback", "excursion", "phase-excursion"})


class CaptureRecords:
    """The captures of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._captures = Captures(captures.columns(site))
        self._limited = captures.limited(site)
        self._elements: tuple[records.CapturedElement, ...] = ()

    def scanned(self, done: Scanned) -> None:
        """Take a scan, before what happened in it."""
        self._captures.add(captures.row(done, self._limited))
        self._elements = _elements(done.view)

    def happened(self, mark: Mark) -> records.Capture | None:
        """Cover an event that is to be captured, and mark others on what is open.

        Returns:
            What led up to it, of a trip and of an event that opens a capture: it is on the disk even if the power
            goes next.
        """
        if mark.kind not in CAPTURED:
            self._captures.note(mark)
            return None
        opened = self._captures.cover(mark)
        so_far = self._captures.so_far(mark) if opened or mark.kind == "trip" else None
        return None if so_far is None else self._complete(so_far)

    def reach(self, mark: Mark) -> None:
        """See to it that a capture reaches to 30 s after this."""
        self._captures.cover(mark)

    def ready(self, now_s: float) -> list[tuple[float, records.Event]]:
        """The records of what is complete now, each with the monotonic time of its event."""
        return [self._record(mark, capture) for mark, capture in self._captures.ready(now_s)]

    def flush(self) -> list[tuple[float, records.Event]]:
        """The same of all that is open, as far as it goes: the agent stops."""
        return [self._record(mark, capture) for mark, capture in self._captures.flush()]

    def _record(self, mark: Mark, capture: records.Capture) -> tuple[float, records.Event]:
        kinds = dict.fromkeys([mark.kind, *(one.type for one in capture.marks if one.type in CAPTURED)])
        return mark.at_s, records.Event(
            type="capture",
            at=mark.at,
            detail=f"{', '.join(kinds)}: {mark.detail}",
            limit_w=self._site.limit_w,
            capture=self._complete(capture),
        )

    def _complete(self, capture: records.Capture) -> records.Capture:
        place = self._site.site
        update = {
            "limit_w": self._site.limit_w,
            "nominal_v": place.nominal_v,
            "nominal_hz": float(place.nominal_hz),
            "elements": self._elements,
        }
        return capture.model_copy(update=update)


def _elements(view: View) -> tuple[records.CapturedElement, ...]:
    return tuple(
        records.CapturedElement(
            name=element.name,
            pickup_w=element.pickup_w,
            dropout_w=element.dropout_w,
            delay_s=element.delay_s,
        )
        for element in view.elements
    )
