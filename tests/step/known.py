"""The tightest that good information allows for the sum of the ceilings, by a rule of its own.

Blind, it is the most that may be exported less what unheard DERs may make: nothing behind a contact that was told to
open and is seen open. With sight, the host took no more at the sample than the DERs can have made less the export that
it showed; and a DER can have made no more than the highest ceiling in force, or the highest output measured, since the
slowest answer that a profile wrong by a factor of two allows.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge.core.pace import SPREAD
from edge.model.image import DerReading, Image
from edge.model.site import Der, Site

COMMAND_S = 0.03
SEEN_OPEN_S = 2.0


class Known:
    """What was commanded and measured so far, for each DER with its time. Nothing known: every DER at its rating.

    On one `phase` each DER counts with its part.
    """

    def __init__(self, site: Site, most_export_w: float, now_s: float, phase: str | None = None) -> None:
        self.site = site
        self.place = None if phase is None else "abc".index(phase)
        self.parts = {der.name: 1.0 if phase is None else site.share(der, phase) for der in site.der}
        self.most_export_w = most_export_w
        self.ceilings: dict[str, list[tuple[float, float]]] = {
            der.name: [(now_s - 1e6, der.nameplate_w)] for der in site.der
        }
        self.outputs: dict[str, list[tuple[float, float]]] = {der.name: [] for der in site.der}
        self.load_w = 0.0
        """The most that the host can have taken when the last sample that was looked at was measured."""
        self.waits = False

    def commanded(self, limits_w: dict[str, float], now_s: float) -> None:
        """The ceilings of a scan."""
        for name, limit_w in limits_w.items():
            self.ceilings[name].append((now_s, limit_w))

    def measured(self, readings: Iterable[DerReading]) -> None:
        """What the DERs were measured to make."""
        for reading in readings:
            output_w = reading.output_w.since(float("-inf"))
            if output_w is not None:
                self.outputs[reading.name].append((reading.output_w.newest_s, output_w))

    def seen(self, image: Image, *, sighted: bool, is_new: bool, open_at_s: float | None = None) -> float:
        """The most that the ceilings may add up to after this scan; `open_at_s` where the contacts were told to open.

        A limiter that fails in the scan in which a sample comes looks at it in the next.
        """
        self.measured(image.ders)
        unheard = {der.name for der in image.ders if not der.reachable or der.refused}
        if open_at_s is not None:
            opened = {
                output.name for output in image.outputs if output.closed.fresh(open_at_s, SEEN_OPEN_S) == 0.0
            }
            behind = {der.name for der in self.site.der if der.contact in opened}
        else:
            behind = set()
        self.waits |= is_new
        if not sighted:
            return max(0.0, self.most_export_w - self._rated_w(unheard - behind))
        if self.waits:
            self.waits = False
            export = image.pcc.power_w(self.place)
            self.load_w = -export.otherwise(0.0)
            for der in self.site.der:
                if der.name in unheard:
                    made_w = max(0.0, *(self.outputs[der.name] or [(0.0, 0.0)])[-1][1:])
                else:
                    made_w = self._most_w(der, export.oldest_s, export.newest_s)
                self.load_w += self.parts[der.name] * made_w
        return max(0.0, self.most_export_w + self.load_w - self._rated_w(unheard - behind))

    def _rated_w(self, names: set[str]) -> float:
        return sum(self.parts[der.name] * der.nameplate_w for der in self.site.der if der.name in names)

    def counted_w(self, limits_w: dict[str, float]) -> float:
        """What ceilings add up to here."""
        return sum(self.parts[name] * limit_w for name, limit_w in limits_w.items())

    def _most_w(self, der: Der, from_s: float, to_s: float) -> float:
        since_s = from_s - COMMAND_S - SPREAD * (der.dead_time_s + 100 / der.slope_pct_per_s)
        told = self.ceilings[der.name]
        in_force = [
            limit_w
            for (at_s, limit_w), (until_s, _) in zip(told, [*told[1:], (float("inf"), 0.0)], strict=True)
            if at_s <= to_s and until_s >= since_s
        ]
        measured = [output_w for at_s, output_w in self.outputs[der.name] if at_s >= since_s]
        return min(der.nameplate_w, max([*in_force, *measured]))
