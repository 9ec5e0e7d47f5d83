"""Limits on phases and on apparent power in the whole step: images of any kind, in any order, against one rule.

With sight, a phase may get what the host can have taken there when the last fresh sample was measured, and its
limit; without, the limit alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from known import Known
from plant import settled, swapped
from test_step_widens_nothing import FAST, SCAN, Broken, Scan, image

from edge.core import boundaries, control
from edge.model.durable import NEW_SITE
from edge.model.image import Image
from edge.model.sample import Sample
from edge.step import Settings, State, start, step, view

LIMIT = "export_limit_w = 25_000.0"
LIMIT_W, PHASE_LIMIT_W, LIMIT_VA, EXPECTED_VAR = 25_000.0, 9_000.0, 26_000.0, 10_000.0
BOTH = (
    (LIMIT, f"{LIMIT}\nexport_limit_phase_w = {PHASE_LIMIT_W}\nexport_limit_va = {LIMIT_VA}"),
    ("[[der]]", f"[meter.instruments]\nexpected_var = {EXPECTED_VAR}\nmeter_error_pct = 0.2\n\n[[der]]"),
    ("nameplate_w = 80_000.0", 'nameplate_w = 80_000.0\nphases = "ab"'),
)
ARMED = Settings.of(swapped(*BOTH))
SITE = swapped(
    *BOTH,
    ('contact = "coil-2"', "reversion = { safe_w = 5_000.0, timer_s = 10 }"),
    ('[[guard.element]]\nkind = "32"', ""),
)
"""Nothing trips it and nothing opens it: what the DERs get is the limiter's alone."""
SETTINGS = Settings.of(SITE)

PARTS = st.tuples(*[st.sampled_from([-2.0, -0.5, 0.0, 0.3, 0.5, 1.0, 2.0])] * 2)
VARS = st.sampled_from([0.0, 5_000.0, -20_000.0, 25_900.0, 26_000.0, 90_000.0])


def shown(scan: Scan, parts: tuple[float, float], var: float, sequence: int, now_s: float) -> Image:
    """What the scan is shown: the total's sample split into phases, and a reactive flow of the same age.

    No contact shows that it is open: an unheard DER counts, wherever it is.
    """
    seen = image(replace(scan, closed=None), sequence, now_s)
    if scan.export is None:
        return seen
    first, second = parts
    total_w, age_s = scan.export

    def sample(value: float) -> Sample:
        return Sample.good(value, now_s - age_s, now_s)

    phases = tuple(sample(total_w * part) for part in (first, second, 1.0 - first - second))
    return replace(seen, pcc=replace(seen.pcc, phase_export_w=phases, export_var=sample(var)))


SCANS = st.lists(st.tuples(SCAN, PARTS, VARS), min_size=1, max_size=30)


def check(scans: list[tuple[Scan, tuple[float, float], float]], *, regulating: bool) -> None:
    """Run the scans; what each boundary may get is asserted at each of them."""
    now_s, sequence = 100.0, 0
    state: State = start(SETTINGS, NEW_SITE, now_s)
    whole = Known(SITE, LIMIT_W, now_s)
    phases = [Known(SITE, PHASE_LIMIT_W, now_s, phase) for phase in "abc"]
    if regulating:
        state = left_fallback(state)
    last = None
    for scan, parts, var in scans:
        now_s += scan.gap_s
        sequence += scan.is_new
        seen = shown(scan, parts, var, sequence, now_s)
        is_new = scan.is_new or last is None
        if last is not None and not is_new:
            seen = replace(seen, pcc=last)
        last = seen.pcc
        with pytest.MonkeyPatch.context() as patch:
            if scan.fails:
                patch.setattr(control, "target_w", lambda *_: 1 / 0)
            state, commands, _ = step(seen, SETTINGS, state, now_s)
        limits_w = {limit.name: limit.limit_w for limit in commands.limits}
        sighted = seen.pcc.export_w.fresh(now_s, SETTINGS.core.stale_s) is not None and not scan.fails
        flow_var = seen.pcc.export_var.otherwise(0.0) if sighted else EXPECTED_VAR
        whole.most_export_w = min(LIMIT_W, math.sqrt(max(0.0, LIMIT_VA**2 - flow_var**2)))
        for known in (whole, *phases):
            allowed_w = known.seen(seen, sighted=sighted, is_new=is_new)
            assert known.counted_w(limits_w) <= allowed_w + 1e-6
            known.commanded(limits_w, now_s)


def left_fallback(state: State) -> State:
    """The state after a fallback that was just left, in service."""
    core = state.core
    return state._replace(
        core=core._replace(
            fallback=replace(core.fallback, active=False, starting=False),
            enter=replace(core.enter, done=True),
            limiter=replace(core.limiter, ceiling_w=15_000.0),
            phases=tuple(replace(each, ceiling_w=8_000.0) for each in core.phases),
        ),
    )


