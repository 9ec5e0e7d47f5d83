"""What the DERs' own powers prove while the meter is lost, and when the 32F element may be blocked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from guard_bench import SETTINGS

from edge.guard.sensing import proven_safe, verified_zero
from edge.model.image import DerReading, Image, PccReading
from edge.model.sample import Sample

NONE = Sample.none()
DELAY_S = SETTINGS.lost_sensing_s or 0.0


def image(*outputs: Sample) -> Image:
    """Two DERs with their measured outputs."""
    readings = tuple(DerReading(name, output, NONE) for name, output in zip("ab", outputs, strict=True))
    return Image(0, PccReading(NONE, NONE, NONE), readings)


@pytest.mark.parametrize(
    ("a_w", "b_w", "unmanaged_w", "safe"),
    [
        (50.0, 50.0, 0.0, True),
        (50.0, 50.001, 0.0, False),
        (50.0, 30.0, 20.0, True),
        (50.0, 30.0, 20.001, False),
        (-60.0, 100.0, 0.0, True),
        (-60.0, 100.001, 0.0, False),  # what one takes in does not allow the other more
    ],
)
def test_the_sum_at_zero_host_load_is_held_against_the_limit(
    a_w: float, b_w: float, unmanaged_w: float, safe: bool
) -> None:
    settings = replace(SETTINGS, unmanaged_w=unmanaged_w)
    assert proven_safe(settings, image(Sample.good(a_w, 10.0), Sample.good(b_w, 10.0)), 9.0, 10.5) is safe


IMPORT = replace(SETTINGS.elements[0], name="import", on_import=True)


@pytest.mark.parametrize(
    ("a_w", "b_w", "exports", "imports"),
    [
        (50.0, 50.0, True, True),
        (50.0, 50.1, False, True),  # what is made lowers an import
        (-0.5, -2.0, True, True),
        (-0.51, -2.0, True, False),
        (-0.5, -2.01, True, False),
        (-0.51, 100.1, False, False),
    ],
)
def test_what_proves_nothing_about_export_may_prove_that_nothing_is_taken_in(
    a_w: float, b_w: float, exports: bool, imports: bool
) -> None:
    """Opening ends no import of the host's own: it is enough that no DER absorbs more than 1 % of its nameplate."""
    at = image(Sample.good(a_w, 10.0), Sample.good(b_w, 10.0))
    armed = SETTINGS.elements
    for elements, safe in ((armed, exports), ((IMPORT,), imports), ((*armed, IMPORT), exports and imports)):
        assert proven_safe(replace(SETTINGS, elements=elements), at, 9.0, 10.5) is safe


@pytest.mark.parametrize("other", [NONE, Sample.good(0.0, 9.6), Sample.good(0.0, 9.61)])
def test_each_der_must_be_measured_after_the_loss(other: Sample) -> None:
    at = image(Sample.good(0.0, 10.0), other)
    assert proven_safe(SETTINGS, at, 9.6, 10.5) is (other.since(9.6) is not None)


@pytest.mark.parametrize("age_s", [0.9, 1.0, 1.1])
def test_a_proof_holds_for_less_than_the_delay(age_s: float) -> None:
    at = image(Sample.good(0.0, 10.0), Sample.good(0.0, 10.0))
    assert proven_safe(SETTINGS, at, 9.0, 10.0 + age_s) is (age_s < DELAY_S)
    assert (verified_zero(SETTINGS, at, 10.0 + age_s) is not None) is (age_s < DELAY_S)


@pytest.mark.parametrize(("b_w", "zero"), [(-5.0, True), (2.0, True), (2.001, False)])
def test_zero_is_up_to_one_percent_of_each_nameplate(b_w: float, zero: bool) -> None:
    proven_s = verified_zero(SETTINGS, image(Sample.good(0.5, 10.2), Sample.good(b_w, 10.0)), 10.5)
    assert proven_s == (10.0 if zero else None)


def test_unmanaged_generation_is_never_verified_zero() -> None:
    at = image(Sample.good(0.0, 10.0), Sample.good(0.0, 10.0))
    assert verified_zero(replace(SETTINGS, unmanaged_w=0.001), at, 10.0) is None
    assert verified_zero(SETTINGS, image(Sample.good(0.0, 10.0), NONE), 10.0) is None


@pytest.mark.parametrize(("at_s", "zero_s"), [(9.95, None), (10.0, None), (10.05, 10.0)])
def test_without_an_element_only_what_is_measured_from_now_on_is_lately(
    at_s: float, zero_s: float | None
) -> None:
    settings = replace(SETTINGS, elements=(), lost_sensing_s=None)
    assert verified_zero(settings, image(Sample.good(0.0, at_s), Sample.good(0.0, at_s)), 10.0) == zero_s
