"""How each word of the vocabulary is done: reading, overrides, waiting."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from statistics import fmean
from typing import Any, cast

from commissioning import vocabulary as words
from commissioning.devices_check import read_devices
from commissioning.recorder import output_w, picked_up
from commissioning.response import response
from commissioning.run import DisturbedError, InconclusiveError, Run
from commissioning.settings_check import compare_settings, probe_setting
from contract.socket import Accepted, ResetRequest, Scan

_RAMP_STEPS = 12


async def do(run: Run, action: words.Action) -> None:
    """Do one step.

    Raises:
        InconclusiveError: The test can say nothing.
        DisturbedError: It may be able to, begun anew.
        AgentUnreachableError: The agent is gone.
        AgentRefusedError: The agent said why not.
    """
    await _HOW[type(action)](run, action)


async def record(run: Run, action: words.Record) -> None:
    """Take means over `for_s`."""
    start_s = time.monotonic()
    await run.bench.recorder.run_until(start_s + run.figure(action.for_s))
    scans = run.bench.recorder.since(start_s)
    export = [scan.export_w for scan in scans if scan.export_w is not None]
    output = [value for value in map(output_w, scans) if value is not None]
    export_w, total_w = _mean(export), _mean(output)
    load_w = None if export_w is None or total_w is None else total_w - export_w
    figures = {
        "export_w": export_w,
        "export_max_w": max(export, default=None),
        "output_w": total_w,
        "load_w": load_w,
        "largest_w": max((_mean_output(scans, der) for der in scans[0].output_w), default=None),
        "picked_up": float(_edges(scans)),
    }
    if action.above_w is not None:
        figures["above_s"] = _longest_above(scans, run.figure(action.above_w))
    run.facts |= {f"{action.name}.{name}": value for name, value in figures.items()}


async def define(run: Run, action: words.Define) -> None:
    """Keep a formula's value under a name."""
    run.facts[action.name] = action.value.evaluate(run.facts)


async def require(run: Run, action: words.Require) -> None:
    """End the test here unless the condition holds."""
    value = action.value.evaluate(run.facts)
    low = None if action.at_least is None else run.figure(action.at_least)
    high = None if action.at_most is None else run.figure(action.at_most)
    ended = DisturbedError if action.again else InconclusiveError
    if value is None:
        raise ended(f"{action.otherwise} ({action.value} is not known)")
    if low is not None and value < low:
        raise ended(f"{action.otherwise} ({value:.0f} where at least {low:.0f} is needed)")
    if high is not None and value > high:
        raise ended(f"{action.otherwise} ({value:.0f} where at most {high:.0f} is allowed)")


async def narrow(run: Run, action: words.Narrow) -> None:
    """Cap the sum of DER output, and the DER with the most output now."""
    sum_w = max(0.0, run.figure(action.sum_w))
    largest = _largest(run.bench.recorder.scans[-1])
    if action.largest_w is not None:
        await run.override(limit_w=max(0.0, run.figure(action.largest_w)), der=largest)
    await run.override(limit_w=sum_w)
    where = f", {largest} stepped" if action.largest_w is not None else ""
    run.mark(run.override_s, f"DER output capped at {sum_w / 1e3:.1f} kW{where}")


async def lower_pickup(run: Run, action: words.LowerPickup) -> None:
    """Lower the element's pickup."""
    await _pickup(run, run.figure(action.to_w))
    run.mark(run.override_s, f"pickup set to {run.pickups_w[-1][1] or 0:.0f} W")


async def ramp_pickup(run: Run, action: words.RampPickup) -> None:
    """Lower the pickup by steps until it picks up; then raise it again at once."""
    setting_w, end_w = run.figure(action.from_w), run.figure(action.to_w)
    dwell_s = run.figure(action.dwell_s)
    # A connection may hold sixteen overrides; the lowest counts, so each step just adds one.
    step_w = max(run.figure(action.step_w), (setting_w - end_w) / _RAMP_STEPS)
    run.facts |= {f"{action.name}.setting_w": None, f"{action.name}.export_w": None}
    began_s = time.monotonic()
    run.mark(began_s, "pickup lowered by steps")
    while setting_w >= end_w:
        await _pickup(run, setting_w)
        scan = await run.bench.recorder.until(picked_up, began_s, run.override_s + dwell_s)
        if scan is not None:
            # It may have picked up on the setting before, just as this one was asked for.
            setting_w = next(
                level for since_s, level in reversed(run.pickups_w) if level and since_s < scan.at_s
            )
            await run.release()
            run.mark(scan.at_s, f"picks up at {setting_w:.0f} W")
            run.facts |= {f"{action.name}.setting_w": setting_w, f"{action.name}.export_w": scan.export_w}
            return
        setting_w -= step_w
    await run.release()


async def blind(run: Run, _: words.Blind) -> None:
    """Hide the meter."""
    await run.override(blind=True)
    run.mark(run.override_s, "meter hidden")


async def release(run: Run, _: words.Release) -> None:
    """End the overrides."""
    await run.release()
    run.mark(run.override_s, "released")


async def respond(run: Run, action: words.Respond) -> None:
    """Watch the response to the last override."""
    target_w, band_w = run.figure(action.target_w), run.figure(action.band_w)
    run.targets_w.append((run.override_s, target_w))
    await run.bench.recorder.run_until(run.override_s + run.figure(action.watch_s))
    seen = response(run.bench.recorder.since(run.override_s), run.override_s, target_w, band_w)
    if seen.at_s is not None:
        run.mark(seen.at_s, f"at target after {seen.at_s - run.override_s:.2f} s")
    run.facts |= {
        f"{action.name}.s": None if seen.at_s is None else seen.at_s - run.override_s,
        f"{action.name}.undershoot_w": seen.undershoot_w,
        f"{action.name}.settled_w": seen.settled_w,
    }


