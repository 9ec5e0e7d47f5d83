"""Adoption of stored curves (models 705, 706 and 712): SunSpec DER information models, "curve sets".

Set 1 is read-only and shows the curve in force. Points go into a writable set k >= 2, whose consistency the
device judges only when adoption is asked for. `AdptCrvReq` counts sets from 1, the groups here from 0.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from drivers.protocol import Outcome, Value, WriteResult
from drivers.sunspec.device import ModelRead, Path, SunSpecDevice, check, make_jobs
from drivers.sunspec.write import Job, send

IN_PROGRESS, COMPLETED, FAILED = 0, 1, 2
_READ_WRITE = 0
_POLL_S = 0.1


async def adopt_curve(
    device: SunSpecDevice,
    model_id: int,
    points: Sequence[Mapping[str, float]],
    *,
    settings: Mapping[str, Value] | None = None,
    enable: bool | None = None,
    timeout_s: float = 5.0,
) -> WriteResult:
    """Put a curve in force and prove it by reading set 1.

    Args:
        device: the inverter.
        model_id: 705 (volt-var), 706 (volt-watt) or 712 (watt-var).
        points: the curve in the model's own units, as in `{"V": 98.0, "Var": 0.0}`.
        settings: further points of the set, such as `DeptRef` or `RspTms`.
        enable: also set the function's `Ena`; None leaves it.
        timeout_s: how long adoption may take, in s.

    Returns:
        `wanted` and `found` are keyed by their place in set 1, such as `Crv.0.Pt.2.V`.
    """
    model = await device.read_model(model_id)
    k, reason = _writable_set(model, len(points))
    if reason:
        return WriteResult(Outcome.REFUSED, reason=reason)
    stored = await device.write_groups(model.ref, _set_values(k - 1, points, settings or {}))
    if not stored.verified:
        return replace(stored, reason=f"set {k} of model {model_id}: {stored.reason}")
    adopted = await _adopt(device, model, k, _set_values(0, points, settings or {}), timeout_s)
    if enable is None or not adopted.verified:
        return adopted
    enabled = await device.write_points(model.ref, {"Ena": int(enable)})
    return replace(
        enabled,
        wanted={**adopted.wanted, **enabled.wanted},
        found={**adopted.found, **enabled.found},
    )


def _writable_set(model: ModelRead, points: int) -> tuple[int, str]:
    """The number (from 1) of a set that may be written, or why there is none."""
    sets = model.values.groups.get("Crv", ())
    room = model.values.points.get("NPt")
    if not isinstance(room, int) or points > room:
        return 0, f"model {model.ref.id} holds {room} points in a curve, {points} are wanted"
    for number, curve in enumerate(sets, start=1):
        if number > 1 and curve.points.get("ReadOnly") == _READ_WRITE:
            return number, ""
    return 0, f"model {model.ref.id} has no writable curve set ({len(sets)} sets)"


def _set_values(
    index: int, points: Sequence[Mapping[str, float]], settings: Mapping[str, Value]
) -> dict[Path, Mapping[str, Value]]:
    curve: Path = ("Crv", index)
    values: dict[Path, Mapping[str, Value]] = {curve: {**settings, "ActPt": len(points)}}
    for place, point in enumerate(points):
        values[(*curve, "Pt", place)] = dict(point)
    return values


async def _adopt(
    device: SunSpecDevice,
    model: ModelRead,
    k: int,
    wanted: Mapping[Path, Mapping[str, Value]],
    timeout_s: float,
) -> WriteResult:
    old = model.values.points.get("AdptCrvRslt")
    asked_s = time.monotonic()
    # Not read back: devices clear the request once they have taken it. Set 1 is the proof.
    _, refusal = await send(device.bus, device.unit, model.ref, make_jobs(model, {(): {"AdptCrvReq": k}}))
    jobs = make_jobs(model, wanted)
    while True:
        after = await device.read_model(model.ref)
        result = check(jobs, after, wanted)
        if refusal:
            return WriteResult(Outcome.REFUSED, result.wanted, result.found, refusal)
        spent_s = time.monotonic() - asked_s
        state = after.values.points.get("AdptCrvRslt")
        if state == COMPLETED and result.verified:
            return result
        # The answer to an earlier request may still stand for a moment.
        if state == FAILED and (old != FAILED or spent_s > timeout_s / 2):
            return WriteResult(Outcome.REFUSED, result.wanted, result.found, "the device refused the curve")
        if spent_s > timeout_s:
            return _unproven(result, state, jobs, timeout_s)
        await asyncio.sleep(_POLL_S)


def _unproven(result: WriteResult, state: object, jobs: Sequence[Job], timeout_s: float) -> WriteResult:
    said = {IN_PROGRESS: "in progress", COMPLETED: "completed"}.get(
        state if isinstance(state, int) else -1, "?"
    )
    reason = (
        f"after {timeout_s:g} s adoption is {said}; {result.reason or f'{len(jobs)} points read back right'}"
    )
    return WriteResult(Outcome.MISMATCH, result.wanted, result.found, reason)
