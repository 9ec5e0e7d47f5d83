"""The plant in virtual time: a controller as a plain function, and the clairvoyant that ours is held to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.limit import LimitWrite
from sim.plant import STEP_S, Plant
from sim.simfile import SimFile
from sim.truth import Row, Truth, response_time_s


@dataclass(frozen=True, slots=True)
class View:
    """What a controller may know when a new meter sample shows up; powers in W."""

    t_s: float
    sampled_s: float
    export_w: float
    der_w: tuple[float, ...]


Controller = Callable[[View], Sequence[float] | None]
"""Gives a cap in W for each inverter, or None to leave the caps as they are."""


def run_virtual(
    sim: SimFile, controller: Controller, duration_s: float, dt_s: float = STEP_S, *, closed: bool = True
) -> Truth:
    """Run a site for `duration_s` with `controller` in place of the agent.

    With `closed` every trip contact is held closed from the start, otherwise each stays open.
    """
    plant = Plant(sim, dt_s)
    if closed:
        hold_closed(plant)
    rows: list[Row] = []
    for _ in range(round(duration_s / dt_s)):
        rows.append(plant.step())
        if plant.meter.published:
            caps_w = controller(_view(plant))
            if caps_w is not None:
                set_caps(plant, caps_w)
    return Truth.of(rows)


def hold_closed(plant: Plant) -> None:
    """Close every contact for good, as if something kept its watchdog fed, and settle the inverters."""
    for coil in plant.coils:
        coil.watchdog_s = 0.0
        coil.write(closed=True)
        coil.contact_closed = True
    plant.fleet.settle(plant.energised())


def set_caps(plant: Plant, caps_w: Sequence[float]) -> None:
    """Write a cap in W to each inverter, without reversion."""
    for unit, cap_w in enumerate(caps_w):
        cap_pu = min(1.0, max(0.0, cap_w / float(plant.fleet.nameplate_w[unit])))
        plant.fleet.limit.write(unit, LimitWrite(enabled=True, cap_pu=cap_pu))


def _view(plant: Plant) -> View:
    shown = plant.meter.shown
    return View(plant.t_s, shown.sampled_s, shown.state.export_w, tuple(plant.fleet.power_w.tolist()))


def clairvoyant_time_s(
    sim: SimFile, truth: Truth, step_s: float, limit_w: float, until_s: float | None = None
) -> float | None:
    """Response time to the load step at `step_s` of `truth` by a controller that knew it beforehand.

    Same plant, same host load (the trace's own), same meter instants and same mean margin, with each inverter
    starting where it stood: on the first meter sample after the step it issues the final command. None when
    no sample followed, or export never came back.
    """
    end_s = float(truth.t_s[-1]) if until_s is None else until_s
    before = truth.between(step_s - 5.0, step_s)
    after = truth.between(step_s, end_s)
    sampled = after.t_s[after.meter_sampled]
    if not before.t_s.size or not sampled.size:
        return None
    margin_w = max(0.0, limit_w - float(before.export_w.mean()))
    total_w = limit_w - margin_w + float(after.host_load_w.mean())
    command_s = float(sampled[0]) + sim.meter.latency_s
    replayed = _replay(sim, before, after, command_s, total_w)
    return response_time_s(replayed, step_s, limit_w, sim.nameplate_w, until_s)


def _replay(sim: SimFile, before: Truth, after: Truth, command_s: float, total_w: float) -> Truth:
    """The trace again from the step on, but for the inverters: they follow one command at `command_s`."""
    plant = Plant(sim, after.dt_s)
    hold_closed(plant)
    set_caps(plant, before.inverter_w[-1].tolist())
    plant.fleet.settle(plant.energised())
    final_w = share_down(before.inverter_w[-1], plant.fleet.nameplate_w, total_w)
    export_w = np.empty(len(after.t_s))
    inverter_w = np.empty_like(after.inverter_w)
    commanded = False
    for index, t_s in enumerate(after.t_s.tolist()):
        if not commanded and t_s > command_s + after.dt_s / 2:
            commanded = True
            set_caps(plant, final_w)
        plant.step()
        inverter_w[index] = plant.fleet.power_w
        export_w[index] = inverter_w[index].sum() - after.host_load_w[index]
    return Truth(
        np.concatenate((before.t_s, after.t_s)),
        np.concatenate((before.export_w, export_w)),
        np.concatenate((before.host_load_w, after.host_load_w)),
        np.concatenate((before.inverter_w, inverter_w)),
        np.concatenate((before.coil_closed, after.coil_closed)),
        np.concatenate((before.meter_sampled, after.meter_sampled)),
        after.events,
        np.concatenate((before.available_w, after.available_w)),
    )


def share_down(
    power_w: Sequence[float] | np.ndarray, nameplate_w: Sequence[float] | np.ndarray, total_w: float
) -> list[float]:
    """Bring the sum of `power_w` to `total_w` by moving every unit by the same fraction of its nameplate.

    That is the fastest way when slopes are given in % of nameplate. No unit goes below 0 or above nameplate.
    """
    power, nameplate = np.asarray(power_w, dtype=float), np.asarray(nameplate_w, dtype=float)
    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if np.clip(power + middle * nameplate, 0.0, nameplate).sum() > total_w:
            high = middle
        else:
            low = middle
    caps: list[float] = np.clip(power + low * nameplate, 0.0, nameplate).tolist()
    return caps
