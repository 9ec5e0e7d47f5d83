"""Nothing widens: images of any kind, in any order, straight into `step`, against the rules of `known`.

Readings of any age, faults, restarts, overrides, a limiter that fails; then the same with each rule of the stack broken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from known import Known
from plant import settled, swapped

import edge.step
from edge.core import boundaries, control, dispatch, unheard
from edge.guard import guard
from edge.model.commands import Commands, DerLimit
from edge.model.durable import NEW_SITE, STATE_LOST, Durable
from edge.model.image import DerReading, Image, OutputReading, Override, PccReading
from edge.model.sample import Quality, Sample
from edge.step import Settings, start, step

SITE = swapped()
SETTINGS = Settings.of(SITE)
DROPOUT_W = 24_500.0
"""The element's: export is held below it, not below the limit."""
FAST = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)

AGES_S = st.sampled_from([0.0, 0.0, 0.05, 0.05, 0.1, 0.3, 0.9, 1.0, 1.3, 2.0, 5.0, 30.0])
POWERS_W = st.sampled_from([-50_000.0, 0.0, 10.0, 24_000.0, 25_000.0, 25_001.0, 80_000.0, 250_000.0])
MEASURED = st.none() | st.tuples(st.sampled_from([0.0, 100.0, 5_000.0, 20_000.0, 80_000.0]), AGES_S)


@dataclass(frozen=True)
class Scan:
    """One scan: everything that it may be shown, ages relative to it."""

    gap_s: float
    export: tuple[float, float] | None
    is_new: bool
    outputs: tuple[tuple[float, float] | None, tuple[float, float] | None]
    limits: tuple[tuple[float, float] | None, tuple[float, float] | None]
    reachable: tuple[bool, bool]
    refused: tuple[bool, bool]
    closed: tuple[float, float] | None
    v_pu: float
    cap_w: float | None
    der: str | None
    pickup_w: float | None
    reset: bool
    restart: bool
    fails: bool


PAIR = st.tuples(MEASURED, MEASURED)
FLAGS = st.sampled_from([*[(True, True)] * 12, (True, False), (False, True), (False, False)])
SCAN = st.builds(
    Scan,
    gap_s=st.sampled_from([0.02, 0.1, 0.2, 0.2, 0.45, 0.5, 3.0]),
    export=st.none() | st.tuples(POWERS_W, AGES_S),
    is_new=st.booleans(),
    outputs=PAIR,
    limits=PAIR,
    reachable=FLAGS,
    refused=FLAGS.map(lambda flags: (not flags[0], not flags[1])),
    closed=st.none() | st.tuples(st.sampled_from([0.0, 1.0]), AGES_S),
    v_pu=st.sampled_from([1.0, 1.0, 1.0, 0.9]),
    cap_w=st.none() | st.sampled_from([0.0, 3_000.0, 50_000.0, float("nan"), -1.0]),
    der=st.none() | st.sampled_from(["inverter-1", "inverter-2"]),
    pickup_w=st.none() | st.sampled_from([10_000.0, 99_000.0]),
    reset=st.booleans(),
    restart=st.sampled_from([False] * 9 + [True]),
    fails=st.sampled_from([False] * 9 + [True]),
)
STARTS = st.sampled_from(
    [
        NEW_SITE,
        STATE_LOST,
        Durable(tripped=True, target="32"),
        Durable(tripped=False),
        *[45_000.0, 90_000.0] * 3,
    ]
)
"""Up from a stored state, or in the middle of regulating at this host load."""


def sample(measured: tuple[float, float] | None, now_s: float) -> Sample:
    """As old as it says."""
    return Sample.none() if measured is None else Sample.good(measured[0], now_s - measured[1], now_s)


def image(scan: Scan, sequence: int, now_s: float) -> Image:
    """What the scan is shown."""
    ders = tuple(
        DerReading(der.name, sample(output, now_s), sample(limit, now_s), reachable=heard, refused=refused)
        for der, output, limit, heard, refused in zip(
            SITE.der, scan.outputs, scan.limits, scan.reachable, scan.refused, strict=True
        )
    )
    overrides: tuple[Override, ...] = ()
    if scan.cap_w is not None or scan.pickup_w is not None:
        overrides = (Override("portal", 1e9, limit_w=scan.cap_w, der=scan.der, pickup_w=scan.pickup_w),)
    export = sample(scan.export, now_s) if scan.export else Sample.none(Quality.INVALID)
    grid = replace(export, _value=scan.v_pu) if scan.export else export
    pcc = PccReading(export, grid, replace(grid, _value=60.0) if scan.export else grid, sequence)
    outputs = (OutputReading("coil-2", sample(scan.closed, now_s)),)
    return Image(0, pcc, ders, outputs, overrides, reset=scan.reset)


def total_w(commands: Commands) -> float:
    """The sum of the ceilings."""
    return sum(limit.limit_w for limit in commands.limits)


