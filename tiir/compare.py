"""Required against found, setting by setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tiir import catalogue
from tiir.setting import Setting
from tiir.values import Value, Values, number


class Verdict(StrEnum):
    """What comparing one setting came to."""

    MATCH = "match"
    DIFFERS = "differs"
    NOT_READABLE = "not readable"
    NOT_SUPPORTED = "not supported"


@dataclass(frozen=True, slots=True)
class Found:
    """What a device holds for one setting; without a value, the verdict and the reason say why."""

    value: Value | None
    verdict: Verdict = Verdict.NOT_READABLE
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of a verification."""

    setting: str
    clause: str
    unit: str
    required: Value
    found: Value | None
    verdict: Verdict
    reason: str | None = None


def compare(
    required: Values, found: Mapping[str, Found], tolerances: Mapping[str, float] | None = None
) -> list[Finding]:
    """One finding for each required setting, in their order.

    Args:
        required: Values by label.
        found: What the device holds; a label that is missing counts as not readable.
        tolerances: How far a number may be off, in the setting's unit; none where a label is missing.
    """
    known, allowed = catalogue.settings(), tolerances or {}
    nothing = Found(None, reason="it was not read")
    return [
        _finding(known[label], value, found.get(label, nothing), allowed.get(label, 0.0))
        for label, value in required.items()
    ]


def verified(findings: Iterable[Finding]) -> bool | None:
    """Whether a device holds what is required of it.

    Returns:
        False when something differs; None when something could not be read, or nothing could be compared;
        True otherwise, which says nothing of the settings that the device does not offer.
    """
    verdicts = {finding.verdict for finding in findings}
    if Verdict.DIFFERS in verdicts:
        return False
    return True if Verdict.MATCH in verdicts and Verdict.NOT_READABLE not in verdicts else None


def _finding(setting: Setting, required: Value, found: Found, tolerance: float) -> Finding:
    verdict, reason = found.verdict, found.reason
    if found.value is not None:
        verdict = Verdict.MATCH if _agrees(setting, required, found.value, tolerance) else Verdict.DIFFERS
    return Finding(setting.label, setting.clause, setting.unit, required, found.value, verdict, reason)


def _agrees(setting: Setting, required: Value, found: Value, tolerance: float) -> bool:
    wanted, held = number(required), number(found)
    if wanted is not None and held is not None:
        # A register's decimal step times its scale factor is rarely a round binary fraction.
        return abs(held - wanted) <= tolerance + 1e-9 * max(1.0, abs(wanted))
    if setting.at_least:
        return setting.words.get(str(found), -1) >= setting.words[str(required)]
    return type(required) is type(found) and required == found
