"""What a device is called when its findings are taken together."""

from __future__ import annotations

from itertools import product

import pytest

from tiir.compare import Found, Verdict, compare, verified

FOUND = {
    Verdict.MATCH: Found(5.0),
    Verdict.DIFFERS: Found(6.0),
    Verdict.NOT_READABLE: Found(None, Verdict.NOT_READABLE, "no answer"),
    Verdict.NOT_SUPPORTED: Found(None, Verdict.NOT_SUPPORTED, "no model"),
}


@pytest.mark.parametrize(("first", "second"), [*product(Verdict, repeat=2)])
def test_verified_needs_a_match_and_no_doubt(first: Verdict, second: Verdict) -> None:
    findings = compare({"QV_OLRT": 5.0, "PF_OLRT": 5.0}, {"QV_OLRT": FOUND[first], "PF_OLRT": FOUND[second]})
    assert [finding.verdict for finding in findings] == [first, second]
    if Verdict.DIFFERS in (first, second):
        assert verified(findings) is False
    elif Verdict.NOT_READABLE in (first, second) or Verdict.MATCH not in (first, second):
        assert verified(findings) is None
    else:
        assert verified(findings) is True


@pytest.mark.parametrize(
    ("held", "verdict"), [(5.05, Verdict.MATCH), (5.0501, Verdict.DIFFERS), (4.95, Verdict.MATCH)]
)
def test_a_number_may_be_off_by_its_tolerance_and_no_more(held: float, verdict: Verdict) -> None:
    (finding,) = compare({"QV_OLRT": 5.0}, {"QV_OLRT": Found(held)}, {"QV_OLRT": 0.05})
    assert finding.verdict == verdict


def test_a_switch_is_not_a_number() -> None:
    (finding,) = compare({"QV_MODE_ENABLE": True}, {"QV_MODE_ENABLE": Found(1.0)})
    assert (finding.verdict, finding.clause, finding.unit) == (Verdict.DIFFERS, "5.3.3", "switch")
