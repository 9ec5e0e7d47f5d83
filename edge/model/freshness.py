"""When an answer of the meter or a DER is a new measurement, how old it can be, and whether it can be true.

Pure: answers in, readings out. An answer is new only when a raw V, I, P or f register changed; an unchanged one
counts as new, at most once a meter period, for as long as the meter's `max_repeat_s` allows. A lost, absent or
implausible answer leaves the last good value to age: one of them is a lost sample, several are lost sight.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.model.image import PccReading
from edge.model.readings import DerRaw, MeterRaw
from edge.model.sample import Quality, Sample
from edge.model.site import Der, Site

NO_PCC = PccReading(export_w=Sample.none(), v_pu=Sample.none(), f_hz=Sample.none())
"""What is known of the PCC before the meter answered."""

_ROUNDING_S = 1e-6

_BEYOND = 1.5
"""Inrush and noise stay under this multiple of what can physically flow; a torn or sentinel-like word does not."""

DER_REPEAT_S = 5.0
"""A DER at work may show the same power, voltage and frequency for this long, then it counts as frozen."""

ASLEEP = 0.01
"""Of nameplate: a DER that makes or absorbs no more than this may repeat its registers without end."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a site asks of its meter beside the total: powers of these phases (0 is a), reactive power.

    An answer without it is no measurement: one that shows the total alone does not show what is limited.
    """

    phases: tuple[int, ...] = ()
    var: bool = False
    phase_var: bool = False

    @staticmethod
    def of(site: Site) -> Needs:
        """What the limits of the agreement are on."""
        return Needs(
            tuple("abc".index(phase) for phase in site.limited_phases),
            site.agreement.export_limit_va is not None,
            site.agreement.export_limit_phase_va is not None,
        )

    def given(self, answer: MeterRaw) -> dict[str, float | None]:
        """Every value of an answer that is needed, by name; None for one that it does not show."""
        found = {f"phase_{'abc'[phase]}_w": _at(answer.phase_export_w, phase) for phase in self.phases}
        if self.var:
            found["export_var"] = answer.export_var
        if self.phase_var:
            found |= {
                f"phase_{'abc'[phase]}_var": _at(answer.phase_export_var, phase) for phase in self.phases
            }
        return found


NOTHING_MORE = Needs()


def _at(values: tuple[float | None, ...], phase: int) -> float | None:
    return values[phase] if phase < len(values) else None


@dataclass(frozen=True, slots=True)
class MeterTiming:
    """What the freshness of a meter depends on; times in s, power in W."""

    period_s: float
    latency_s: float
    averaging_s: float
    max_repeat_s: float
    transaction_s: float
    nominal_v: float
    plausible_w: float
    needs: Needs = NOTHING_MORE

    @staticmethod
    def of(site: Site) -> MeterTiming:
        """From the site file: no more can flow than all generation and the transformer together carry."""
        meter = site.meter
        most_w = site.nameplate_w + site.unmanaged.nameplate_w + site.site.transformer_va
        return MeterTiming(
            meter.period_s,
            meter.latency_s,
            meter.averaging_s,
            meter.max_repeat_s,
            meter.transaction_s,
            site.site.nominal_v,
            _BEYOND * most_w,
            Needs.of(site),
        )

    @property
    def patience_s(self) -> float:
        """How long the last good value stands in when answers are unfit: two periods and a transaction."""
        return 2 * self.period_s + self.transaction_s


class MeterFreshness:
    """Turns the answers of one meter into PCC readings."""

    def __init__(self, timing: MeterTiming) -> None:
        self._timing = timing
        self._raw: tuple[int, ...] | None = None
        self._polled_s: float | None = None
        self._changed_s = float("-inf")
        self._counted_s = float("-inf")
        self._good_s = float("-inf")
        self.reading = NO_PCC

    def take(self, answer: MeterRaw) -> bool:
        """Take an answer; True when `reading` now holds a new measurement."""
        quality = fitness(answer, self._timing)
        if quality is not Quality.GOOD or answer.export_w is None:
            self._unfit(answer, quality)
            return False
        # Only a fit answer is compared and remembered: garbage between two equal ones makes nothing new.
        shown_since_s = self._shown_since_s(answer)
        if shown_since_s is None:
            return False
        oldest_s = shown_since_s - self._timing.latency_s - self._timing.averaging_s
        self._counted_s = answer.request_sent_s
        self._good_s = answer.received_s
        v_pu = None if answer.v_v is None else answer.v_v / self._timing.nominal_v
        span, needs = (oldest_s, answer.received_s), self._timing.needs
        self.reading = PccReading(
            _sample(answer.export_w, *span),
            _sample(v_pu, *span),
            _sample(answer.f_hz, *span),
            self.reading.sequence + 1,
            tuple([_sample(power_w, *span) for power_w in answer.phase_export_w]) if needs.phases else (),
            _sample(answer.export_var, *span) if needs.var else Sample.none(),
            tuple([_sample(var, *span) for var in answer.phase_export_var]) if needs.phase_var else (),
        )
        return True

    def _shown_since_s(self, answer: MeterRaw) -> float | None:
        """Since when the meter can have been showing these registers, or None when they are not new.

        What the fit answer before did not show yet, was not shown then. That they are renewed once a period says
        nothing about an age: a meter that skips renewals shows an older value, and lost polls hide since when. So
        the first answer of all has no age, and is compared with only.
        """
        sent_s, timing = answer.request_sent_s, self._timing
        before_s, self._polled_s = self._polled_s, sent_s
        if answer.raw != self._raw:
            self._raw, self._changed_s = answer.raw, sent_s
            return before_s
        renewed = sent_s - max(self._counted_s, self._changed_s) >= timing.period_s - _ROUNDING_S
        allowed = sent_s - self._changed_s <= timing.max_repeat_s + _ROUNDING_S
        return sent_s - timing.period_s if renewed and allowed else None

    def _unfit(self, answer: MeterRaw, quality: Quality) -> None:
        if answer.received_s - self._good_s > self._timing.patience_s:
            lost = Sample.none(quality)
            self.reading = PccReading(lost, lost, lost, self.reading.sequence)


class DerFreshness:
    """Turns the answers of one DER into samples of its output.

    An answer counts as measured at its request for as long as the registers changed within `DER_REPEAT_S`; after
    that the last one ages, since a card that answers for a dead inverter proves nothing. At or below 1 % of
    nameplate unchanged registers count without end: an inverter asleep repeats its zero all night, and a lost
    meter must trip nothing then. What that cannot see is a card that froze while its inverter slept.
    """

    def __init__(self, der: Der) -> None:
        self._der = der
        self._raw: tuple[int, ...] | None = None
        self._changed_s = float("-inf")
        self._good_s = float("-inf")
        self.output_w = Sample.none()

    def take(self, answer: DerRaw) -> bool:
        """Take an answer; True when `output_w` is a new measurement."""
        output_w = der_output(answer, self._der)
        if output_w.quality is not Quality.GOOD:
            # One unfit answer is a lost sample: the last good one goes on ageing; for long, it is lost sight.
            if answer.received_s - self._good_s > self._der.lost_after_s:
                self.output_w = output_w
            return False
        self._good_s = answer.received_s
        if answer.raw != self._raw:
            self._raw, self._changed_s = answer.raw, answer.request_sent_s
        repeats = answer.request_sent_s - self._changed_s <= DER_REPEAT_S + _ROUNDING_S
        if not repeats and abs(output_w.otherwise(0.0)) > ASLEEP * self._der.nameplate_w:
            return False
        self.output_w = output_w
        return True


def fitness(answer: MeterRaw, timing: MeterTiming) -> Quality:
    """Absent when there is no power, or none of what else is limited; invalid when it cannot be true, else good."""
    if answer.export_w is None:
        return Quality.ABSENT
    if abs(answer.export_w) > timing.plausible_w:
        return Quality.INVALID
    for value in timing.needs.given(answer).values():
        if value is None:
            return Quality.ABSENT
        if not abs(value) <= timing.plausible_w:
            return Quality.INVALID
    # A meter without voltage, or one that answers with nothing but zeros, sees nothing.
    return Quality.INVALID if answer.v_v == 0 or not any(answer.raw) else Quality.GOOD


def der_output(answer: DerRaw, der: Der) -> Sample:
    """A DER's output; it can have been measured at any time during the request."""
    if answer.output_w is not None and abs(answer.output_w) > _BEYOND * der.nameplate_w:
        return Sample.none(Quality.INVALID)
    return _sample(answer.output_w, answer.request_sent_s, answer.received_s)


def der_grid(answer: DerRaw, nominal_v: float) -> tuple[Sample, Sample]:
    """Voltage in per unit and frequency in Hz at the DER."""
    v_pu = None if answer.v_v is None else answer.v_v / nominal_v
    span = answer.request_sent_s, answer.received_s
    return _sample(v_pu, *span), _sample(answer.f_hz, *span)


def _sample(value: float | None, oldest_s: float, newest_s: float) -> Sample:
    return Sample.none() if value is None else Sample.good(value, oldest_s, newest_s)
