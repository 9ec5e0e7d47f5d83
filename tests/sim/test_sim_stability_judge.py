"""How an answer is judged, against the plainest loop over the rows that the definitions allow."""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import replace

import numpy as np
import pytest

from edge.core import control, limiter, track
from sim.stability.answer import Answer, answer, room_for
from sim.stability.bench import Bench, Case
from sim.stability.clairvoyant import heard_s, replay
from sim.stability.grid import Cell, Unheard, Unit
from sim.stability.judge import Figures, bound_s, figures, response_s
from sim.stability.table import table
from sim.truth import Row, Truth, noise_of_mean_w

LIMIT_W, NAMEPLATE_W, DT_S = 25.0, 100.0, 0.1


def traced(export_w: list[float], load_w: list[float]) -> Truth:
    """A trace with a row every 0.1 s."""
    return Truth.of(
        [
            Row(
                index * DT_S,
                out_w,
                load,
                (out_w + load,),
                coil_closed=True,
                meter_sampled=index % 5 == 0,
                event="",
                available_w=100.0,
            )
            for index, (out_w, load) in enumerate(zip(export_w, load_w, strict=True))
        ]
    )


def drawn(seed: int) -> Truth:
    """A drop at 20.0 s, a slow answer with a relapse or two, noise."""
    draw = random.Random(seed)
    load_w = [(70.0 if row < 200 else 10.0) + draw.gauss(0.0, 0.5) for row in range(3000)]
    output_w = [93.0] * 3000
    back = 200 + draw.randrange(10, 90)
    for row in range(200, 3000):
        output_w[row] = 93.0 if row < back else max(33.0, 93.0 - 0.7 * (row - back))
    for _ in range(draw.randrange(3)):
        start, size_w = draw.randrange(300, 2500), draw.uniform(-12.0, 9.0)
        for row in range(start, start + draw.randrange(5, 120)):
            output_w[row] += size_w
    return traced([out - load for out, load in zip(output_w, load_w, strict=True)], load_w)


def counted(export_w: list[float], above_w: float) -> float:
    """What the PCS bound counts from row 200 on: the longest stretch without 10 s at or below `above_w`."""
    counted_s, longest_s, below_s = 0.0, 0.0, math.inf
    for row in range(200, 3000):
        below_s = 0.0 if export_w[row] > above_w else below_s + DT_S
        counted_s = counted_s + DT_S if below_s <= 10.0 - DT_S / 2 else 0.0
        longest_s = max(longest_s, counted_s - below_s)
    return longest_s


@pytest.mark.parametrize("seed", range(12))
def test_it_is_what_a_plain_loop_over_the_rows_finds(seed: int) -> None:
    truth = drawn(seed)
    export_w, output_w, t_s = truth.export_w.tolist(), truth.output_w.tolist(), truth.t_s.tolist()
    found = figures(truth, 20.0, LIMIT_W, NAMEPLATE_W, 33.0)

    mean_w = [statistics.fmean(export_w[max(0, row - 9) : row + 1]) for row in range(3000)]
    allowed_w = LIMIT_W + 0.5 + 4 * noise_of_mean_w(truth)
    response = next(
        t_s[row] - 20.0
        for row in range(200, 3000)
        if mean_w[row] <= LIMIT_W + 0.5 and all(later <= allowed_w for later in mean_w[row:])
    )
    assert found.response_s == pytest.approx(response)

    lacks_w = [33.0 - out for out in output_w[200:]]
    assert found.undershoot_pu == pytest.approx(max(0.0, *lacks_w) / 100.0)
    low = [row for row, lack_w in enumerate(lacks_w) if lack_w > 5.0]
    assert found.back_s == pytest.approx((low[-1] + 1) * DT_S if low else 0.0)

    assert found.bound_s == pytest.approx(counted(export_w, LIMIT_W + 0.5))
    assert found.limit_bound_s == pytest.approx(counted(export_w, LIMIT_W))

    part_w = export_w[1400:2600]
    assert found.swing_pu == pytest.approx((max(part_w) - min(part_w)) / 100.0)


def test_what_never_comes_back_has_no_end() -> None:
    truth = traced([26.0] * 400, [50.0] * 400)
    found = figures(truth, 20.0, LIMIT_W, NAMEPLATE_W, 90.0)
    assert (found.response_s, found.back_s) == (math.inf, math.inf)
    assert response_s(traced([25.0] * 400, [50.0] * 400), 20.0, LIMIT_W, NAMEPLATE_W) == 0.0
    assert bound_s(traced([25.0] * 400, [50.0] * 400), LIMIT_W) == 0.0