@given(scans=SCANS, regulating=st.booleans())
@settings(FAST, max_examples=120)
def test_no_sequence_of_anything_widens_a_phase(
    scans: list[tuple[Scan, tuple[float, float], float]], regulating: bool
) -> None:
    check(scans, regulating=regulating)


BREAKS: dict[str, tuple[Any, str, Callable[[Broken], Broken]]] = {
    "phases are not narrowed": (
        boundaries,
        "narrowed",
        lambda _: lambda _settings, limits_w, _ceilings: limits_w,
    ),
    "fallback leaves the phases as they were": (
        boundaries,
        "regulated",
        lambda right: (
            lambda known, was, blind_w, *seen, **given: right(
                known, was, blind_w if known.phase is None else None, *seen, **given
            )
        ),
    ),
    "the reactive flow takes nothing": (boundaries, "left_w", lambda _: lambda limit_va, _var: limit_va),
}
"""A rule of the boundaries, each broken in one way: module, function, and what becomes of it."""


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_rule_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, breaks = BREAKS[what]
    monkeypatch.setattr(module, name, breaks(getattr(module, name)))

    @given(scans=SCANS, regulating=st.booleans())
    @settings(FAST, phases=[Phase.generate])
    def sequences(scans: list[tuple[Scan, tuple[float, float], float]], regulating: bool) -> None:
        check(scans, regulating=regulating)

    with pytest.raises(AssertionError):
        sequences()


def test_the_view_names_every_element() -> None:
    found = view(start(ARMED, NEW_SITE, 0.0), ARMED, 0.0)
    assert [element.name for element in found.elements] == [
        "32", "PCS", "32-a", "32-b", "32-c", "PCS-va", "PCS-a", "PCS-b", "PCS-c",
    ]  # fmt: skip


def test_the_limiter_stays_below_the_dropout_of_a_phase() -> None:
    """2 % of 9 kW below its pickup, while the total keeps to its own."""
    assert [each.ceiling_by for each in ARMED.core.phases] == [f"32-{phase}-dropout" for phase in "abc"]
    assert [each.ceiling_w for each in ARMED.core.phases] == [0.98 * PHASE_LIMIT_W] * 3
    assert (ARMED.core.ceiling_by, ARMED.core.ceiling_w) == ("32-dropout", 24_500.0)
    bare = Settings.of(
        swapped((LIMIT, f"{LIMIT}\nexport_limit_phase_w = 9_000.0"), ('[[guard.element]]\nkind = "32"', ""))
    )
    assert [(each.ceiling_by, each.ceiling_w) for each in bare.core.phases] == [
        (f"export-limit-{phase}", 9_000.0) for phase in "abc"
    ]


def test_the_settings_of_a_phase_are_what_is_there() -> None:
    first, _, third = ARMED.core.phases
    assert [plant.share for plant in first.ders] == [1 / 3, 1 / 2]
    assert [plant.share for plant in third.ders] == [1 / 3, 0.0]
    assert third.nameplate_w == pytest.approx(20_000.0 / 3)
    assert third.margin_floor_w == pytest.approx(0.002 * third.nameplate_w)
    assert third.margin_cap_w == pytest.approx(0.1 * third.nameplate_w)
    assert third.ramp_up_w_per_s == pytest.approx(0.1 * third.nameplate_w)
    assert (third.phase, third.phases, third.limit_va, third.limit_w) == (2, (), None, PHASE_LIMIT_W)
    assert (third.unbalance, third.expected_var, third.unmanaged_w) == (1.03, 10_000.0, 0.0)
    assert (ARMED.core.limit_va, ARMED.core.expected_var, ARMED.core.unbalance) == (
        LIMIT_VA,
        10_000.0,
        1.0,
    )


def test_a_phase_without_a_der_is_left_alone_and_one_with_single_phase_ders_has_no_allowance() -> None:
    single = swapped(
        (LIMIT, f"{LIMIT}\nexport_limit_phase_w = 9_000.0"),
        ("nameplate_w = 20_000.0", 'nameplate_w = 9_000.0\nphases = "a"'),
        ("nameplate_w = 80_000.0", 'nameplate_w = 80_000.0\nphases = "b"'),
    )
    assert [(each.phase, each.unbalance) for each in Settings.of(single).core.phases] == [(0, 1.0), (1, 1.0)]


def test_a_plain_site_has_nothing_of_it() -> None:
    plain = settled()
    assert not plain.settings.core.phases
    assert not plain.state.core.phases
    assert not plain.settings.guard.further
    assert not plain.state.guard.further