def check(scans: list[Scan], begins: Durable | float) -> None:
    """Run the scans; every rule is asserted at each."""
    shown = PccReading(Sample.none(), Sample.none(), Sample.none())
    now_s, sequence, first = 100.0, 0, isinstance(begins, Durable)
    known = Known(SITE, DROPOUT_W, now_s)
    if isinstance(begins, Durable):
        state = start(SETTINGS, begins, now_s)
    else:
        plant = settled(load_w=begins)
        state, now_s, sequence, shown = plant.state, plant.now_s, plant.pcc.sequence, plant.pcc
        known.commanded({limit.name: limit.limit_w for limit in state.guard.limits}, 0.0)
        known.measured(plant.ders.values())
        known.load_w = begins
    for scan in scans:
        now_s += scan.gap_s
        sequence += scan.is_new
        seen = image(scan, sequence, now_s)
        if not scan.is_new:
            seen = replace(seen, pcc=shown)
        shown = seen.pcc
        if scan.restart:
            state, first = start(SETTINGS, state.durable, now_s), True
            known = Known(SITE, DROPOUT_W, now_s)
        open_at_s = None if state.guard.closed else now_s
        was_w = {limit.name: limit.limit_w for limit in state.guard.limits}
        with pytest.MonkeyPatch.context() as patch:
            if scan.fails:
                patch.setattr(control, "target_w", lambda *_: 1 / 0)
            state, commands, _ = step(seen, SETTINGS, state, now_s)
        limits_w = {limit.name: limit.limit_w for limit in commands.limits}
        export_w = seen.pcc.export_w.fresh(now_s, SETTINGS.core.stale_s)
        sighted = export_w is not None and not scan.fails
        allowed_w = known.seen(seen, sighted=sighted, is_new=scan.is_new or first, open_at_s=open_at_s)
        assert total_w(commands) <= allowed_w + 1e-6
        known.commanded(limits_w, now_s)
        if state.durable.tripped:
            assert total_w(commands) == 0.0
            assert not any(output.closed for output in commands.outputs)
        for override in seen.overrides:
            cap_w = override.cap_w
            if cap_w is not None:
                capped = commands if override.der is None else None
                assert (total_w(capped) if capped else limits_w[override.der or ""]) <= cap_w + 1e-6
        for der in seen.ders:
            if not der.reachable or der.refused:
                assert limits_w[der.name] == 0.0
            if first or scan.fails or state.core.fallback.starting:
                assert limits_w[der.name] <= der.limit_w.otherwise(1e9) + 1e-9
            if scan.fails:
                assert limits_w[der.name] <= was_w[der.name] + 1e-9
        first = False


@given(scans=st.lists(SCAN, min_size=1, max_size=40), begins=STARTS)
@FAST
def test_no_sequence_of_anything_widens(scans: list[Scan], begins: Durable | float) -> None:
    check(scans, begins)


Broken = Callable[..., Any]


def after(change: Callable[[Any], Any]) -> Callable[[Broken], Broken]:
    """The function, and what it gives changed."""
    return lambda right: lambda *given, **named: change(right(*given, **named))


def before(change: Callable[..., tuple[Any, ...]]) -> Callable[[Broken], Broken]:
    """The function, given something else."""
    return lambda right: lambda *given, **named: right(*change(*given), **named)


def asked_for(right: Broken) -> Broken:
    """A guard that passes on what the limiter asks for."""

    def guard_step(
        image: Any, known: Any, state: Any, limits_w: dict[str, float], *given: Any, **named: Any
    ) -> Any:
        state, commands, events = right(image, known, state, limits_w, *given, **named)
        limits = tuple(DerLimit(name, limit_w) for name, limit_w in limits_w.items())
        return state, commands._replace(limits=limits), events

    return guard_step


def all_told(right: Broken) -> Broken:
    """A limiter that leaves a little to DERs that nobody hears."""

    def core_step(*given: Any, **named: Any) -> Any:
        state, wish = right(*given, **named)
        return state, wish._replace(limits_w=wish.limits_w | dict.fromkeys(state.lost, 100.0))

    return core_step


BREAKS: dict[str, tuple[Any, str, Callable[[Broken], Broken]]] = {
    "the limiter gives 3 kW more": (
        boundaries,
        "correct",
        after(lambda made: replace(made, ceiling_w=made.ceiling_w + 3_000.0)),
    ),
    "fallback gives 3 kW more": (boundaries, "fallback_total_w", after(lambda total_w: total_w + 3_000.0)),
    "fallback is never entered": (control, "fallback_step", after(lambda made: replace(made, active=False))),
    "the loosest counts": (control, "_stack", after(lambda stack: stack[::-1])),
    "overrides are not in the stack": (
        control,
        "_stack",
        after(lambda stack: tuple(each for each in stack if each.by != "portal")),
    ),
    "overrides of one DER are not applied": (control, "_single_narrowings", after(lambda _: ())),
    "a start loosens": (
        control,
        "_caps",
        before(lambda core, fallback, *more: (core, replace(fallback, starting=False), *more)),
    ),
    "unheard DERs count for nothing": (
        unheard,
        "counted_w",
        after(lambda counted: dict.fromkeys(counted, 0.0)),
    ),
    "unheard DERs keep something": (control, "core_step", all_told),
    "shares add up to more": (
        dispatch,
        "proportional",
        before(lambda total_w, *more: (1.1 * total_w, *more)),
    ),
    "the guard passes on what is asked": (guard, "guard_step", asked_for),
    "what stands in gives more": (
        edge.step,
        "stand_in",
        after(
            lambda made: (
                made[0],
                made[1]._replace(limits_w={k: w + 100.0 for k, w in made[1].limits_w.items()}),
            )
        ),
    ),
}
"""A rule of the stack, each broken in one way: module, function, and what becomes of it.

Fallback's own entry in the stack is not among them: the limiter's ceiling is held to the same total beside it.
"""


@given(scans=st.lists(SCAN, min_size=1, max_size=40), begins=STARTS)
@settings(FAST, phases=[Phase.generate])
def sequences(scans: list[Scan], begins: Durable | float) -> None:
    """The same sequences for every break."""
    check(scans, begins)


def test_with_nothing_broken_those_sequences_hold() -> None:
    sequences()


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_rule_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, breaks = BREAKS[what]
    monkeypatch.setattr(module, name, breaks(getattr(module, name)))
    with pytest.raises(AssertionError):
        sequences()