NONE = Figures(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
CASE = Case(Cell(0.5, 0.0, 0.5, 20.0, 0.25))
FAST = Case(Cell(0.1, 0.0, 0.5, 100.0, 0.25))


def test_ratios_undershoot_and_oscillation() -> None:
    slow = replace(NONE, response_s=6.0, back_s=9.0, undershoot_pu=0.2, swing_pu=0.08)
    best = replace(NONE, response_s=4.0, back_s=3.0, swing_pu=0.05)
    assert Answer(CASE, slow, best, 0.0).ratio == 1.5
    assert Answer(CASE, slow, slow, 0.0, rises=True).ratio == 1.0
    assert Answer(CASE, replace(slow, response_s=0.0), best, 0.0, rises=True).ratio == 3.0
    assert Answer(CASE, slow, best, 0.0, rises=True).ratio == 1.5  # it left the band: that counts
    assert Answer(CASE, slow, NONE, 0.0).ratio == math.inf
    assert Answer(CASE, NONE, NONE, 0.0).ratio == 1.0
    assert Answer(CASE, slow, best, 0.0).oscillation_pu == pytest.approx(0.03)
    assert Answer(CASE, best, slow, 0.0).oscillation_pu == 0.0
    judged = {
        (0.05, 99.0): False,
        (0.051, 8.0): False,
        (0.051, 8.1): True,
    }
    for (lacks_pu, back_s), low in judged.items():
        ours = replace(slow, undershoot_pu=lacks_pu, back_s=back_s)
        assert Answer(CASE, ours, best, 0.0).undershoots is low
        assert not Answer(CASE, ours, best, 0.0, rises=True).undershoots


@pytest.mark.parametrize(
    ("case", "best_s", "ours_s", "bounded", "outlasts"),
    [
        (CASE, 24.9, 30.0, True, False),
        (CASE, 24.9, 30.1, True, True),
        (CASE, 25.0, 99.0, False, False),
        (FAST, 1.4, 2.0, True, False),
        (FAST, 1.4, 2.1, True, True),
        (FAST, 1.5, 99.0, False, False),
    ],
)
def test_the_bound_counts_where_the_clairvoyant_keeps_clear_of_it(
    case: Case, best_s: float, ours_s: float, bounded: bool, outlasts: bool
) -> None:
    found = Answer(case, replace(NONE, bound_s=ours_s), replace(NONE, bound_s=best_s), 0.0)
    from_band, from_limit = found.bounds["limit + 0.5 %"], found.bounds["limit"]
    assert (from_band.judged, from_band.outlasts) == (bounded, outlasts)
    assert (from_limit.judged, from_limit.outlasts) == (True, False)
    rows = {row.name: row for row in table([found, Answer(case, NONE, NONE, 0.0)], wrong=False)}
    assert rows["bound from limit + 0.5 %, plants judged"].value == 1 + bounded
    assert rows["bound from limit + 0.5 %, plants judged"].met is None
    assert rows["bound from limit + 0.5 %, plants over it"].value == outlasts
    assert rows["bound from limit + 0.5 %, plants over it"].met is not outlasts
    assert rows["bound from limit + 0.5 %, longest"].value == (ours_s if bounded else 0.0)
    assert rows["bound from limit + 0.5 %, longest of the clairvoyant"].value == (best_s if bounded else 0.0)
    assert rows["bound from limit, plants over it"].value == 0


def test_each_count_is_held_against_the_clairvoyants_own() -> None:
    """Noise that keeps counting for the clairvoyant too makes a plant that cannot be judged by that count."""
    ours = replace(NONE, bound_s=1.0, limit_bound_s=9.0)
    noisy = Answer(FAST, ours, replace(NONE, bound_s=0.9, limit_bound_s=8.0), 0.0)
    assert [bound.judged for bound in noisy.bounds.values()] == [True, False]
    quiet = Answer(FAST, ours, replace(NONE, bound_s=0.9, limit_bound_s=1.4), 0.0)
    assert [bound.outlasts for bound in quiet.bounds.values()] == [False, True]
    assert not any(row.name.endswith("limit, longest") for row in table([noisy], wrong=False))


def test_the_clairvoyant_waits_for_the_sample_and_the_dead_time_and_moves_along_its_slope() -> None:
    """From 0.5 s after a sample that comes within 0.5 s, 20 % of nameplate a second, seen by a mean of 1 s."""
    found = answer("drop", Case(CASE.cell, 0.0005))
    by_hand_s = 0.5 + (0.95 - 0.35) / 0.2
    assert by_hand_s <= found.best.response_s <= by_hand_s + 0.5 + 1.0
    assert found.ours.response_s == pytest.approx(found.best.response_s, rel=0.05)


def test_a_replay_follows_its_commands() -> None:
    bench = Bench(Case(Cell(0.5, 0.2, 0.5, 20.0, 0.25), 0.0005))
    step_s = bench.load_to(0.1)
    bench.loop.run(10.0)
    truth = bench.loop.truth
    told_s = heard_s(bench.sim, truth, step_s)
    assert step_s + 0.2 <= told_s <= step_s + 0.7 + 1e-6
    start_w = truth.between(-np.inf, bench.ready_s).inverter_w[-1].tolist()
    best = replay(bench.sim, truth, bench.ready_s, start_w, [(told_s, 35_000.0)])
    after_s = best.t_s - told_s
    by_hand_w = np.clip(start_w[0] - 20_000.0 * (after_s - 0.5), 35_000.0, start_w[0])
    assert np.abs(best.output_w - by_hand_w)[best.t_s > bench.ready_s].max() <= 20_000.0 * 0.15


def test_in_a_replay_nobody_commands_a_lost_der() -> None:
    """The sum that is commanded is that of the others; what the lost one made it makes again."""
    cell = Cell(0.5, 0.2, 0.5, 20.0, 0.25, (Unit(0.5, 20.0, 0.4),), Unheard.SILENT)
    bench = Bench(Case(cell, 0.0005))
    assert bench.lost == (1,)
    bench.loop.run(30.0)
    truth = bench.loop.truth
    start_w = truth.between(-np.inf, bench.ready_s).inverter_w[-1].tolist()
    best = replay(bench.sim, truth, bench.ready_s, start_w, [(bench.ready_s, 6_000.0)], bench.lost)
    assert truth.inverter_w[-1, 1] == pytest.approx(10_000.0)
    assert start_w[1] > 20_000.0
    assert best.inverter_w[-1].tolist() == pytest.approx([6_000.0, 10_000.0])
    assert best.output_w[-1] == pytest.approx(16_000.0)


def test_room_is_made_for_a_lost_der_until_it_has_reverted() -> None:
    t_s = np.arange(0.0, 20.0, 0.1)
    lost_w = np.interp(t_s, [5.0, 8.0], [20.0, 5.0])
    down, *up = room_for(t_s, lost_w, 1.0, 90.0, 35.0, 10.0)
    assert down == (1.0, 15.0)
    assert up[0][0] == pytest.approx(8.0, abs=0.2)
    assert up[-1][1] == 30.0
    assert room_for(t_s, np.full(200, 5.0), 1.0, 90.0, 35.0, 10.0) == [(1.0, 30.0)]
    assert room_for(t_s, np.zeros(200), 1.0, 90.0, 35.0, 10.0) == [(1.0, 35.0)]


def test_a_limiter_that_comes_down_by_its_ramp_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        limiter,
        "moved",
        lambda now_w, wanted_w, _, rise_w: max(now_w - rise_w, min(wanted_w, now_w + rise_w)),
    )
    assert answer("drop", Case(Cell(1.0, 0.2, 0.5, 100.0, 0.25))).ratio > 2.0


def test_a_limiter_that_holds_its_ceiling_for_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "HOLD", 8.0)
    assert answer("rise", Case(Cell(1.0, 0.2, 0.5, 100.0, 0.25), 0.02)).ratio > 1.5


def test_a_limiter_without_commands_in_flight_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It corrects the same excursion at every sample: far below, and back, and again."""
    told = track.sent
    monkeypatch.setattr(
        control,
        "sent",
        lambda of, plant, limit_w, now_s, command_s: told(
            of, replace(plant, dead_time_s=0.0, slope_w_per_s=1e9), limit_w, now_s, command_s
        ),
    )
    found = answer("drop", Case(Cell(0.1, 0.0, 3.0, 100.0, 0.25)))
    assert found.undershoots or found.ratio > 1.1 or found.oscillation_pu > 0.02
