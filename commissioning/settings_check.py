"""The settings of each DER: held against the site's profile, and probed by write, read back and restore."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from commissioning import vocabulary as words
from commissioning.run import InconclusiveError, Run
from contract.socket import Models, ReadModelsRequest, Written
from edge.model.required import device_requires
from tiir import sunspec_map
from tiir.compare import Finding, Verdict
from tiir.held import held_against
from tiir.setting import TiirError

_READ_TIMEOUT_S = 30.0
_NOTHING = frozenset({Verdict.NOT_SUPPORTED})


async def compare_settings(run: Run, _: words.CompareSettings) -> None:
    """Count, over all DERs, what matches, differs, was not read and is not offered."""
    site = run.bench.site
    try:
        required = {der.name: device_requires(site, der) for der in site.der}
        rows = {name: held_against(values, await _models(run, name)) for name, values in required.items()}
    except TiirError as error:
        raise InconclusiveError(
            f"the site's profile {site.tiir_profile!r} does not stand: {error}"
        ) from error
    for name, findings in rows.items():
        run.findings.extend(_row(name, finding) for finding in findings)
    verdicts = [finding.verdict for findings in rows.values() for finding in findings]
    readable = [name for name, found in rows.items() if {finding.verdict for finding in found} > set()]
    comparable = [name for name in readable if {finding.verdict for finding in rows[name]} != _NOTHING]
    run.facts |= {
        "settings.match": float(verdicts.count(Verdict.MATCH)),
        "settings.differ": float(verdicts.count(Verdict.DIFFERS)),
        "settings.unread": float(verdicts.count(Verdict.NOT_READABLE)),
        "settings.not_offered": float(verdicts.count(Verdict.NOT_SUPPORTED)),
        "settings.ders": float(len(comparable)),
    }


async def probe_setting(run: Run, action: words.ProbeSetting) -> None:
    """Write a probe value to `point` of every DER that has it, hold it, put it back; all through the journal."""
    tried, unverified, unrestored = 0, 0, 0
    for der in run.bench.site.der:
        before = _point(await _models(run, der.name), action)
        if before is None:
            continue
        tried += 1
        probe = before + action.change if before + action.change <= action.highest else before - action.change
        run.mark(time.monotonic(), f"{der.name}: {action.point} = {probe:g}")
        written = await run.bench.changes.write(
            run.test, der.name, action.model, {action.point: before}, {action.point: probe}
        )
        await run.bench.recorder.run_until(time.monotonic() + run.figure(action.hold_s))
        held = _point(await _models(run, der.name), action)
        problems = await run.bench.changes.restore()
        restored = _point(await _models(run, der.name), action) == before and not problems
        run.mark(time.monotonic(), f"{der.name}: put back")
        taken = written.outcome == "verified" and held == probe
        unverified += not taken
        unrestored += not restored
        run.findings.append(_probe_row(der.name, action, (before, probe, held), written, taken, restored))
    run.facts |= {
        "probe.tried": float(tried),
        "probe.unverified": float(unverified),
        "probe.unrestored": float(unrestored),
    }


async def _models(run: Run, der: str) -> tuple[dict[str, Any], ...]:
    answer = await run.bench.agent.ask(ReadModelsRequest(device=der), Models, _READ_TIMEOUT_S)
    return answer.models


def _point(models: tuple[dict[str, Any], ...], action: words.ProbeSetting) -> float | None:
    model = sunspec_map.by_id(models).get(action.model)
    value = model["points"].get(action.point) if model else None
    return None if value is None else float(value)


def _row(der: str, finding: Finding) -> dict[str, Any]:
    return {"der": der, **asdict(finding), "verdict": str(finding.verdict)}


def _probe_row(
    der: str,
    action: words.ProbeSetting,
    values: tuple[float, float, float | None],
    written: Written,
    taken: bool,
    restored: bool,
) -> dict[str, Any]:
    before, probe, held = values
    said = "written, read back" if taken else f"not taken: {written.reason or written.outcome}"
    back = f"put back to {before:g}" if restored else f"NOT put back to {before:g}"
    return {
        "der": der,
        "setting": f"probe of {action.point}",
        "clause": f"model {action.model}",
        "unit": "",
        "required": probe,
        "found": held,
        "verdict": "match" if taken and restored else "differs",
        "reason": f"{said}, {back}",
    }
