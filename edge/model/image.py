"""The process image: everything one scan may look at, frozen before the scan starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.model.sample import Sample

_NONE = Sample.none()


@dataclass(frozen=True, slots=True)
class PccReading:
    """The point of common coupling, as the meter shows it; `export_w` is positive out to the grid.

    All of it is one measurement: where the site needs power by phase or reactive power (`export_var`, positive out to
    the grid), a reading without them is none at all; elsewhere they are left out. `sequence` counts new measurements: it moves only when a raw register changed (or the meter's declared
    allowance for repeats covers it), so one correction is made for each new sample.
    """

    export_w: Sample
    v_pu: Sample
    f_hz: Sample
    sequence: int = 0
    phase_export_w: tuple[Sample, ...] = ()
    """Of phase a, b and c."""
    export_var: Sample = _NONE
    phase_export_var: tuple[Sample, ...] = ()

    def power_w(self, phase: int | None) -> Sample:
        """Active power out to the grid: the total, or on one phase (0 is a)."""
        return self.export_w if phase is None else _of(self.phase_export_w, phase)

    def power_var(self, phase: int | None) -> Sample:
        """Reactive power out to the grid: the total, or on one phase (0 is a)."""
        return self.export_var if phase is None else _of(self.phase_export_var, phase)


def _of(phases: tuple[Sample, ...], phase: int) -> Sample:
    return phases[phase] if phase < len(phases) else _NONE


@dataclass(frozen=True, slots=True)
class DerReading:
    """One DER: its output, and the limit that was last verified to be in the device.

    `limit_w` is the limit read back from the device, with the time of that reading. `reachable` is False
    once the driver has had no answer for the DER's allowance; `refused` says that the last write was refused
    or read back wrong. Of storage, `floor_w` is the other end of the band read back, and `soc_pu` its state of charge.
    """

    name: str
    output_w: Sample
    limit_w: Sample
    reachable: bool = True
    refused: bool = False
    v_pu: Sample = field(default_factory=Sample.none)
    f_hz: Sample = field(default_factory=Sample.none)
    floor_w: Sample = field(default_factory=Sample.none)
    soc_pu: Sample = field(default_factory=Sample.none)


@dataclass(frozen=True, slots=True)
class OutputReading:
    """Contact feedback (52a) of a trip output: 1.0 closed, 0.0 open; absent where it is not wired."""

    name: str
    closed: Sample


@dataclass(frozen=True, slots=True)
class Override:
    """A request of a commissioning test or a remote command. It can only narrow; a wider one has no effect.

    `limit_w` caps the sum of DER output, or that of one DER (`der`); `pickup_w` lowers the pickup of the
    armed export elements (never raises it); `blind` hides the PCC meter. It lapses at `until_s`.
    """

    by: str
    until_s: float
    limit_w: float | None = None
    der: str | None = None
    pickup_w: float | None = None
    blind: bool = False
    test: bool = True

    @property
    def cap_w(self) -> float | None:
        """`limit_w` as a limit in W; one that is negative or not a number allows nothing."""
        if self.limit_w is None:
            return None
        return self.limit_w if self.limit_w >= 0 else 0.0


@dataclass(frozen=True, slots=True)
class Image:
    """One frozen view of the site. `scan` counts scans; all times are monotonic seconds."""

    scan: int
    pcc: PccReading
    ders: tuple[DerReading, ...]
    outputs: tuple[OutputReading, ...] = ()
    overrides: tuple[Override, ...] = ()
    reset: bool = False
    """A manual reset of the trip latch was asked for, locally or by a signed command."""
