"""Checks of a procedure made into measurements of the report."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

from commissioning import vocabulary as words
from commissioning.formula import Facts, Formula
from commissioning.procedure import Procedure
from contract.report import Measurement

Runs = Sequence[Facts]
"""The figures of each run of a repeated procedure, in order."""


def measure(procedure: Procedure, runs: Runs, texts: dict[str, str]) -> tuple[Measurement, ...]:
    """Every check of `procedure`, judged over all its runs."""
    return tuple(_measured(check.word, runs, texts) for check in procedure.check)


def _measured(word: words.Check | words.Stated, runs: Runs, texts: dict[str, str]) -> Measurement:
    if isinstance(word, words.Stated):
        return Measurement(name=word.name, value=texts.get(word.text), unit="", allowed="", passed=None)
    value = _taken(word, runs)
    allowed, passed = _judged(word, value, runs)
    # A figure that is only reported fails nothing by being absent.
    shown = None if value is None else round(value, 3)
    return Measurement(name=word.name, value=shown, unit=word.unit, allowed=allowed, passed=passed)


def _taken(word: words.Check, runs: Runs) -> float | None:
    values = [word.value.evaluate(facts) for facts in runs]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return None
    match word.take:
        case "largest":
            return max(known)
        case "smallest":
            return min(known)
        case "median":
            return median(known)
    return fmean(known)


def _judged(word: words.Check, value: float | None, runs: Runs) -> tuple[str, bool | None]:
    match word:
        case words.AtMost(bound=formula):
            bound = _last(formula, runs)
            return f"≤ {_shown(bound)}", _both(value, bound) and value <= bound  # type: ignore[operator]
        case words.AtLeast(bound=formula):
            bound = _last(formula, runs)
            return f"≥ {_shown(bound)}", _both(value, bound) and value >= bound  # type: ignore[operator]
        case words.Within(of=of, tolerance=tolerance):
            middle, slack = _last(of, runs), _last(tolerance, runs)
            passed = _both(value, middle, slack) and abs(value - middle) <= slack  # type: ignore[operator]
            return f"{_shown(middle)} ± {_shown(slack)}", passed
    return "", None


def _both(*values: float | None) -> bool:
    return None not in values


def _last(formula: Formula, runs: Runs) -> float | None:
    return formula.evaluate(runs[-1])


def _shown(value: float | None) -> str:
    if value is None:
        return "?"
    return (
        f"{value:,.0f}".replace(",", " ")
        if abs(value) >= 100
        else f"{value:g}"
        if value == int(value)
        else f"{value:.2f}"
    )
