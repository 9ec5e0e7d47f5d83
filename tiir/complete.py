"""Every setting of one DER: what is given, over the standard's defaults, held to ranges and rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from tiir import catalogue
from tiir.rules import REACTIVE_MODES, check_rules
from tiir.setting import Der, TiirError, refusals
from tiir.values import Value, Values, number

RATINGS = ("nameplate", "configured_rating")
"""Functions that are none: what a DER is rated for, and what it is set to below that."""


class SettingsRefusedError(TiirError):
    """Settings that cannot stand together on a DER; the text has one line for each mistake.

    Attributes:
        problems: The same lines, apart.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def complete(values: Values, der: Der) -> dict[str, Value]:
    """Every setting of `der` that is not a rating, by label in the standard's order.

    Where the standard's own defaults exclude each other or what is given, the default gives way:

    - constant power factor is the reactive mode enabled by default (5.3.1); enabling another switches it off
      unless it is named too;
    - the random delay is an alternative to the ramp (4.10.3 c): it is off unless named, and naming it switches
      the ramp off unless the ramp is named too;
    - Category I and II have no thresholds of momentary cessation, which is off there: they get those of
      Category III.

    The default of a function that is off, and of which nothing is given, is not held to its range: the
    standard's default watt-var curve itself breaks them where the least output is high.

    Args:
        values: What is given, by label; nameplate values (NP_...) bound others and are left out of the result.
        der: Categories, kind, rating and edition.

    Raises:
        SettingsRefusedError: For unknown labels, values out of range, and rules broken, all of them.
    """
    chosen = {label: value for label, value in _over_defaults(values, der).items() if label in _held()}
    judged = {label: value for label, value in chosen.items() if not _idle(_held()[label], values, chosen)}
    known = catalogue.settings()
    others = {label: value for label, value in values.items() if label not in chosen}
    if problems := [
        *refusals(known, {**judged, **others}, der).values(),
        *check_rules(known, {**judged, **others}, der),
    ]:
        raise SettingsRefusedError(problems)
    return chosen


@cache
def _held() -> Mapping[str, str]:
    """Function of each setting that is not a rating, by label."""
    return {s.label: s.function for s in catalogue.settings().values() if s.function not in RATINGS}


@cache
def _modes() -> Mapping[str, str]:
    """Label that switches a function on, by function; those without one are always on."""
    return {function: label for label, function in _held().items() if label.endswith("_ENABLE")}


def _over_defaults(values: Values, der: Der) -> dict[str, Value]:
    """Defaults first, in the standard's order, so that one may refer to what is given and to those before it."""
    known: dict[str, Value] = {**der.facts, **_yielding(values), **values}
    chosen: dict[str, Value] = {}
    settings = catalogue.settings()
    for label in _held():
        value = known.get(label)
        if value is None:
            value = settings[label].default_for(der, known)
        if value is None:
            value = settings[label].default_for(der.model_copy(update={"abnormal": "III"}), known)
        if value is not None:
            known[label] = chosen[label] = value
    return chosen


def _yielding(values: Values) -> dict[str, Value]:
    """Defaults that give way to what is given."""
    other_mode = any(values.get(mode) is True for mode in REACTIVE_MODES if mode != "CONST_PF_MODE_ENABLE")
    random_delay = bool(number(values.get("ES_RANDOMIZED_DELAY")))
    return {
        **({"CONST_PF_MODE_ENABLE": False} if other_mode else {}),
        "ES_RANDOMIZED_DELAY": 0.0,
        **({"ES_RAMP_RATE": 0.0} if random_delay else {}),
    }


def _idle(function: str, values: Values, chosen: Values) -> bool:
    """Whether `function` is off and nothing of it is given."""
    mode = _modes().get(function)
    off = mode is not None and chosen.get(mode) is False
    return off and not any(_held().get(label) == function for label in values)
