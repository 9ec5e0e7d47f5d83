"""What a meter's channels make of the true currents: its transformers' order, direction and errors, and its creep."""

from __future__ import annotations

from cmath import rect
from math import radians

from sim.files.meter import Cts, MeterFile
from sim.site import PccState

_PHASES = "abc"
_TURN_DEG = (0.0, -120.0, 120.0)


class Channels:
    """Turns the truth into what the channels measure; each channel has the voltage of its own phase.

    Voltages count as 120 degrees apart: what unbalance moves their angles by is left out. The total is the sum
    of the channels.
    """

    def __init__(self, meter: MeterFile, connected: int) -> None:
        cts = meter.ct
        self._sources = [_PHASES.index(phase) for phase in cts.order]
        self._factors = [_factor(cts, channel, source) for channel, source in enumerate(self._sources)]
        self._no_load_w = meter.no_load_w
        self._creep_w = [meter.creep_w / connected if channel < connected else 0.0 for channel in range(3)]
        self._perfect = cts == Cts() and not meter.no_load_w and not meter.creep_w

    def measured(self, state: PccState) -> PccState:
        """The state as the channels see it."""
        if self._perfect:
            return state
        powers = [self._power(state, channel) for channel in range(3)]
        amps = [
            abs(factor) * state.phase_a[source]
            for factor, source in zip(self._factors, self._sources, strict=True)
        ]
        return state._replace(
            export_w=sum(power.real for power in powers),
            export_var=sum(power.imag for power in powers),
            phase_w=(powers[0].real, powers[1].real, powers[2].real),
            phase_var=(powers[0].imag, powers[1].imag, powers[2].imag),
            phase_a=(amps[0], amps[1], amps[2]),
        )

    def _power(self, state: PccState, channel: int) -> complex:
        source = self._sources[channel]
        across = state.phase_v_pu[channel] / (state.phase_v_pu[source] or 1.0)
        power = complex(state.phase_w[source], state.phase_var[source]) * self._factors[channel] * across
        power += self._creep_w[channel]
        return power if abs(power) >= self._no_load_w else 0j


def _factor(cts: Cts, channel: int, source: int) -> complex:
    """From the true S = V I* of a phase to that of a channel whose CT is on it, at equal voltages."""
    way = -1.0 if _PHASES[channel] in cts.reversed else 1.0
    turned_deg = _TURN_DEG[channel] - _TURN_DEG[source] - cts.angle_error_deg[channel]
    return way * (1.0 + cts.ratio_error_pct[channel] / 100.0) * rect(1.0, radians(turned_deg))
