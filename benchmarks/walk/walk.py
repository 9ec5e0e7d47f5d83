"""Breadth-first over everything that the guard can become: each input in each state, the rules at every scan."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

from benchmarks.walk.alphabet import Alphabet, Input
from benchmarks.walk.canonical import Canon
from benchmarks.walk.rules import Rules
from benchmarks.walk.seen import Seen
from edge.guard import guard as shipped
from edge.guard.settings import GuardSettings
from edge.guard.state import GuardState, guard_start
from edge.model.durable import NEW_SITE, STATE_LOST, Durable

Node = tuple[GuardState, Seen]

TELL_EVERY = 50
"""States between two words on how far a walk is."""
STARTS = (
    NEW_SITE,
    STATE_LOST,
    Durable(tripped=False),
    Durable(tripped=True, target="32"),
    Durable(tripped=True, target="32", lockout=True),
)


@dataclass
class Walked:
    """What a walk covered. `broken`: each rule that did not hold, with the input of its first breach."""

    name: str
    states: int = 0
    transitions: int = 0
    seconds: float = 0.0
    longest_s: float = 0.0
    broken: dict[str, Input] = field(default_factory=dict)
    reached: Counter[str] = field(default_factory=Counter)
    """How often something worth reaching happened: a walk that never trips proves nothing."""
    stuck: int = 0
    """States from which no path leads back into service."""


def walk(
    name: str,
    settings: GuardSettings,
    alphabet: Alphabet,
    *,
    guard: ModuleType = shipped,
    starts: tuple[Durable, ...] = STARTS,
    give_up_after: int | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Walked:
    """Walk until nothing new is found.

    Args:
        name: Of the walk.
        settings: The guard's.
        alphabet: What a scan may be given.
        guard: The module under test.
        starts: What may have been stored before.
        give_up_after: Stop once so many rules are broken.
        tell: Called from time to time with how far it is.
    """
    begun_s = time.perf_counter()
    walked, canon, rules = Walked(name), Canon(settings), Rules(settings)
    onlooker = rules.onlooker
    inputs = [(given, given.gap_s, given.image()) for given in alphabet.inputs()]
    nodes: dict[Node, int] = {}
    for durable in starts:
        nodes[canon.state(guard_start(settings, durable, 0.0), 0.0), onlooker.fresh()] = len(nodes)
    order = list(nodes)
    from_ids: list[set[int]] = [set() for _ in order]
    at = 0
    while at < len(order):
        if at % TELL_EVERY == 0:
            tell(f"{name}: {at} of {len(order)} states so far, {walked.transitions} transitions")
        state, seen = order[at]
        for given, now_s, image in inputs:
            walked.transitions += 1
            if given.restart:
                durable = state.durable if given.restart == "kept" else STATE_LOST
                after = guard_start(settings, durable, now_s)
                remembered, broken = onlooker.restarted(seen, now_s), []
                if given.restart == "lost":
                    remembered = onlooker.fresh()
                if after.closed or after.durable != durable:
                    broken.append("a restart keeps the latch and closes nothing")
            else:
                after, commands, events = guard.guard_step(
                    image,
                    settings,
                    state,
                    {"b": given.asked_w},
                    now_s,
                    ready=given.ready,
                    entered=given.entered,
                    isolate=frozenset({"k"}) if given.isolate else frozenset(),
                )
                remembered, broken = rules.look(seen, state, given, after, commands)
                for event in events:
                    walked.reached[event.kind] += 1
                if after.durable.tripped and not state.durable.tripped:
                    walked.reached[f"trip {after.durable.target}"] += 1
                    walked.reached["lockout"] += after.durable.lockout
            for rule in broken:
                walked.broken.setdefault(rule, given)
            node = canon.state(after, now_s), remembered
            found = nodes.get(node)
            if found is None:
                found = nodes[node] = len(order)
                order.append(node)
                from_ids.append(set())
            from_ids[found].add(at)
        at += 1
        if give_up_after is not None and len(walked.broken) >= give_up_after:
            break
    walked.states, walked.longest_s = len(order), onlooker.longest_s
    walked.stuck = _stuck([state.closed for state, _ in order], from_ids)
    walked.seconds = time.perf_counter() - begun_s
    return walked


def _stuck(closed: list[bool], from_ids: list[set[int]]) -> int:
    """How many states have no path to one that is closed."""
    reach = {index for index, is_closed in enumerate(closed) if is_closed}
    fresh = list(reach)
    while fresh:
        for index in from_ids[fresh.pop()]:
            if index not in reach:
                reach.add(index)
                fresh.append(index)
    return len(closed) - len(reach)
