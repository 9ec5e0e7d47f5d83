"""Every device held against the site file: does it answer, who is it, how large is it."""

from __future__ import annotations

from typing import Any

from commissioning import vocabulary as words
from commissioning.run import Run
from contract.socket import Device, Devices, DevicesRequest


async def read_devices(run: Run, action: words.ReadDevices) -> None:
    """Count devices that do not answer, do not say who they are, or are of another size."""
    found = (await run.bench.agent.ask(DevicesRequest(), Devices)).devices
    stated_w = {der.name: der.nameplate_w for der in run.bench.site.der}
    rows = [_row(device, stated_w.get(device.name), action.rating_within_pct) for device in found]
    run.findings.extend(rows)
    reasons = [row["reason"] or "" for row in rows]
    run.facts |= {
        "devices.unreachable": float(sum("does not answer" in reason for reason in reasons)),
        "devices.unnamed": float(sum("no identity" in reason for reason in reasons)),
        "devices.off_rating": float(sum("rating" in reason for reason in reasons)),
    }


def _row(device: Device, stated_w: float | None, within_pct: float) -> dict[str, Any]:
    reasons = []
    if not device.reachable:
        reasons.append("does not answer")
    # A coil module has no place to say who it is; its label is compared by eye.
    if device.role != "trip-output" and not (device.manufacturer and device.model and device.serial):
        reasons.append("no identity")
    if stated_w is not None and not _agrees(device.nameplate_w, stated_w, within_pct):
        reasons.append("rating not given" if device.nameplate_w is None else "rating differs")
    return {
        "der": device.name,
        "setting": "nameplate" if stated_w is not None else device.role,
        "clause": device.uri,
        "unit": "W" if stated_w is not None else "",
        "required": stated_w,
        "found": device.nameplate_w,
        "verdict": "differs" if reasons else "match",
        "reason": ", ".join(reasons) or None,
    }


def _agrees(found_w: float | None, stated_w: float, within_pct: float) -> bool:
    return found_w is not None and abs(found_w - stated_w) <= stated_w * within_pct / 100