async def wait(run: Run, action: words.Wait) -> None:
    """Wait for a condition; not seeing it is a finding, or ends the test."""
    value_w = 0.0 if action.value is None else run.figure(action.value)
    holds = _CONDITIONS[action.until]
    deadline_s = time.monotonic() + run.figure(action.at_most_s)
    scan = await run.bench.recorder.until(lambda scan: holds(scan, value_w), run.override_s, deadline_s)
    if scan is None and action.otherwise is not None:
        raise InconclusiveError(action.otherwise)
    age_s = 0.0 if scan is None else scan.export_age_s or 0.0
    run.facts |= {
        f"{action.name}.s": None if scan is None else scan.at_s - run.override_s,
        f"{action.name}.at_s": None if scan is None else scan.at_s - run.started_s,
        f"{action.name}.sample_s": None if scan is None else max(0.0, scan.at_s - age_s - run.override_s),
    }
    if scan is not None:
        run.mark(scan.at_s, _TOLD[action.until])


async def reset_trip(run: Run, _: words.ResetTrip) -> None:
    """Reset by hand where the site's trips stay until then."""
    status = await run.bench.agent.status()
    if status.trip.tripped and (run.bench.site.guard.reset == "manual" or status.trip.lockout):
        await run.bench.agent.ask(ResetRequest(by=f"test {run.test}"), Accepted)
        run.mark(time.monotonic(), "trip reset")


async def note_trip(run: Run, action: words.NoteTrip) -> None:
    """Note whether the site tripped in this test."""
    status = await run.bench.agent.status()
    tripped = status.trips > run.trips_before or status.trip.tripped
    target = status.trip.target or _last_target(run)
    expected = action.expected is None or (target or "").startswith(action.expected)
    run.facts[f"{action.name}.tripped"] = float(tripped)
    run.facts[f"{action.name}.unexpected"] = float(tripped and not expected)
    run.facts[f"{action.name}.text"] = None
    run.texts[f"{action.name}.text"] = f"tripped, target {target}" if tripped else "no trip"


async def _pickup(run: Run, pickup_w: float) -> None:
    await run.override(pickup_w=pickup_w)
    run.pickups_w.append((run.override_s, pickup_w))


def _last_target(run: Run) -> str | None:
    scans = run.bench.recorder.since(run.started_s)
    return next((scan.target for scan in reversed(scans) if scan.target), None)


def _contacts(scan: Scan) -> set[bool]:
    """How the trip outputs stand: their feedback, or the command where none is wired."""
    shown = ((scan.closed.get(name), command) for name, command in scan.commanded_closed.items())
    return {command if feedback is None else feedback for feedback, command in shown}


def _mean(values: list[float]) -> float | None:
    return fmean(values) if values else None


def _mean_output(scans: list[Scan], der: str) -> float:
    return _mean([value for scan in scans if (value := scan.output_w.get(der)) is not None]) or 0.0


def _largest(scan: Scan) -> str:
    return max(scan.output_w, key=lambda der: scan.output_w[der] or 0.0)


def _edges(scans: list[Scan]) -> int:
    states = [picked_up(scan) for scan in scans]
    return sum(now and not before for before, now in zip([False, *states], states, strict=False))


def _longest_above(scans: list[Scan], level_w: float) -> float:
    longest_s, since_s = 0.0, None
    for scan in scans:
        if scan.export_w is not None and scan.export_w > level_w:
            since_s = scan.at_s if since_s is None else since_s
            longest_s = max(longest_s, scan.at_s - since_s)
        else:
            since_s = None
    return longest_s


_CONDITIONS: dict[words.Condition, Callable[[Scan, float], bool]] = {
    "picked-up": lambda scan, _: picked_up(scan),
    "dropped-out": lambda scan, _: not picked_up(scan),
    "tripped": lambda scan, _: scan.tripped,
    "contact-open": lambda scan, _: _contacts(scan) == {False},
    "contact-closed": lambda scan, _: _contacts(scan) == {True},
    "restricted": lambda scan, _: scan.mode == "fallback" or scan.tripped,
    "regulating": lambda scan, _: scan.mode == "regulating" and not scan.tripped,
    "output-above": lambda scan, level_w: (now_w := output_w(scan)) is not None and now_w >= level_w,
    "output-below": lambda scan, level_w: (now_w := output_w(scan)) is not None and now_w <= level_w,
    "limits-below": lambda scan, level_w: sum(scan.limit_w.values()) <= level_w,
    "export-below": lambda scan, level_w: scan.export_w is not None and scan.export_w <= level_w,
}

_TOLD: dict[words.Condition, str] = {
    "picked-up": "element picked up",
    "dropped-out": "element dropped out",
    "tripped": "tripped",
    "contact-open": "contact open",
    "contact-closed": "contact closed",
    "restricted": "fallback or trip",
    "regulating": "regulating",
    "output-above": "DER output back",
    "output-below": "DER output down",
    "limits-below": "DER limits down",
    "export-below": "export down",
}

How = Callable[[Run, Any], Awaitable[None]]

_HOW: dict[type[words.Action], How] = {
    words.ReadDevices: cast("How", read_devices),
    words.CompareSettings: compare_settings,
    words.ProbeSetting: probe_setting,
    words.Record: record,
    words.Define: define,
    words.Require: require,
    words.Narrow: narrow,
    words.LowerPickup: lower_pickup,
    words.RampPickup: ramp_pickup,
    words.Blind: blind,
    words.Release: release,
    words.Respond: respond,
    words.Wait: wait,
    words.ResetTrip: reset_trip,
    words.NoteTrip: note_trip,
}
