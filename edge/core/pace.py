"""How fast a DER answers a limit: its profile times a factor that is known within bounds.

The factor makes the dead time longer and the slope flatter alike. An answer that is quicker than the profile says is
always allowed for, since all that it costs is to raise a ceiling a little later. One that is slower is allowed for as
far as it was seen: a drop of the load while a slow DER is coming down shows only when more is exported than that
explains. A device that is off in dead time and slope by different factors lies within the bounds all the same.
"""

from __future__ import annotations

SPREAD = 2.0
"""A profile may be off by this factor, either way."""
QUICK = 1.0 / SPREAD
"""The factor of the quickest answer."""
AROUND = 1.15
"""The slowest answer is allowed this factor more than what the profile says, and than what was seen."""
CLOSING = 0.1
"""Of what it is allowed more than that, taken back at each measurement: what looked slow may have been a lost write."""
TAIL_S = 0.5
"""A DER may come to its goal by a lag of this time constant, times its factor: a profile knows only a slope."""


def learnt(slow: float, share: float) -> float:
    """The factor of the slowest answer after an output seen at `share` of the way from quickest (0) to slowest (1)."""
    seen: float = QUICK * (slow / QUICK) ** min(max(share, 0.0), 2.0) * AROUND
    if share > 1.0:
        return min(SPREAD, seen)
    return max(AROUND, min(slow, slow + CLOSING * (seen - slow)))


def lags(lag: bool, seen_w: float, straight_w: float, lagging_w: float, band_w: float) -> bool:
    """Whether a DER is taken to come to its goal by a lag, after an output on its way down, all over that goal.

    It does where it should have arrived, but for `straight_w`, and has not, as far as a lag explains that (`lagging_w`):
    what is beyond may be a lost write's. It does not where it has arrived and should not have.
    """
    if straight_w <= band_w and straight_w + band_w / 2 < seen_w <= lagging_w:
        return True
    return lag and (seen_w > band_w / 2 or lagging_w < 2.5 * band_w)
