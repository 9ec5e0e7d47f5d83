"""A sample says what happens when it is missing, old, or no number (lessons 1 and 10)."""

from __future__ import annotations

import math

import pytest

from edge.model.image import Override
from edge.model.sample import Quality, Sample

NONE_OF_THESE = [Sample.none(quality) for quality in Quality if quality is not Quality.GOOD]


@pytest.mark.parametrize("age_s", [0.0, 0.999, 1.0, 1.001, 5.0])
def test_fresh_is_up_to_the_age_and_no_further(age_s: float) -> None:
    assert (Sample.good(7.0, 10.0, 99.0).fresh(10.0 + age_s, 1.0) == 7.0) is (age_s <= 1.0)


@pytest.mark.parametrize("instant_s", [9.0, 9.999, 10.0, 10.001, 11.0])
def test_since_is_strictly_after_and_counts_the_oldest_time(instant_s: float) -> None:
    assert (Sample.good(7.0, 10.0, 20.0).since(instant_s) == 7.0) is (instant_s < 10.0)


def test_otherwise_is_the_last_good_value_whatever_its_age() -> None:
    assert Sample.good(7.0, -1e9).otherwise(3.0) == 7.0
    assert Sample(7.0, 1.0, 1.0, Quality.STALE).otherwise(3.0) == 7.0
    assert Sample(7.0, 1.0, 1.0, Quality.INVALID).otherwise(3.0) == 3.0
    assert Sample.none().otherwise(3.0) == 3.0


@pytest.mark.parametrize("sample", NONE_OF_THESE)
def test_what_is_not_good_is_neither_fresh_nor_since(sample: Sample) -> None:
    assert sample.fresh(0.0, math.inf) is None
    assert sample.since(-math.inf) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_finite_number_was_not_measured(value: float) -> None:
    sample = Sample.good(value, 1.0)
    assert sample.quality is Quality.INVALID
    assert sample.otherwise(5.0) == 5.0


def test_one_instant_unless_a_span_is_given() -> None:
    assert Sample.good(1.0, 2.0).newest_s == 2.0
    assert Sample.good(1.0, 2.0, 3.0).newest_s == 3.0


def test_shown_turns_stale_with_age_and_has_no_age_without_a_value() -> None:
    assert Sample.good(7.0, 10.0).shown(11.0, 1.0) == (7.0, 1.0, Quality.GOOD)
    assert Sample.good(7.0, 10.0).shown(11.1, 1.0)[2] is Quality.STALE
    assert Sample(7.0, 10.0, 10.0, Quality.STALE).shown(10.0, 1.0) == (7.0, 0.0, Quality.STALE)
    assert Sample.none(Quality.INVALID).shown(11.0, 1.0) == (None, None, Quality.INVALID)


@pytest.mark.parametrize(
    ("limit_w", "cap_w"),
    [(None, None), (5.0, 5.0), (0.0, 0.0), (-1.0, 0.0), (math.nan, 0.0), (math.inf, math.inf)],
)
def test_an_override_that_is_no_limit_allows_nothing(limit_w: float | None, cap_w: float | None) -> None:
    assert Override("test", 1.0, limit_w=limit_w).cap_w == cap_w
