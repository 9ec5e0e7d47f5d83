"""The walk over the guard ends, breaks no rule, comes by everything, and notices a guard that was broken."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.guard_walk import walked
from benchmarks.walk.walk import walk
from benchmarks.walk.walks import Walk, walks
from edge.guard import boundary, contact, element, guard, latch, measured, sensing, state, supervisor

SMALL = {each.name: each for each in walks()}


@pytest.mark.parametrize("each", SMALL.values(), ids=SMALL)
def test_no_path_breaks_a_rule(each: Walk) -> None:
    found = walked(each)
    assert found.broken == {}
    assert not each.reaches - set(found.reached), found.reached
    if each.settings.reset_is_manual or any(each.alphabet.reset):
        assert found.stuck == 0
    if each.settings.elements:
        delay_s = each.settings.elements[0].delay_s
        assert found.longest_s < delay_s + each.settings.watchdog_s


GUARD = (contact, element, sensing, supervisor, state, boundary, measured, latch, guard)
"""The files of the guard that are broken, each after those it imports."""


def broken_guard(module: ModuleType, old: str, new: str) -> ModuleType:
    """The guard with one text replaced in one of its files, as modules apart from the shipped ones."""
    with pytest.MonkeyPatch.context() as patch:
        for each in GUARD:
            text = Path(str(each.__file__)).read_text(encoding="utf-8")
            if each is module:
                assert text.count(old) == 1, (old, text.count(old))
                text = text.replace(old, new)
            copy = ModuleType(each.__name__)
            patch.setitem(sys.modules, each.__name__, copy)
            exec(compile(text, str(each.__file__), "exec"), vars(copy))
    return copy


BREAKS = [
    (
        "element",
        element,
        "now_s - state.below_s >= settings.delay_s",
        "now_s - state.below_s > settings.delay_s",
    ),
    (
        "element",
        element,
        "return ElementState(below_s=sample.oldest_s)\n    if value_w >",
        "return ElementState(below_s=sample.newest_s)\n    if value_w >",
    ),
    (
        "element",
        element,
        "if value_w > way * settings.pickup_w:",
        "if value_w > way * settings.pickup_w + 1:",
    ),
    (
        "element",
        element,
        "    beyond = state.picked_up and state.clear_s is None",
        "    beyond = sample is not None and state.picked_up",
    ),
    ("element", latch, "blind_s >= settings.lost_sensing_s", "blind_s > settings.lost_sensing_s"),
    (
        "element",
        latch,
        "and not proven_safe(settings, image, state.sample_s, now_s)",
        "and image.ders[0].output_w.quality != 'good'",
    ),
    ("import", sensing, "output_w < -NOTHING", "output_w < -9 * NOTHING"),
    ("import", sensing, "not (imports and absorbs)", "True"),
    ("element", sensing, "not (exports and _too_much(settings, made_w))", "True"),
    ("element", sensing, "return now_s - (settings.lost_sensing_s or 0.0)", "return now_s - 6.0"),
    (
        "contact",
        guard,
        "now_s - state.scan_s < settings.watchdog_s",
        "now_s - state.scan_s <= settings.watchdog_s",
    ),
    (
        "element",
        measured,
        "sample_s=state.sample_s if sample is None else sample.oldest_s",
        "sample_s=now_s if image.pcc.sequence else state.sample_s",
    ),
    ("import", element, "value_w = way * sample", "value_w = sample"),
    (
        "minimum power",
        measured,
        "blocked_s=zero_s if element.blocked_at_zero_output else None",
        "blocked_s=None",
    ),
    (
        "service",
        latch,
        "if image.reset and durable.tripped and not state.causes:",
        "if image.reset and durable.tripped:",
    ),
    ("service", latch, "or state.durable.lockout or", "or"),
    ("service", latch, ' or state.durable.target == "state-lost"', ""),
    (
        "service",
        latch,
        "output_w is None or output_w > TOLERANCE",
        "output_w is not None and output_w > TOLERANCE",
    ),
    ("service", latch, "            in_service=False,\n", "            in_service=durable.in_service,\n"),
    ("service, manual", latch, "settings.reset_is_manual or", "False or"),
    (
        "contact",
        latch,
        "if not ready or held or state.unresponsive or state.causes:",
        "if not ready or held or state.unresponsive:",
    ),
    ("contact", latch, "if not ready or held or", "if not ready or"),
    ("contact", guard, "held=bool(isolate) or any(fell)", "held=bool(isolate)"),
    ("contact", contact, "contact.closed and value == 0.0", "value == 0.0"),
    ("contact", contact, "if contact.closed or value is None or", "if value is None or"),
    ("welded", contact, "else replace(contact, failed=value == 1.0)", "else contact"),
    ("welded", contact, "    return contact if contact.closed == closed else", "    return"),
    ("welded", latch, "            or state.breaker_failed\n", ""),
    ("welded", latch, "    if state.breaker_failed and not durable.lockout:", "    if False:"),
    ("welded", latch, "        if contact.failed\n", "        if contact.failed and state.closed\n"),
    ("welded", guard, "contacts=opened(state.contacts, now_s)", "contacts=state.contacts"),
    ("service", latch, "if not ready or held or state.unresponsive or", "if not ready or held or"),
    ("contact", guard, "if state.closed and entered and not", "if state.closed and not"),
    ("counting", latch, "len(trips_s) >= settings.lockout_trips", "len(trips_s) > settings.lockout_trips"),
    ("counting", latch, "now_s - at_s < DAY_S", "now_s - at_s < DAY_S / 2"),
    ("counting", latch, "if override.test)", "if True)"),
    (
        "PCS bound",
        element,
        "sample.newest_s - clear_s >= settings.reset_delay_s",
        "sample.newest_s >= clear_s",
    ),
    ("phases", boundary, "active = pcc.power_w(element.phase)", "active = pcc.export_w"),
    ("phases", boundary, "pcc.power_w(element.phase).quality is Quality.GOOD", "True"),
    ("phases", sensing, "any(\n        each.unmanaged_w +", "any(\n        each.unmanaged_w -"),
    ("phases, 32R", boundary, "blocked_s=zero_s if", "blocked_s=now_s if not"),
    (
        "PCS bound of a phase",
        latch,
        "zip(settings.further, state.further, strict=True) if was.operated",
        "zip(settings.further, state.further, strict=True) if was.blocked",
    ),
    (
        "supervisor",
        supervisor,
        "now_s - watch.unresponsive_s >= TRIP_AFTER_S",
        "now_s - watch.unresponsive_s > TRIP_AFTER_S",
    ),
    ("supervisor", supervisor, "if output_w <= limit_w + slack_w:", "if output_w <= limit_w + 60 * slack_w:"),
]


@pytest.mark.parametrize(
    ("name", "module", "old", "new"), BREAKS, ids=[f"{at} {each[0]}" for at, each in enumerate(BREAKS)]
)
def test_a_broken_guard_is_noticed(name: str, module: ModuleType, old: str, new: str) -> None:
    each = SMALL[name]
    guard_copy = broken_guard(module, old, new)
    found = walk(name, each.settings, each.alphabet, starts=each.starts, guard=guard_copy, give_up_after=1)
    assert found.broken
