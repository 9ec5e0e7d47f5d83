"""The response read off the scans: when it came to the target for good, and how far below it went."""

from __future__ import annotations

from itertools import count

import pytest

from commissioning.recorder import Recorder, output_w
from commissioning.response import response
from contract.socket import Scan


def scan(at_s: float, export_w: float | None, age_s: float | None = 0.0) -> Scan:
    return Scan(
        scan=0,
        at_s=at_s,
        mode="regulating",
        export_w=export_w,
        export_age_s=age_s,
        new_sample=True,
        v_pu=None,
        f_hz=None,
        output_w={"a": 1.0, "b": None},
        limit_w={},
        commanded_closed={},
        closed={},
        picked_up=(),
        tripped=False,
        target=None,
        tightest="",
    )


def scans(*exports: float | None) -> list[Scan]:
    """One scan each half second from 10 s on."""
    return [scan(10 + 0.5 * index, export_w) for index, export_w in zip(count(), exports, strict=False)]


@pytest.mark.parametrize(
    ("exports", "at_s", "undershoot_w"),
    [
        ([9e3, 9e3, 4e3, 4e3, 4e3], 11.0, 0.0),
        ([9e3, 4e3, 9e3, 4e3, 4e3], 11.5, 0.0),
        ([9e3, 4.1e3, 4e3, 4e3, 4e3], 10.5, 0.0),
        ([9e3, 1e3, 4e3, 4e3, 4e3, 4e3], 10.5, 3e3),
        ([9e3, 3e3, 3e3, 3e3, 3e3], 10.5, 0.0),
        ([4e3, 4e3, 4e3], 10.0, 0.0),
        ([9e3, None, 4e3, 4e3, 4e3], 11.0, 0.0),
        ([9e3, 4e3, 4e3, 9e3], None, None),
        ([], None, None),
        ([None, None], None, None),
    ],
)
def test_response(exports: list[float | None], at_s: float | None, undershoot_w: float | None) -> None:
    seen = response(scans(*exports), 10.0, target_w=4e3, band_w=200.0)
    assert seen.at_s == at_s
    if undershoot_w is not None:
        assert seen.undershoot_w == undershoot_w


def test_scans_before_the_step_do_not_count() -> None:
    assert response(scans(9e3, 4e3, 4e3), 10.5, 4e3, 200.0).at_s == 10.5


def test_an_output_that_is_not_known_makes_the_sum_unknown() -> None:
    assert output_w(scan(0.0, 0.0)) is None


@pytest.mark.parametrize(("age_s", "known"), [(0.5, True), (0.51, False), (None, False)])
def test_an_old_value_is_no_measurement(age_s: float | None, known: bool) -> None:
    recorder = Recorder(stale_s=0.5)
    assert (recorder._fresh(scan(0.0, 1.0, age_s)).export_w == 1.0) is known
