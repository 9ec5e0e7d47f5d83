"""Applying and verifying one DER's settings over whatever reaches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cli.tiir_access import DeviceAccess, NoAccessError, ReadBack, Wrote
from tiir import catalogue
from tiir.compare import Finding, Found, Verdict, compare, verified
from tiir.held import held_against
from tiir.sunspec_plan import Step, plan_settings
from tiir.values import Values


@dataclass(frozen=True, slots=True)
class Written:
    """One step that was written, and how it ended."""

    step: Step
    wrote: Wrote


@dataclass(frozen=True, slots=True)
class DerReport:
    """What came of one DER; `unreachable` says why when it did not answer."""

    name: str
    findings: tuple[Finding, ...]
    written: tuple[Written, ...] = ()
    unreachable: str | None = None

    @property
    def verified(self) -> bool | None:
        """See `tiir.compare.verified`."""
        return verified(self.findings)

    @property
    def open_questions(self) -> bool:
        """Whether something differs or could not be read."""
        return any(f.verdict in {Verdict.DIFFERS, Verdict.NOT_READABLE} for f in self.findings)


async def verify_der(access: DeviceAccess, name: str, required: Values) -> DerReport:
    """Read a DER and hold it against what is required."""
    try:
        return DerReport(name, _compare(required, await access.read(name)))
    except NoAccessError as error:
        return _unreachable(name, required, error)


async def apply_der(access: DeviceAccess, name: str, required: Values) -> DerReport:
    """Write what differs, read everything back, and hold it against what is required."""
    written: list[Written] = []
    try:
        before = await access.read(name)
        plan = plan_settings(required, before.models, _to_change(_compare(required, before), before))
        written = [Written(step, await access.write(name, step)) for step in plan.steps]
        after = _compare(required, await access.read(name)) if written else _compare(required, before)
    except NoAccessError as error:
        return replace(_unreachable(name, required, error), written=tuple(written))
    reasons = {**_failures(required, written), **plan.refused}
    return DerReport(name, tuple(_explained(finding, reasons) for finding in after), tuple(written))


def _compare(required: Values, device: ReadBack) -> tuple[Finding, ...]:
    return held_against(required, device.models, device.unreadable)


def _to_change(findings: tuple[Finding, ...], device: ReadBack) -> set[str]:
    """What differs, and what the device states in terms that cannot be compared."""
    open_ones = {f.setting for f in findings if f.verdict in {Verdict.DIFFERS, Verdict.NOT_READABLE}}
    known = catalogue.settings()
    return {label for label in open_ones if (p := known[label].point) and p.model not in device.unreadable}


def _failures(required: Values, written: list[Written]) -> dict[str, str]:
    failed = {w.step.model: w.wrote for w in written if not w.wrote.verified}
    points = ((label, catalogue.settings()[label].point) for label in required)
    return {
        label: f"the write ended {failed[point.model].outcome}: {failed[point.model].reason}"
        for label, point in points
        if point and point.model in failed
    }


def _explained(finding: Finding, reasons: Mapping[str, str]) -> Finding:
    if finding.verdict != Verdict.DIFFERS or finding.setting not in reasons:
        return finding
    return replace(finding, reason=reasons[finding.setting])


def _unreachable(name: str, required: Values, error: NoAccessError) -> DerReport:
    found = {label: Found(None, reason="the device cannot be reached") for label in required}
    return DerReport(name, tuple(compare(required, found)), unreachable=str(error))
