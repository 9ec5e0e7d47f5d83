"""Freshness: whatever the meter and the polls do, the true instant of measuring lies in the sample's span."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model.freshness import (
    DER_REPEAT_S,
    NOTHING_MORE,
    DerFreshness,
    MeterFreshness,
    MeterTiming,
    Needs,
    der_output,
    fitness,
)
from edge.model.image import PccReading
from edge.model.readings import DerRaw, MeterRaw
from edge.model.sample import Quality, Sample
from edge.model.site import Site
from edge.model.strict_toml import load

DEMO = Path(__file__).parents[2] / "sim" / "sites" / "demo.site.toml"
DER = load(Site, DEMO.read_text(encoding="utf-8"), "demo").der[0]
TIMING = MeterTiming(
    period_s=0.2,
    latency_s=0.05,
    averaging_s=0.0,
    max_repeat_s=0.0,
    transaction_s=0.3,
    nominal_v=277.0,
    plausible_w=375_000.0,
)


def answer(sent_s: float, export_w: float | None, *, raw: tuple[int, ...] | None = None) -> MeterRaw:
    shown = raw if raw is not None else (2770, int(export_w or 0), 600)
    return MeterRaw(sent_s, sent_s + 0.01, export_w, (), 277.0, 60.0, shown)


def begun(timing: MeterTiming = TIMING) -> MeterFreshness:
    """A meter that answered once, at 9.9, and then with something else at 10.0."""
    freshness = MeterFreshness(timing)
    assert not freshness.take(answer(9.9, 4000.0))
    assert freshness.take(answer(10.0, 5000.0))
    return freshness


@given(
    gaps_s=st.lists(st.floats(0.001, 0.5), min_size=2, max_size=60),
    phase_s=st.floats(0, 0.2),
    latency_s=st.floats(0, 0.05),
    took_s=st.floats(0.0, 0.3),
    skipped=st.frozensets(st.integers(500, 600)),
    lost=st.frozensets(st.integers(1, 60)),
)
def test_the_true_instant_lies_in_the_span(
    gaps_s: list[float],
    phase_s: float,
    latency_s: float,
    took_s: float,
    skipped: frozenset[int],
    lost: frozenset[int],
) -> None:
    """A meter renews its registers once a period, `latency_s` after measuring, and skips some renewals.

    Polls come at any time, and some are lost.
    """
    freshness = MeterFreshness(TIMING)
    sent_s, sequence, shown_before = 100.0, 0, None
    for poll, gap_s in enumerate(gaps_s):
        sent_s += gap_s
        if poll in lost:
            continue
        # The device reads its registers some time within the transaction; the last one may change midway.
        number = int((sent_s + took_s - phase_s) / TIMING.period_s)
        while number in skipped:
            number -= 1
        measured_s = number * TIMING.period_s + phase_s - latency_s
        raw = MeterRaw(sent_s, sent_s + took_s, 1000.0 + number, (), 277.0, 60.0, (number,))
        is_new = freshness.take(raw)
        assert is_new == (shown_before is not None and number != shown_before)
        shown_before = number
        reading = freshness.reading
        assert reading.sequence == sequence + is_new
        sequence = reading.sequence
        if is_new:
            assert reading.export_w.oldest_s <= measured_s + 1e-9
            assert measured_s <= reading.export_w.newest_s + 1e-9
        sent_s += took_s


def test_a_renewal_skipped_while_polls_are_lost_makes_nothing_younger() -> None:
    """Shown since just after the poll at 10.0, and first seen 0.8 s later: it may be 0.8 s old."""
    freshness = MeterFreshness(TIMING)
    assert not freshness.take(answer(10.0, 5000.0))
    assert freshness.take(answer(10.8, 6000.0))
    assert freshness.reading.export_w.oldest_s == pytest.approx(10.0 - 0.05)


def test_the_first_answer_has_no_age() -> None:
    freshness = MeterFreshness(TIMING)
    assert not freshness.take(answer(10.0, 5000.0))
    assert freshness.reading.sequence == 0
    assert freshness.reading.export_w.quality is Quality.ABSENT


def test_a_frozen_meter_ages_from_its_last_change() -> None:
    freshness = begun()
    first = freshness.reading
    for poll in range(1, 100):
        assert not freshness.take(answer(10.0 + poll * 0.04, 5000.0))
    assert freshness.reading == first
    assert freshness.reading.export_w.fresh(14.0, 1.0) is None


def test_polling_faster_than_the_period_narrows_the_span() -> None:
    freshness = begun()
    freshness.take(answer(10.04, 5000.0))
    freshness.take(answer(10.08, 6000.0))
    assert freshness.reading.export_w.oldest_s == pytest.approx(10.04 - 0.05)
    freshness.take(answer(10.9, 7000.0))
    assert freshness.reading.export_w.oldest_s == pytest.approx(10.08 - 0.05)


def test_repeats_count_once_a_period_within_the_allowance() -> None:
    freshness = begun(replace(TIMING, max_repeat_s=1.0))
    new_at = [poll for poll in range(1, 60) if freshness.take(answer(10.0 + poll * 0.04, 5000.0))]
    assert new_at == [5, 10, 15, 20, 25]
    assert freshness.reading.sequence == 6


@pytest.mark.parametrize(
    ("bad", "quality"),
    [
        (answer(11.0, None, raw=(1, 2, 3)), Quality.ABSENT),
        (answer(11.0, 2147483647.0), Quality.INVALID),
        (answer(11.0, -400_000.0), Quality.INVALID),
        (answer(11.0, 0.0, raw=(0, 0, 0)), Quality.INVALID),
        (replace(answer(11.0, 1.0), v_v=0.0), Quality.INVALID),
        (answer(11.0, 374_000.0), Quality.GOOD),
        (answer(11.0, 0.0), Quality.GOOD),
    ],
)
def test_what_cannot_be_true_is_not_good(bad: MeterRaw, quality: Quality) -> None:
    assert fitness(bad, TIMING) is quality


def test_one_unfit_answer_is_a_lost_sample_and_several_are_lost_sight() -> None:
    freshness = begun()
    assert not freshness.take(answer(10.2, 2147483647.0))
    assert freshness.reading.export_w.fresh(10.3, 1.0) == 5000.0
    assert not freshness.take(answer(11.0, 2147483000.0))
    assert freshness.reading.export_w.quality is Quality.INVALID
    assert freshness.reading.sequence == 1
    assert freshness.take(answer(11.2, 5100.0))
    assert freshness.reading.export_w.fresh(11.3, 1.0) is None  # shown since 10.0, for all that is known
    assert freshness.take(answer(11.4, 5200.0))
    assert freshness.reading.export_w.fresh(11.5, 1.0) == 5200.0


def test_frozen_registers_age_though_unfit_answers_come_between() -> None:
    freshness = begun()
    for poll in range(1, 20):
        bad = answer(10.0 + poll * 0.2, 2147483647.0, raw=(poll, 65535, 600))
        assert not freshness.take(bad)
        assert not freshness.take(answer(10.1 + poll * 0.2, 5000.0))
    assert freshness.reading.sequence == 1
    assert freshness.reading.export_w.fresh(14.1, 1.0) is None


def der_answer(sent_s: float, output_w: float | None, raw: int) -> DerRaw:
    return DerRaw(sent_s, sent_s + 0.01, output_w, 277.0, 60.0, (raw,))


def test_a_frozen_der_ages_from_its_last_change_and_a_short_repeat() -> None:
    freshness = DerFreshness(DER)
    freshness.take(der_answer(10.0, 12_000.0, 1))
    freshness.take(der_answer(10.0 + DER_REPEAT_S, 12_000.0, 1))
    assert freshness.output_w.oldest_s == 10.0 + DER_REPEAT_S
    for poll in range(100):
        assert not freshness.take(der_answer(20.0 + poll, 12_000.0, 1))
    assert freshness.output_w.oldest_s == 10.0 + DER_REPEAT_S
    assert freshness.take(der_answer(120.0, 12_000.0, 2))
    assert freshness.output_w.oldest_s == 120.0


def test_frozen_storage_ages_while_it_charges_too() -> None:
    """What it absorbs makes room for generation, and a card that answers for a dead battery proves none of it."""
    for output_w, last_s in ((-12_000.0, 10.0), (-200.1, 10.0), (-200.0, 30.0), (200.0, 30.0), (200.1, 10.0)):
        freshness = DerFreshness(DER)
        freshness.take(der_answer(10.0, output_w, 1))
        freshness.take(der_answer(30.0, output_w, 1))
        assert freshness.output_w.oldest_s == last_s


def test_an_inverter_asleep_repeats_its_zero_all_night() -> None:
    freshness = DerFreshness(DER)
    for poll in range(1000):
        assert freshness.take(der_answer(10.0 + poll * 10, 200.0, 1))
    assert freshness.output_w.oldest_s == 10_000.0


def test_a_frozen_der_ages_though_unfit_answers_come_between() -> None:
    freshness = DerFreshness(DER)
    for poll in range(20):
        freshness.take(der_answer(10.0 + poll, 12_000.0, 1))
        freshness.take(der_answer(10.5 + poll, 65_536_000.0, 2 + poll))
    assert freshness.output_w.oldest_s == 10.0 + DER_REPEAT_S


def test_der_output_spans_the_request_and_refuses_the_impossible() -> None:
    der = DER
    good = der_output(DerRaw(5.0, 5.1, 12_000.0, 277.0, 60.0), der)
    assert (good.oldest_s, good.newest_s) == (5.0, 5.1)
    assert der_output(DerRaw(5.0, 5.1, 65_536_000.0, 277.0, 60.0), der).quality is Quality.INVALID
    assert der_output(DerRaw(5.0, 5.1, None, None, None), der).quality is Quality.ABSENT


class TestNeeds:
    """What is limited must be in the answer: without it there is no measurement."""

    def answer(self, sent_s: float, **swaps: object) -> MeterRaw:
        """An answer that shows everything."""
        whole = replace(
            answer(sent_s, 600.0 + 10 * sent_s),
            phase_export_w=(100.0, 200.0, 300.0),
            export_var=50.0,
            phase_export_var=(10.0, 20.0, 20.0),
        )
        return replace(whole, **swaps)  # type: ignore[arg-type]  # named fields of the answer

    def shown(self, needs: Needs, **swaps: object) -> PccReading:
        """The reading after two answers."""
        freshness = MeterFreshness(replace(TIMING, needs=needs))
        for sent_s in (9.9, 10.0):
            freshness.take(self.answer(sent_s, **swaps))
        return freshness.reading

    def test_what_nobody_needs_is_left_out(self) -> None:
        found = self.shown(NOTHING_MORE)
        assert found.export_w.quality is Quality.GOOD
        assert found.phase_export_w == found.phase_export_var == ()
        assert found.export_var.quality is Quality.ABSENT

    def test_all_of_a_reading_has_one_age(self) -> None:
        found = self.shown(Needs((0, 1, 2), var=True, phase_var=True))
        shown = (*found.phase_export_w, found.export_var, *found.phase_export_var)
        assert [each.otherwise(0.0) for each in shown] == [100.0, 200.0, 300.0, 50.0, 10.0, 20.0, 20.0]
        span = found.export_w.oldest_s, found.export_w.newest_s
        assert {(each.oldest_s, each.newest_s) for each in shown} == {span}

    @pytest.mark.parametrize(
        ("needs", "swaps", "quality"),
        [
            (Needs((0, 1)), {"phase_export_w": (1.0, 2.0, None)}, Quality.GOOD),
            (Needs((0, 1, 2)), {"phase_export_w": (1.0, 2.0, None)}, Quality.ABSENT),
            (Needs((0, 1, 2)), {"phase_export_w": (1.0, 2.0)}, Quality.ABSENT),
            (Needs((0, 1, 2)), {"phase_export_w": ()}, Quality.ABSENT),
            (Needs((0, 1, 2)), {"phase_export_w": (1.0, 375_000.0, 1.0)}, Quality.GOOD),
            (Needs((0, 1, 2)), {"phase_export_w": (1.0, -375_000.1, 1.0)}, Quality.INVALID),
            (Needs((0, 1, 2)), {"phase_export_w": (1.0, float("nan"), 1.0)}, Quality.INVALID),
            (Needs((), var=True), {"export_var": None}, Quality.ABSENT),
            (Needs((), var=True), {"export_var": 375_001.0}, Quality.INVALID),
            (Needs((0, 1)), {"export_var": None}, Quality.GOOD),
            (Needs((0, 1), phase_var=True), {"phase_export_var": (1.0, None, 1.0)}, Quality.ABSENT),
            (Needs((0, 1), phase_var=True), {"phase_export_var": (1.0, 1.0)}, Quality.GOOD),
        ],
    )
    def test_an_answer_without_it_is_no_measurement(
        self, needs: Needs, swaps: dict[str, object], quality: Quality
    ) -> None:
        assert fitness(self.answer(10.0, **swaps), replace(TIMING, needs=needs)) is quality

    def test_a_lost_phase_is_lost_sight_of_everything(self) -> None:
        freshness = MeterFreshness(replace(TIMING, needs=Needs((0, 1, 2))))
        for at in range(100, 110):
            freshness.take(self.answer(at / 10))
        before = freshness.reading
        for at in range(110, 120):
            assert not freshness.take(self.answer(at / 10, phase_export_w=(1.0, None, 1.0)))
        found = [
            reading.power_w(place).quality for reading in (before, freshness.reading) for place in (None, 1)
        ]
        assert found == [Quality.GOOD] * 2 + [Quality.ABSENT] * 2

    @pytest.mark.parametrize(
        ("keys", "needs"),
        [
            ("", NOTHING_MORE),
            ("export_limit_phase_w = 9_000.0\n", Needs((0, 1, 2))),
            ("export_limit_va = 26_000.0\n", Needs((), var=True)),
            ("export_limit_phase_va = 9_000.0\n", Needs((0, 1, 2), phase_var=True)),
        ],
    )
    def test_a_site_needs_what_it_limits(self, keys: str, needs: Needs) -> None:
        text = DEMO.read_text(encoding="utf-8").replace("export_limit_w", f"{keys}export_limit_w")
        assert MeterTiming.of(load(Site, text, "demo")).needs == needs


def test_a_reading_gives_each_power_by_its_place() -> None:
    good = [Sample.good(float(value), 1.0) for value in range(7)]
    reading = PccReading(good[0], good[0], good[0], 0, tuple(good[1:4]), good[4], tuple(good[5:7]))
    assert [reading.power_w(place) for place in (None, 0, 1, 2)] == good[:4]
    assert [reading.power_var(place) for place in (None, 0, 1)] == good[4:7]
    assert reading.power_w(3).quality is reading.power_var(2).quality is Quality.ABSENT
