"""Types, scale factors and writes as registers: round trips, sentinels, refusals."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from served_map import paths
from sunspec2 import mb

from drivers.errors import OutOfRange
from drivers.question import MAX_READ
from drivers.sunspec.decode import scaled
from drivers.sunspec.definition import PointDef, definition
from drivers.sunspec.encode import encode
from drivers.sunspec.plan import Point, make_plan, spans
from drivers.sunspec.types import FLOATS, NUMBERS, Raw, decode_raw

WHOLE = sorted(set(NUMBERS) - FLOATS - {"sunssf"})


def point(kind: str, size: int, scale: int | str | None = None) -> Point:
    return Point(PointDef("P", kind, size, scale, writable=True, units=None), 0)


def back(kind: str, words: list[int]) -> Raw | None:
    return decode_raw(kind, struct.pack(f">{len(words)}H", *words))


@given(kind=st.sampled_from(WHOLE), data=st.data())
def test_whole_numbers_survive_the_round_trip(kind: str, data: st.DataObject) -> None:
    number = NUMBERS[kind]
    value = data.draw(st.integers(int(number.low), int(number.high)))
    assume(value not in number.absent)
    assert back(kind, encode(point(kind, number.size), value, None)) == value


@given(kind=st.sampled_from(WHOLE), data=st.data())
def test_what_does_not_fit_is_refused(kind: str, data: st.DataObject) -> None:
    number = NUMBERS[kind]
    far = st.integers(max_value=int(number.low) - 1) | st.integers(min_value=int(number.high) + 1)
    with pytest.raises(OutOfRange, match="cannot be"):
        encode(point(kind, number.size), data.draw(far), None)


@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_survive_the_round_trip(value: float) -> None:
    assert back("float32", encode(point("float32", 2), value, None)) == value


@given(counts=st.integers(-32767, 32767), exponent=st.integers(-10, 10))
def test_scaled_values_write_back_the_same_counts(counts: int, exponent: int) -> None:
    value = scaled(counts, exponent)
    assert isinstance(value, int | float)
    assert back("int16", encode(point("int16", 1, "P_SF"), value, exponent)) == counts


@given(counts=st.integers(0, 65534), exponent=st.integers(-4, 4))
def test_rounding_down_keeps_a_value_that_fits_exactly(counts: int, exponent: int) -> None:
    value = scaled(counts, exponent)
    assert isinstance(value, int | float)
    assert encode(point("uint16", 1, "P_SF"), value, exponent, "down") == [counts]


@given(pct=st.floats(0, 100), exponent=st.integers(-2, 0))
def test_rounding_down_never_writes_more_than_asked(pct: float, exponent: int) -> None:
    written = scaled(encode(point("uint16", 1, "P_SF"), pct, exponent, "down")[0], exponent)
    assert isinstance(written, int | float)
    assert written <= pct * (1 + 1e-8) + 1e-9
    assert written > pct - 10.0**exponent - 1e-9


def test_a_negative_set_point_never_becomes_full_power() -> None:
    with pytest.raises(OutOfRange, match=r"uint16 holds 0 to 655\.34"):
        encode(point("uint16", 1, "P_SF"), -1, -2)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_not_a_number_is_refused(value: float) -> None:
    for kind in ("uint16", "float32"):
        with pytest.raises(OutOfRange):
            encode(point(kind, NUMBERS[kind].size), value, None)


def test_a_point_whose_scale_factor_is_absent_cannot_be_written() -> None:
    with pytest.raises(OutOfRange, match="states no scale factor P_SF"):
        encode(point("uint16", 1, "P_SF"), 5, None)


def test_a_32_bit_point_is_whole() -> None:
    assert encode(point("uint32", 2), 120, None) == [0, 120]


@pytest.mark.parametrize("kind", sorted(NUMBERS))
def test_sentinels_are_those_of_pysunspec2(kind: str) -> None:
    if kind == "pad":
        return
    assert decode_raw(kind, mb.create_unimpl_value(kind)) is None


def test_sentinels_beyond_pysunspec2() -> None:
    assert decode_raw("acc32", b"\x80\x00\x00\x00") is None  # KSEM
    assert decode_raw("float32", struct.pack(">f", math.inf)) is None
    assert scaled(500, None) is None  # a scale factor of 0x8000
    assert scaled(500, 11) is None  # and one outside what SunSpec allows


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"SolarEdge \0\0\0\0\0\0", "SolarEdge"),
        (b"abc\0\xff\xfe\x01 junk", "abc"),
        (b"\0rest", None),
        (b"        ", None),
        (b"\xff\xff\xff\xff", None),
        ("Wärme".encode(), "Wärme"),
    ],
)
def test_strings_end_at_the_first_nul_and_lose_blanks(data: bytes, text: str | None) -> None:
    assert decode_raw("string", data) == text


def test_strings_are_padded_and_bounded() -> None:
    assert encode(point("string", 2), "abc", None) == [0x6162, 0x6300]
    for wrong in ("abcde", "a\0b", 5):
        with pytest.raises(OutOfRange):
            encode(point("string", 2), wrong, None)


def test_addresses() -> None:
    assert decode_raw("eui48", bytes.fromhex("0000A1B2C3D4E5F6")) == "A1:B2:C3:D4:E5:F6"
    assert decode_raw("eui48", bytes(8)) is None
    raw = bytes(range(16))
    assert decode_raw("ipv6addr", raw) == mb.data_to_ipv6addr(raw)
    assert decode_raw("ipv6addr", bytes(16)) is None


@given(value=st.integers(-(2**31) + 1, 2**31 - 1), exponent=st.integers(-6, 6))
def test_scaling_is_that_of_pysunspec2(value: int, exponent: int) -> None:
    expected = round(value * math.pow(10, exponent), -exponent) if exponent else value
    assert scaled(value, exponent) == expected


@pytest.mark.parametrize(
    ("model_id", "counts"),
    [
        (701, {}),
        (707, {"NPt": 5, "NCrvSet": 3}),
        (709, {"NPt": 5, "NCrvSet": 3}),
        (160, {}),
        (403, {}),
        (1, {}),
    ],
)
def test_reads_are_short_and_never_cut_a_value(model_id: int, counts: dict[str, int]) -> None:
    spec = definition(model_id)
    assert spec is not None
    plan = make_plan(spec, spec.points_size - 2 + 20 * 17 if not counts else 400, counts)
    points = [one for _, one in paths(plan.root)]
    end = max(one.end for one in points)
    reads = spans(points, end)
    assert reads[0][0] == 0
    assert sum(count for _, count in reads) == end
    assert all(0 < count <= MAX_READ for _, count in reads)
    cuts = {offset for offset, _ in reads}
    assert not [one for one in points for cut in cuts if one.offset < cut < one.end]
