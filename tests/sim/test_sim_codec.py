"""Our encoding against pysunspec2's own decoding, and layouts against its models."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sunspec2 import mb
from sunspec2.device import Model

from sim.devices.codec import decode, encode, scale_for
from sim.devices.layout import layout

NUMBERS = ["int16", "uint16", "count", "enum16", "bitfield16", "sunssf", "acc16"]
NUMBERS += ["int32", "uint32", "enum32", "bitfield32", "acc32", "int64", "uint64", "acc64"]


def theirs(kind: str, words: list[int]) -> tuple[int, bool]:
    """The value and whether it is implemented, as pysunspec2 reads it."""
    info = mb.point_type_info[kind]
    value = info.data_to(struct.pack(f">{len(words)}H", *words))
    return value, info.is_impl(value)


@pytest.mark.parametrize("kind", NUMBERS)
def test_absent_is_the_sentinel(kind: str) -> None:
    words = encode(kind, mb.point_type_info[kind].len, None)
    assert not theirs(kind, words)[1]


@given(kind=st.sampled_from(NUMBERS), value=st.integers(-(2**70), 2**70))
def test_numbers_stay_inside_their_type_and_clear_of_the_sentinel(kind: str, value: int) -> None:
    size = mb.point_type_info[kind].len
    bits = 16 * size
    words = encode(kind, size, value)
    read, implemented = theirs(kind, words)
    if kind.startswith("acc"):
        assert read == value % 2**bits
        return
    assert implemented
    signed = kind in {"int16", "int32", "int64", "sunssf"}
    low, high = (-(2 ** (bits - 1)) + 1, 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 2)
    assert read == min(high, max(low, value))
    assert decode(kind, words) == read


def test_strings_are_cut_and_padded() -> None:
    assert encode("string", 2, "SunSpec") == [0x5375, 0x6E53]
    assert encode("string", 2, "a") == [0x6100, 0]
    assert encode("string", 2, None) == [0, 0]


@given(st.floats(1.0, 3e8))
def test_the_scale_is_the_smallest_that_fits(largest: float) -> None:
    scale = scale_for(largest)
    assert largest / 10**scale <= 32_000 * (1 + 1e-9)
    assert scale == 0 or largest / 10 ** (scale - 1) > 32_000


@pytest.mark.parametrize("model_id", [1, 103, 120, 121, 123, 203, 701, 702, 703, 704])
def test_layouts_are_pysunspec2s(model_id: int) -> None:
    model = Model(model_id=model_id)
    ours = {field.path: field.offset for field in layout(model_id, {})}
    for name, point in model.points.items():
        assert ours[name] == point.offset
    assert len([path for path in ours if "." not in path]) == len(model.points)
