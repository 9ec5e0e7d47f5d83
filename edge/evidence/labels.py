"""What happened, as few labels: marks too close to be told apart share one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from contract.records import CaptureMark

_CLOSE = 0.04
"""Of the width."""
_MOST_CHARS = 44


@dataclass(frozen=True, slots=True)
class Label:
    """What is written at `t_s`."""

    t_s: float
    text: str


def grouped(marks: Sequence[CaptureMark], from_s: float, until_s: float) -> list[Label]:
    """The labels of the marks between two times, in order."""
    groups: list[list[CaptureMark]] = []
    for mark in sorted((mark for mark in marks if from_s <= mark.t_s <= until_s), key=lambda mark: mark.t_s):
        if groups and mark.t_s - groups[-1][0].t_s < _CLOSE * (until_s - from_s):
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return [Label(group[0].t_s, _text(group)) for group in groups]


def _text(group: Sequence[CaptureMark]) -> str:
    if len(group) == 1:
        text = f"{group[0].type}: {group[0].detail}"
    else:
        counted = Counter(mark.type for mark in group)
        text = ", ".join(f"{kind} ×{count}" if count > 1 else kind for kind, count in counted.items())
    return text if len(text) <= _MOST_CHARS else f"{text[: _MOST_CHARS - 1]}…"
