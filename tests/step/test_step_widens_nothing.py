"""Nothing widens: images of any kind, in any order, straight into `step`, against a rule of two lines.

The tightest good information: blind, the limit alone; with sight, the limit and the most that the host can have
taken when the last fresh sample was measured, every DER at its rating, less the export it showed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plant import settled, swapped

from edge.core import control
from edge.model.commands import Commands
from edge.model.durable import NEW_SITE, STATE_LOST, Durable
from edge.model.image import DerReading, Image, OutputReading, Override, PccReading
from edge.model.sample import Quality, Sample
from edge.step import Settings, start, step

SITE = swapped()
SETTINGS = Settings.of(SITE)
LIMIT_W = SITE.limit_w
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


@given(scans=st.lists(SCAN, min_size=1, max_size=40), begins=STARTS)
@FAST
def test_no_sequence_of_anything_widens(scans: list[Scan], begins: Durable | float) -> None:
    most_load_w = 0.0
    shown = PccReading(Sample.none(), Sample.none(), Sample.none())
    now_s, sequence, first = 100.0, 0, isinstance(begins, Durable)
    if isinstance(begins, Durable):
        state = start(SETTINGS, begins, now_s)
    else:
        plant = settled(load_w=begins)
        state, now_s, sequence, shown = plant.state, plant.now_s, plant.pcc.sequence, plant.pcc
    for scan in scans:
        now_s += scan.gap_s
        sequence += scan.is_new
        seen = image(scan, sequence, now_s)
        if not scan.is_new:
            seen = replace(seen, pcc=shown)
        shown = seen.pcc
        if scan.restart:
            state, first, most_load_w = start(SETTINGS, state.durable, now_s), True, 0.0
        was_w = dict(zip((der.name for der in SITE.der), state.guard.limits_w, strict=True))
        with pytest.MonkeyPatch.context() as patch:
            if scan.fails:
                patch.setattr(control, "target_w", lambda *_: 1 / 0)
            state, commands, _ = step(seen, SETTINGS, state, now_s)
        limits_w = {limit.name: limit.limit_w for limit in commands.limits}
        export_w = seen.pcc.export_w.fresh(now_s, SETTINGS.core.stale_s)
        blind = export_w is None
        if export_w is not None:
            most_load_w = SITE.nameplate_w - export_w
        allowed_w = LIMIT_W + (0.0 if blind or scan.fails else max(0.0, most_load_w))
        assert total_w(commands) <= min(allowed_w, SITE.nameplate_w) + 1e-6
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
            if first or scan.fails:
                assert limits_w[der.name] <= der.limit_w.otherwise(1e9) + 1e-9
            if scan.fails:
                assert limits_w[der.name] <= was_w[der.name] + 1e-9
        unheard_w = sum(
            known.nameplate_w
            for known, der in zip(SITE.der, seen.ders, strict=True)
            if (not der.reachable or der.refused) and known.contact is None
        )
        if scan.fails and unheard_w:
            assert total_w(commands) <= max(0.0, LIMIT_W - unheard_w)
        first = False
