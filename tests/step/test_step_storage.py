"""Storage through the whole step: whatever is measured, lost or old, bands are bands, and nothing is exchanged blind.

The rules are of a line each and know nothing of dispatch: the limits never pass what the limiter's own stack says,
but by absorption that was measured; charging from the grid is told only with sight, and no more than agreed.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.core import control, dispatch
from edge.core.storage import ROOM
from edge.model.durable import NEW_SITE, STATE_LOST
from edge.model.image import DerReading, Image, PccReading
from edge.model.sample import Quality, Sample
from edge.model.site import Site
from edge.model.strict_toml import load
from edge.step import Settings, State, mode, start, step
from sim.base import SITES
from sim.closed_loop import ClosedLoop
from sim.simfile import load_simfile

TEXT = (SITES / "storage.site.toml").read_text(encoding="utf-8")
PLANT = load_simfile(SITES / "storage.sim.toml")
PV, CELL = "pv-1", "battery-1"
CHARGE_W = 30_000.0
FAST = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def site(mode: str, limit_w: float, *, operated: bool = False) -> Site:
    """The storage site in a mode."""
    text = TEXT.replace('"unrestricted"', f'"{mode}"').replace(
        "export_limit_w = 10_000.0", f"export_limit_w = {limit_w}"
    )
    text = text.replace("safe_w = 10_000.0", "safe_w = 0.0")
    if mode == "import_limiting_to_ess":
        text = text.replace("import_limit_method", "ess_import_limit_w = 5000.0\nimport_limit_method")
    if operated:
        text = text.replace("charge_w = 30_000.0", 'charge_w = 30_000.0\noperation = "setpoint"')
    return load(Site, text, "storage")


SITES_HELD = [
    site("unrestricted", 10_000.0),
    site("export_only", 10_000.0),
    site("import_only", 10_000.0),
    site("no_exchange", 0.0),
    site("no_exchange", 0.0, operated=True),
    site("import_limiting_to_ess", 10_000.0),
]
AGES_S = st.sampled_from([0.0, 0.0, 0.0, 0.05, 0.05, 0.1, 0.3, 1.3])


@dataclass(frozen=True)
class Scan:
    """One scan: what it is shown, each with its age."""

    gap_s: float
    export: tuple[float, float] | None
    is_new: bool
    pv: tuple[float, float] | None
    cell: tuple[float, float] | None
    soc_pu: float | None
    heard: tuple[bool, bool]
    restart: bool
    fails: bool


def measured(*powers_w: float) -> st.SearchStrategy[tuple[float, float] | None]:
    at_hand = st.tuples(st.sampled_from(powers_w), AGES_S)
    return st.sampled_from([False, False, False, True]).flatmap(lambda lost: st.none() if lost else at_hand)


ONE = st.builds(
    Scan,
    gap_s=st.sampled_from([0.02, 0.2, 0.2, 0.2, 0.5, 3.0]),
    export=measured(-90_000.0, -5_000.0, 0.0, 200.0, 9_900.0, 10_100.0, 60_000.0),
    is_new=st.sampled_from([True, True, True, False]),
    pv=measured(0.0, 20_000.0, 60_000.0),
    cell=measured(-30_000.0, -5_000.0, 0.0, 5_000.0, 40_000.0),
    soc_pu=st.sampled_from([None, 0.5, 0.994, 0.995, 1.0]),
    heard=st.sampled_from([*[(True, True)] * 8, (True, False), (False, True)]),
    restart=st.sampled_from([False] * 19 + [True]),
    fails=st.sampled_from([False] * 19 + [True]),
)
LASTING = st.tuples(ONE, st.sampled_from([1, 1, 3, 8, 12])).map(lambda drawn: [drawn[0]] * drawn[1])
"""The same for some scans: without, no site would ever be at work for long."""
SCANS = st.lists(LASTING, min_size=1, max_size=8).map(lambda runs: [scan for run in runs for scan in run])


def sample(value: tuple[float, float] | None, now_s: float) -> Sample:
    return Sample.none(Quality.INVALID) if value is None else Sample.good(value[0], now_s - value[1], now_s)


def image(scan: Scan, pcc: PccReading, now_s: float) -> Image:
    """What the scan is shown."""
    soc = Sample.none() if scan.soc_pu is None else Sample.good(scan.soc_pu, now_s)
    nothing = Sample.none()
    return Image(
        0,
        pcc,
        (
            DerReading(PV, sample(scan.pv, now_s), nothing, reachable=scan.heard[0]),
            DerReading(
                CELL, sample(scan.cell, now_s), nothing, reachable=scan.heard[1], soc_pu=soc, floor_w=nothing
            ),
        ),
    )


@functools.cache
def regulating(index: int) -> State:
    """A site that has been at work for 15 s, in full sun."""
    loop = ClosedLoop(PLANT, SITES_HELD[index]).run(15.0)
    assert mode(loop.state) == "regulating"
    return loop.state


def check(index: int, scans: list[Scan], *, at_work: bool) -> None:
    """Run the scans; every rule is asserted at each."""
    held = SITES_HELD[index]
    compiled, agreed = Settings.of(held), held.agreement.pcs_modes[0]
    now_s, sequence, shown = 100.0, 0, list[tuple[float, float]]()
    pcc = PccReading(Sample.none(), Sample.none(), Sample.none())
    state = start(compiled, NEW_SITE, now_s)
    if at_work:
        state, now_s, sequence = regulating(index), 15.0, 1_000
        shown.append((now_s, -CHARGE_W))
    for scan in scans:
        now_s += scan.gap_s
        if scan.restart:
            state, shown = start(compiled, state.durable, now_s), []
        if scan.is_new:
            sequence += 1
            pcc = PccReading(
                sample(scan.export, now_s), sample((1.0, 0.0), now_s), sample((60.0, 0.0), now_s), sequence
            )
        seen = image(scan, pcc, now_s)
        if scan.cell is not None:
            shown.append((now_s - scan.cell[1], scan.cell[0]))
        with pytest.MonkeyPatch.context() as patch:
            if scan.fails:
                patch.setattr(control, "target_w", lambda *_: 1 / 0)
            state, commands, reasons = step(seen, compiled, state, now_s)
        told = {limit.name: limit for limit in commands.limits}
        blind = scan.fails or state.core.fallback.active
        for name, most_w, least_w in ((PV, 60_000.0, 0.0), (CELL, 40_000.0, -CHARGE_W)):
            assert least_w <= told[name].floor_w <= min(0.0, told[name].limit_w)
            assert told[name].limit_w <= most_w
        # The limits never pass what the stack allows, unless nothing can be given anyway.
        allowed_w = max(0.0, min(narrowing.limit_w for narrowing in reasons.limits if narrowing.der is None))
        absorbs_w = max((-power_w for at_s, power_w in shown if now_s - at_s <= 1.2), default=0.0)
        given_w = told[PV].limit_w + max(told[CELL].limit_w, -max(0.0, absorbs_w))
        assert given_w <= allowed_w + 1e-6 or told[PV].limit_w == 0.0
        if blind:
            assert told[CELL].limit_w <= 0.0 or agreed not in {"import_only", "no_exchange"}
            assert told[CELL].floor_w == 0.0 or agreed in {"unrestricted", "import_only"}
            assert told[PV].limit_w + max(0.0, told[CELL].limit_w) <= held.limit_w + 1e-6
        if not scan.heard[1]:
            assert (told[CELL].limit_w, told[CELL].floor_w) == (0.0, 0.0)
        if scan.soc_pu is not None and scan.soc_pu >= 0.995 and not scan.fails:
            assert told[CELL].floor_w == 0.0
        if state.durable.tripped:
            assert all((limit.limit_w, limit.floor_w) == (0.0, 0.0) for limit in commands.limits)


@pytest.mark.parametrize("index", range(len(SITES_HELD)))
def test_no_sequence_of_anything_lets_storage_exchange_what_was_not_agreed(index: int) -> None:
    @given(SCANS, st.booleans())
    @FAST
    def sequences(scans: list[Scan], at_work: bool) -> None:
        check(index, scans, at_work=at_work)

    sequences()


def test_a_start_without_state_takes_and_gives_nothing() -> None:
    compiled, nothing = Settings.of(SITES_HELD[0]), Sample.none()
    ders = tuple(DerReading(name, Sample.good(0.0, 100.0), nothing) for name in (PV, CELL))
    seen = Image(0, PccReading(nothing, nothing, nothing), ders)
    _, commands, _ = step(seen, compiled, start(compiled, STATE_LOST, 100.0), 100.0)
    assert [(limit.limit_w, limit.floor_w) for limit in commands.limits] == [(0.0, 0.0)] * 2


@pytest.mark.parametrize("order", ["proportional", "priority", "equal"])
def test_the_order_of_the_site_file_is_the_one_that_shares(order: str) -> None:
    text = TEXT.replace("[control]", f'[control]\ndispatch = "{order}"')
    compiled = Settings.of(load(Site, text, "storage"))
    assert compiled.core.order == order
    assert dispatch.sharing(compiled.core.order).__name__ == order
    assert 0.0 < ROOM < 1.0


def test_an_import_element_keeps_charging_below_its_dropout() -> None:
    text = TEXT.replace("[control]", '[[guard.element]]\nkind = "import"\npickup_w = 50000.0\n\n[control]')
    found = Settings.of(load(Site, text, "storage")).core.storage
    assert found.site_import_w == 49_000.0
    assert found.limits_import
