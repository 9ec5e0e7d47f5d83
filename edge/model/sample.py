"""A measured value that cannot be read without saying what happens when it is missing or old."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum


class Quality(StrEnum):
    """How far a reading may be trusted, whatever its age."""

    GOOD = "good"
    STALE = "stale"
    INVALID = "invalid"
    ABSENT = "absent"


_GOOD = Quality.GOOD
_MEASURED = (Quality.GOOD, Quality.STALE)


@dataclass(frozen=True, slots=True)
class Sample:
    """A value, and the span of monotonic time in which it can have been measured.

    `oldest_s` is what protection counts from: the value may be that old. `newest_s` is the latest instant it
    can describe; the limiter aligns DER output with the whole span. The value itself is private on purpose:
    `fresh` and `otherwise` are the only ways to it.
    """

    _value: float
    oldest_s: float
    newest_s: float
    quality: Quality

    @staticmethod
    def good(value: float, oldest_s: float, newest_s: float | None = None) -> Sample:
        """A trusted value measured between `oldest_s` and `newest_s` (the same instant when left out).

        What is not a finite number was not measured: it compares with no threshold, and would pass every one.
        """
        if not math.isfinite(value):
            return Sample.none(Quality.INVALID)
        return Sample(value, oldest_s, oldest_s if newest_s is None else newest_s, _GOOD)

    @staticmethod
    def none(quality: Quality = Quality.ABSENT) -> Sample:
        """No value: never measured, not implemented by the device, or implausible."""
        return Sample(0.0, float("-inf"), float("-inf"), quality)

    def mirrored(self) -> Sample:
        """The same measurement, counted the other way."""
        return Sample(-self._value, self.oldest_s, self.newest_s, self.quality)

    def fresh(self, now_s: float, max_age_s: float) -> float | None:
        """The value if it is good and certainly no older than `max_age_s`, else None."""
        if self.quality is not _GOOD or now_s - self.oldest_s > max_age_s:
            return None
        return self._value

    def since(self, instant_s: float) -> float | None:
        """The value if it is good and was certainly measured after `instant_s`, else None."""
        if self.quality is not _GOOD or self.oldest_s <= instant_s:
            return None
        return self._value

    def otherwise(self, default: float) -> float:
        """The last good value whatever its age, or `default` when there is none."""
        return self._value if self.quality in _MEASURED else default

    def shown(self, now_s: float, max_age_s: float) -> tuple[float | None, float | None, Quality]:
        """Value, age in seconds and quality, for people and records (never for control)."""
        if self.quality not in _MEASURED:
            return None, None, self.quality
        age_s = now_s - self.oldest_s
        late = self.quality is Quality.STALE or age_s > max_age_s
        return self._value, age_s, Quality.STALE if late else Quality.GOOD
