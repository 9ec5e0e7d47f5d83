"""Cases put to both models, side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import oracle_fleet
import oracle_opender
import oracle_suite
from oracle_case import Answer, Case
from oracle_compare import Agreement, compare
from oracle_differences import excluded

LEAST_FOR_VAR_P_PU = 0.05
"""Below it a unit need not give reactive power, at it a quarter of what it can (5.2, table 7)."""


@dataclass(frozen=True, eq=False)
class Result:
    """A case with both answers; `known` names the differences that can show in it."""

    case: Case
    ours: Answer
    oracle: Answer
    known: list[str]

    @property
    def excluded(self) -> list[str]:
        """The known differences for which the case does not count: none where the models agree all the same."""
        return [] if self.agreement.holds else self.known

    @cached_property
    def agreement(self) -> Agreement:
        """How far the answers are apart."""
        jumps = self.case.var_at_low_power == "reduced"
        return compare(self.ours, self.oracle, LEAST_FOR_VAR_P_PU if jumps else None)


def ask(cases: Iterable[Case]) -> list[Result]:
    """Put `cases` to both models; those of one step and length run together in one fleet."""
    alike: dict[tuple[float, int], list[Case]] = defaultdict(list)
    for case in cases:
        alike[case.dt_s, len(case.trace)].append(case)
    results = []
    for group in alike.values():
        for case, ours in zip(group, oracle_fleet.answers(group), strict=True):
            settings = oracle_fleet.in_force(case)
            oracle = oracle_opender.answer(case, settings)
            results.append(Result(case, ours, oracle, excluded(case, settings, oracle)))
    return results


def family(name: str, numbers: Iterable[int]) -> list[Result]:
    """The cases of a family with these numbers."""
    return ask([oracle_suite.make(name, number) for number in numbers])
