"""The clairvoyant on a trace: the same plant, load, sun and meter instants, and commands of one who knew it all."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from sim.plant import Plant
from sim.simfile import SimFile
from sim.truth import Truth
from sim.virtual import hold_closed, set_caps, share_down

Command = tuple[float, float]
"""A time in s, and the sum of DER output in W that is commanded then."""


def heard_s(sim: SimFile, truth: Truth, step_s: float) -> float:
    """When the first meter sample taken at or after `step_s` shows up."""
    sampled = truth.t_s[truth.meter_sampled & (truth.t_s >= step_s)]
    return float(sampled[0]) + sim.meter.latency_s


def replay(
    sim: SimFile,
    truth: Truth,
    start_s: float,
    start_w: Sequence[float],
    commands: Sequence[Command],
    lost: Sequence[int] = (),
) -> Truth:
    """`truth` again, but for the inverters from `start_s` on: settled at the caps `start_w`, they follow `commands`.

    A command moves every inverter by the same part of its nameplate. All have the same sun. The inverters `lost` hear
    nothing: they make what they made, and commands are for the sum of the others.
    """
    before, after = truth.between(-np.inf, start_s), truth.between(start_s, np.inf)
    plant = Plant(sim, truth.dt_s)
    hold_closed(plant)
    nameplate_w = plant.fleet.nameplate_w
    heard = [unit for unit in range(len(nameplate_w)) if unit not in lost]
    caps_w = list(start_w)
    set_caps(plant, caps_w)
    sun_pu = after.available_w / sim.nameplate_w
    plant.fleet.sun_pu[:] = sun_pu[0]
    plant.fleet.settle(plant.energised())
    # Two steps may be heard of in one sample: the last command counts.
    todo = sorted(commands, key=itemgetter(0))[::-1]
    inverter_w = np.empty_like(after.inverter_w)
    for index, t_s in enumerate(after.t_s.tolist()):
        while todo and t_s > todo[-1][0] + truth.dt_s / 2:
            shared_w = share_down([caps_w[unit] for unit in heard], nameplate_w[heard], todo.pop()[1])
            for unit, cap_w in zip(heard, shared_w, strict=True):
                caps_w[unit] = cap_w
            set_caps(plant, caps_w)
        plant.fleet.sun_pu[:] = sun_pu[index]
        plant.step()
        inverter_w[index] = plant.fleet.power_w
    inverter_w[:, list(lost)] = after.inverter_w[:, list(lost)]
    inverters_w = np.concatenate((before.inverter_w, inverter_w))
    return Truth(
        truth.t_s,
        inverters_w.sum(axis=1) - truth.host_load_w,
        truth.host_load_w,
        inverters_w,
        truth.coil_closed,
        truth.meter_sampled,
        truth.events,
        truth.available_w,
    )
