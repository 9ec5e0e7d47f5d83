"""The excursion as it happens, for the demo's screen."""

from __future__ import annotations

from dataclasses import dataclass

from sim.truth import Row


@dataclass
class ExcursionWatch:
    """Follows the truth row by row; `band_w` is the limit and its tolerance."""

    limit_w: float
    band_w: float
    armed: bool = False
    began_s: float | None = None
    lasted_s: float = 0.0
    peak_w: float = 0.0
    over: bool = False

    def take(self, rows: list[Row]) -> None:
        """Add new rows."""
        for row in rows if self.armed else ():
            above = row.export_w > self.band_w
            if above and self.began_s is None:
                self.began_s, self.peak_w, self.over = row.t_s, row.export_w, False
            if self.began_s is not None and not self.over:
                self.lasted_s = row.t_s - self.began_s
                self.peak_w = max(self.peak_w, row.export_w)
                if not above:
                    self.over, self.began_s = True, None

    def sentence(self) -> str | None:
        """What to say about it, None when nothing happened yet."""
        if not self.lasted_s and self.began_s is None:
            return None
        peak = f"peak {self.peak_w / 1000:.1f} kW"
        if self.over:
            return f"export was above {self.limit_w / 1000:g} kW for {self.lasted_s:.2f} s, {peak}: over"
        return f"EXPORT ABOVE {self.limit_w / 1000:g} kW for {self.lasted_s:.2f} s, {peak}"
