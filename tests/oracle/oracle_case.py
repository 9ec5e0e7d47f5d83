"""One question to both models: settings, rating and a trace of inputs; and what a model answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from tiir.setting import Der
from tiir.values import Values

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]

RATED_W = 100e3
"""Rated active power of every unit under test: below the 500 kVA up to which a random delay is allowed."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Inputs at every step, each array of the same length.

    Attributes:
        v_pu: Voltage, the same in all phases, per unit of nominal.
        hz: Frequency.
        avail_pu: What the sun gives, per unit of rated active power; storage ignores it.
        limit_pu: Active power limit per unit of rated power; NaN where it is not enabled.
        demand_pu: What storage is told to give (negative: take), per unit of rated power; PV ignores it.
        permit: Permit service.
    """

    v_pu: Floats
    hz: Floats
    avail_pu: Floats
    limit_pu: Floats
    demand_pu: Floats
    permit: Flags

    def __len__(self) -> int:
        return len(self.v_pu)


@dataclass(frozen=True)
class Battery:
    """A battery: what OpenDER and the fleet both have a name for."""

    capacity_wh: float = 200e3
    soc_pu: float = 0.5
    charge_pu: float = 1.0
    efficiency_pu: float = 0.9


@dataclass(frozen=True, eq=False)
class Case:
    """A unit and its inputs. `settings` are those given; all the others are the standard's defaults for `der`.

    Attributes:
        family: What the case is about: the row of the table it counts in.
        name: Tells it from its siblings; with the family enough to make it again.
        va_pu: Rated apparent power over rated active power.
        random_delay_s: The random part of the enter service delay that both models are to take.
        limit_ramp_s: Time the active power limit takes from 0 to 1.
        priority: What comes first at the apparent rating.
        var_at_low_power: Whether reactive capability shrinks below 20 % of rated power (5.2, table 7).
        current_pu: Largest current over the rated one, which binds at low voltage.
        storage: The battery; None for PV.
        changes: Settings written while running: before which step, and what.
    """

    family: str
    name: str
    der: Der
    settings: Values
    dt_s: float
    trace: Trace
    va_pu: float = 1.1
    random_delay_s: float = 0.0
    limit_ramp_s: float = 0.0
    priority: Literal["var", "watt"] = "var"
    var_at_low_power: Literal["reduced", "full"] = "reduced"
    current_pu: float = 1.2
    storage: Battery | None = None
    changes: tuple[tuple[int, Values], ...] = ()


@dataclass(frozen=True, eq=False)
class Answer:
    """What a model gave at every step: powers per unit of rated active power, status as `sim.der.Status`.

    Attributes:
        soc_pu: State of charge, NaN for PV.
        droop: Whether droop is at work, be it only that its response dies away; only the oracle tells.
        edge: Whether droop's end is decided by less than models can agree on; only the oracle tells.
    """

    p_pu: Floats
    q_pu: Floats
    status: Codes
    soc_pu: Floats
    droop: Flags
    edge: Flags
