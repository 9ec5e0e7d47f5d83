"""Gaps in a gateway's `seq`: pure arithmetic on ranges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Range:
    """Sequence numbers from `first` to `last`, missing for `reason` or for none that is known."""

    first: int
    last: int
    reason: str | None = None


def arrive(gaps: Iterable[Range], last_seq: int, seq: int) -> tuple[list[Range], int, bool]:
    """A record came: the gaps that are left, the new highest `seq`, and whether `seq` was expected."""
    gaps = list(gaps)
    if seq > last_seq:
        opened = [Range(last_seq + 1, seq - 1)] if seq > last_seq + 1 else []
        return gaps + opened, seq, True
    left = [part for gap in gaps for part in _outside(gap, seq, seq)]
    return left, last_seq, left != gaps


def bury(gaps: Iterable[Range], first: int, last: int, reason: str) -> list[Range]:
    """A tombstone came: what is missing between `first` and `last` has its reason."""
    result: list[Range] = []
    for gap in gaps:
        inside = Range(max(gap.first, first), min(gap.last, last), gap.reason or reason)
        if inside.first > inside.last:
            result.append(gap)
        else:
            result += [*_outside(gap, inside.first, inside.last), inside]
    return sorted(result, key=lambda gap: gap.first)


def _outside(gap: Range, first: int, last: int) -> list[Range]:
    """What of `gap` lies outside `first` to `last`."""
    if last < gap.first or first > gap.last:
        return [gap]
    parts = [replace(gap, last=first - 1), replace(gap, first=last + 1)]
    return [part for part in parts if part.first <= part.last]
