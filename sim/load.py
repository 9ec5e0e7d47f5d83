"""The host load by phase: base or recording, appliances, motors and noise. Explicit step, no clock."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, inf, sqrt
from pathlib import Path

import numpy as np

from sim.draws import Normals, Stream, draws
from sim.files.load import Appliances, CyclingMotor, Load, Motor
from sim.glide import Glide
from sim.network import Phasors
from sim.series import LOAD_COLUMN, Series, read_series

NOISE_PERIOD_S = 0.1

Shares = tuple[float, float, float]
"""Parts of something that fall on phase a, b and c."""

States = Iterator[tuple[complex, float]]
"""What something draws in W + j var, and until when in s since the start; the last state lasts for good."""

_EPS = 1e-9


class HostLoad:
    """What the site uses. `phases` is what each phase draws in W + j var, never less than 0 W.

    `base` glides; all else changes at times that do not depend on the time step. Noise is active power, drawn
    ten times a second for each phase.
    """

    def __init__(self, load: Load, share: Shares, dt_s: float, seed: int) -> None:
        self._dt_s = dt_s
        self._share = load.share or share
        self._lagging = _unit(load.power_factor) / load.power_factor
        self.base = Glide(0.0 if load.csv else load.base_w)
        self._own = (Glide(0.0), Glide(0.0), Glide(0.0))
        self._parts = [_Part(states, part) for states, part in _parts(load, self._lagging, self._share, seed)]
        self._sigma_w = [load.noise_w * sqrt(part) for part in share]
        self._noise_every = max(1, round(NOISE_PERIOD_S / dt_s)) if load.noise_w else 0
        self._normals = Normals(seed, Stream.LOAD_NOISE, 3)
        self._noise_w = [0.0, 0.0, 0.0]
        self._steps = 0
        self._due_s = 0.0
        self._advance(_EPS)
        self._steady = self._sum()
        self.phases = self._with_noise()

    @property
    def load_w(self) -> float:
        """What base, recording, appliances and motors draw, without noise."""
        return max(0.0, self.base.value + self._others_w())

    def to(self, load_w: float, steps: int = 0) -> None:
        """Bring the load to `load_w` in so many steps by its base; what else there is goes on from there."""
        self.base.aim(load_w - self._others_w(), steps)

    def add(self, load_w: float, steps: int = 0, phase: str | None = None) -> None:
        """Change the base, or one phase of it, by `load_w` in so many steps, by no more than takes it to 0."""
        if phase is not None:
            place = "abc".index(phase)
            own = self._own[place]
            own.aim(max(own.target + load_w, -self._share[place] * self.base.target), steps)
            return
        self.base.aim(max(self.base.target + load_w, -self._others_w()), steps)

    def start(self, motor: Motor, run_s: float = inf) -> None:
        """Start `motor` now; it stops after `run_s`."""
        now_s = self._steps * self._dt_s
        self._parts.append(_Part(_once(motor, now_s, run_s), motor.share or self._share))
        self._due_s = now_s

    def step(self) -> bool:
        """Advance by one time step; whether the load can have changed."""
        changed = False
        for glide in (self.base, *self._own):
            if glide.left > 0:
                glide.step()
                changed = True
        noisy = self._noise_every > 0 and self._steps % self._noise_every == 0
        if noisy:
            self._noise_w = [
                sigma_w * normal for sigma_w, normal in zip(self._sigma_w, self._normals.draw(), strict=True)
            ]
        self._steps += 1
        t_s = self._steps * self._dt_s + _EPS
        if t_s >= self._due_s:
            self._advance(t_s)
            changed = True
        if changed:
            self._steady = self._sum()
        if changed or noisy:
            self.phases = self._with_noise()
        return changed or noisy

    def _advance(self, t_s: float) -> None:
        for part in self._parts:
            part.advance(t_s)
        self._due_s = min((part.until_s for part in self._parts), default=inf)

    def _others_w(self) -> float:
        return sum(part.power.real for part in self._parts) + sum(own.value for own in self._own)

    def _sum(self) -> Phasors:
        """What is drawn without noise."""
        steady = self.base.value * self._lagging
        a, b, c = (
            steady * part + own.value * self._lagging
            for part, own in zip(self._share, self._own, strict=True)
        )
        for part in self._parts:
            if part.power:
                to_a, to_b, to_c = part.share
                a, b, c = a + part.power * to_a, b + part.power * to_b, c + part.power * to_c
        return a, b, c

    def _with_noise(self) -> Phasors:
        (a, b, c), (noise_a, noise_b, noise_c) = self._steady, self._noise_w
        return _drawn(a, noise_a), _drawn(b, noise_b), _drawn(c, noise_c)


def _drawn(power: complex, noise_w: float) -> complex:
    return complex(max(0.0, power.real + noise_w), power.imag)


class _Part:
    """One thing that draws power, at one of its states."""

    __slots__ = ("_states", "power", "share", "until_s")

    def __init__(self, states: States, share: Shares) -> None:
        self._states = states
        self.share = share
        self.power, self.until_s = 0j, 0.0

    def advance(self, t_s: float) -> None:
        """Come to the state that holds at `t_s`."""
        while self.until_s <= t_s:
            self.power, self.until_s = next(self._states)


def _parts(load: Load, lagging: complex, share: Shares, seed: int) -> Iterator[tuple[States, Shares]]:
    """Everything of the load that changes by itself, but for its noise."""
    if load.csv:
        yield _recorded(read_series(Path(load.csv), LOAD_COLUMN), lagging), share
    for number in range(load.steps.count if load.steps else 0):
        assert load.steps is not None
        yield _appliance(load.steps, lagging, draws(seed, Stream.APPLIANCES, number)), share
    for number, motor in enumerate(load.motor):
        yield _cycle(motor, draws(seed, Stream.MOTORS, number)), motor.share or share


def _recorded(series: Series, lagging: complex) -> States:
    """Each row holds until the next, the first also before it."""
    for value, until_s in zip(series.values, (*series.t_s[1:], inf), strict=True):
        yield value * lagging, until_s


def _appliance(table: Appliances, lagging: complex, random: np.random.Generator) -> States:
    power = table.step_w * random.uniform(0.5, 1.5) * lagging
    on = random.random() < table.on_s / (table.on_s + table.off_s)
    until_s = 0.0
    while True:
        until_s += _whole(random.exponential(table.on_s if on else table.off_s))
        yield power if on else 0j, until_s
        on = not on


def _cycle(motor: CyclingMotor, random: np.random.Generator) -> States:
    start_s = 0.0
    while True:
        start_s += _whole(random.exponential(motor.rest_s))
        yield 0j, start_s
        run_s = motor.inrush_s + _whole(random.exponential(motor.run_s))
        yield from _run(motor, start_s, run_s)
        start_s = ceil(start_s + run_s)


def _once(motor: Motor, start_s: float, run_s: float) -> States:
    yield from _run(motor, start_s, run_s)
    yield 0j, inf


def _run(motor: Motor, start_s: float, run_s: float) -> States:
    """A start and what follows it."""
    started_s = start_s + min(motor.inrush_s, run_s)
    yield motor.start_va * _unit(motor.start_power_factor), started_s
    yield motor.run_w / motor.power_factor * _unit(motor.power_factor), start_s + run_s


def _whole(seconds: float) -> float:
    """Rounded up to whole seconds, one at least."""
    return max(1.0, ceil(seconds))


def _unit(power_factor: float) -> complex:
    """One volt-ampere at a lagging power factor in W + j var."""
    return complex(power_factor, sqrt(1 - power_factor**2))
