"""Formulas: what they come to, and that nothing but a formula is taken for one."""

from __future__ import annotations

import pytest

from commissioning.formula import Formula

FACTS = {"limit_w": 25_000.0, "before.export_w": -300.0, "unseen_s": None, "zero": 0.0}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2", 2.0),
        ("-1.5", -1.5),
        ("limit_w - 2 * 5", 24_990.0),
        ("0.5 * (limit_w + before.export_w)", 12_350.0),
        ("max(0.02 * limit_w, abs(before.export_w))", 500.0),
        ("min(limit_w, -before.export_w) / 3", 100.0),
        ("unseen_s + 1", None),
        ("max(unseen_s, 1)", None),
        ("limit_w / zero", None),
    ],
)
def test_value(text: str, value: float | None) -> None:
    assert Formula.parse(text).evaluate(FACTS) == value


def test_names_are_the_figures_in_it() -> None:
    assert Formula.parse("max(limit_w, 2) - before.export_w").names == {"limit_w", "before.export_w"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2 +",
        "__import__('os').system('true')",
        "open('x')",
        "limit_w ** 9",
        "[1][0]",
        "'text'",
        "True",
        "max(1)",
        "max(*limit_w)",
        "abs(x=1)",
        "lambda: 1",
        "a if b else c",
        "().__class__",
        "f(1).x",
        "x := 1",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"formula|figure"):
        Formula.parse(text)
