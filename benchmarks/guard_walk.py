"""How much of the guard an exhaustive walk covers, and that no rule is broken on any path.

Measured with the larger alphabets; the tests take the smaller ones.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.progress import SHOWN
from benchmarks.rows import Row
from benchmarks.walk.walk import Walked, walk
from benchmarks.walk.walks import Walk, walks


def walked(each: Walk, tell: Callable[[str], None] = lambda _: None) -> Walked:
    """One walk to its end, which tells how far it is."""
    return walk(each.name, each.settings, each.alphabet, starts=each.starts, tell=tell)


def measure(*, large: bool = True) -> list[Row]:
    """States, transitions and time of all walks, and the rules broken."""
    every = walks(large=large)
    found = [walked(each, SHOWN.tell) for each in every]
    resettable = [one for one, each in zip(found, every, strict=True) if any(each.alphabet.reset)]
    said = ", ".join(f"{each.name} {each.states} states" for each in found)
    return [
        Row("guard walk, states", sum(each.states for each in found), "", said),
        Row("guard walk, transitions", sum(each.transitions for each in found), ""),
        Row("guard walk, time", sum(each.seconds for each in found), "s"),
        Row("guard walk, rules broken", sum(len(each.broken) for each in found), "", goal=0),
        Row("guard walk, states without a way back", sum(each.stuck for each in resettable), "", goal=0),
    ]
