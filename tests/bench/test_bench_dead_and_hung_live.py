"""Gates: the agent dead, hung or out of something, on real processes, judged by the simulator's own log."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest

from benchmarks.dead.cases import BY_ROOT, CASES
from benchmarks.dead.harm import can_mount
from benchmarks.dead.sites import CONTACT, REVERSION
from benchmarks.dead.trial import fair_trial

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


@pytest.mark.parametrize("case", CASES)
def test_the_site_is_safe_in_time_with_a_contact_and_without(case: str, tmp_path: Path) -> None:
    if case in BY_ROOT and not can_mount(tmp_path):
        pytest.skip("mounting a file system needs root; 'no file grows' is tested in its place")
    with ThreadPoolExecutor(2) as pool:
        records = list(pool.map(fair_trial, repeat(case), (CONTACT, REVERSION)))
    assert [problem for record in records for problem in record.problems] == []
    assert all(record.timings for record in records)
