"""What happened in a run, and where its words stand below a picture: each time has its own line, labels move apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from sim.plots.style import BLACK, GREY, VERMILION
from sim.run import Run

_TOLD = frozenset(
    {
        "trip",
        "reset",
        "fallback",
        "fallback-end",
        "in-service",
        "out-of-service",
        "device-loss",
        "device-return",
        "write-unverified",
        "breaker-failure",
        "isolation",
        "alarm",
    }
)
"""Events of the agent that are marked; pickups and dropouts would drown the others."""

_ALIKE = 0.036
"""Of the width: what is told in the same words closer than this shares a label."""

_APART = 0.018
"""Of the width: the least distance of two labels."""

_MOST = int(1.0 / _APART)
_MOST_CHARS = 32
_LOUD = (VERMILION, BLACK, GREY)
"""Colours, the loudest first."""

_WATTS = re.compile(r"([+-]?)(\d+(?:\.\d+)?) W\b")


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened: its time in s, in words, and in what colour they are."""

    at_s: float
    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Label:
    """Words at `place_s` on the time axis, for what happened at `times_s`."""

    place_s: float
    text: str
    colour: str
    times_s: tuple[float, ...]


def marks(done: Run) -> list[Mark]:
    """What the plant suffered and people asked in grey, what the agent told in black, its trips in red; by time."""
    return sorted(_happened(done), key=lambda mark: mark.at_s)


def labels(happened: Sequence[Mark], duration_s: float) -> list[Label]:
    """Labels for marks in the order of time, moved no farther than they must to stand apart.

    Equal ones that are close share a label. Where all do not fit, those that are farther apart do as well, and at last
    the quiet ones are left out.
    """
    near_s = _ALIKE * duration_s
    groups = _alike(happened, near_s)
    while len(groups) > _MOST and near_s < duration_s:
        near_s *= 2.0
        groups = _alike(happened, near_s)
    loudest = sorted(groups, key=lambda group: _LOUD.index(group[0].colour))[:_MOST]
    told = sorted(loudest, key=_middle_s)
    places = apart([_middle_s(group) for group in told], _APART * duration_s, duration_s)
    return [_label(group, place_s) for group, place_s in zip(told, places, strict=True)]


def apart(wanted: Sequence[float], gap: float, end: float) -> list[float]:
    """Places from 0 to `end`, at least `gap` apart, as close to the `wanted` ones (ascending) as can be.

    Less a gap for each one before it, places need only ascend: blocks that do not are put at their mean.
    """
    blocks: list[tuple[float, int]] = []
    for index, place in enumerate(wanted):
        mean, count = place - index * gap, 1
        while blocks and blocks[-1][0] > mean:
            before, many = blocks.pop()
            mean, count = (before * many + mean * count) / (many + count), many + count
        blocks.append((mean, count))
    last = max(0.0, end - (len(wanted) - 1) * gap)
    ascending = [min(max(0.0, mean), last) for mean, count in blocks for _ in range(count)]
    return [place + index * gap for index, place in enumerate(ascending)]


def _alike(happened: Sequence[Mark], near_s: float) -> list[list[Mark]]:
    """Marks with the same words, together where each is close to the first."""
    groups: list[list[Mark]] = []
    for mark in happened:
        mine = next((group for group in reversed(groups) if _same(group[0], mark, near_s)), None)
        if mine is None:
            groups.append([mark])
        else:
            mine.append(mark)
    return groups


def _same(first: Mark, mark: Mark, near_s: float) -> bool:
    return (first.text, first.colour) == (mark.text, mark.colour) and mark.at_s - first.at_s <= near_s


def _middle_s(group: Sequence[Mark]) -> float:
    return fmean(mark.at_s for mark in group)


def _label(group: Sequence[Mark], place_s: float) -> Label:
    first, count = group[0], len(group)
    text = first.text if count == 1 else f"{first.text} ×{count}"
    return Label(place_s, text, first.colour, tuple(mark.at_s for mark in group))


def _happened(done: Run) -> Iterator[Mark]:
    for at_s, text in done.truth.events:
        for part in text.split("; "):
            yield Mark(at_s, _short(part), GREY)
    for event in done.events:
        if event.kind in _TOLD:
            colour = VERMILION if event.kind in {"trip", "breaker-failure"} else BLACK
            target = event.detail.removeprefix("target ") if event.kind == "trip" else ""
            yield Mark(event.at_s, _short(f"{event.kind} {target}".strip()), colour)
    for ask in done.scenario.ask:
        yield Mark(ask.at_s, _short(ask.told()), GREY)


def _short(text: str) -> str:
    text = _WATTS.sub(lambda found: f"{found[1]}{float(found[2]) / 1000:g} kW", text)
    return text if len(text) <= _MOST_CHARS else text[: _MOST_CHARS - 1] + "…"
