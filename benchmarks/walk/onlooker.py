"""The onlooker beside the guard: what was seen of each boundary, the DER and its contact; one rule for each."""

from __future__ import annotations

from benchmarks.walk.alphabet import HALF_DAY, OLDEST, TEST_W, TICK_S, Good, Input
from benchmarks.walk.seen import Excursion, Horizons, Seen, Watched, aged
from edge.guard.contact import FEEDBACK_GRACE_S
from edge.guard.settings import ElementSettings, GuardSettings
from edge.guard.state import GuardState
from edge.guard.supervisor import MAX_AGE_S, PATIENCE_S, TOLERANCE, TRIP_AFTER_S

IDLE = 0.01
"""Of nameplate: a DER that makes or absorbs no more does nothing."""


class Onlooker:
    """Remembers for a guard with one DER behind one contact, at most one element, and both for each phase."""

    def __init__(self, settings: GuardSettings) -> None:
        self.settings = settings
        further = settings.further
        self.elements = (*settings.elements, *(each for each in further if not each.bound))
        self.bounds = (settings.pcs, *(each for each in further if each.bound))
        (self.der,) = settings.ders
        (self.output,) = settings.outputs
        self.longest_s = 0.0
        """The longest that power can have stayed above a pickup behind a closed contact, on any path so far."""
        self.settled_s = self.output.opens_s + FEEDBACK_GRACE_S
        self.blind_after_s = settings.lost_sensing_s or 0.0
        self._patience_s = 2 * self.der.decay_s + PATIENCE_S
        delay_s = max((each.delay_s for each in self.elements), default=0.0)
        self.far = Horizons(
            calm_s=delay_s + settings.watchdog_s,
            delay_s=delay_s,
            blind_s=max(self.blind_after_s, OLDEST * TICK_S),
            bound_s=max(each.delay_s for each in self.bounds),
            under_s=max(each.reset_delay_s for each in self.bounds),
            moved_s=OLDEST * TICK_S + self.settled_s,
            der_s=OLDEST * TICK_S,
            patience_s=self._patience_s + MAX_AGE_S,
            defies_s=TRIP_AFTER_S,
        )

    def fresh(self, trips: tuple[int, ...] = ()) -> Seen:
        """Nothing seen yet; the contacts have been open."""
        return Seen((Watched(),) * len(self.elements), (Excursion(),) * len(self.bounds), trips=trips)

    def restarted(self, seen: Seen, gap_s: float) -> Seen:
        """After a restart only the trips are remembered."""
        return self.fresh(aged(seen, gap_s, 0, self.far).trips)

    def looked(self, seen: Seen, before: GuardState, given: Input) -> Seen:
        """What is remembered once a scan's input was seen."""
        seen = aged(seen, given.gap_s, given.gap // HALF_DAY, self.far)
        sample = given.sample if isinstance(given.sample, Good) else None
        if self.elements:
            seen = seen._replace(
                elements=tuple(
                    [
                        self._watched(element, was, before, given, sample)
                        for element, was in zip(self.elements, seen.elements, strict=True)
                    ]
                ),
                sample_s=seen.sample_s if sample is None else -sample.age * TICK_S,
            )
        if sample is not None:
            seen = seen._replace(
                bounds=tuple(
                    [
                        self._excursion(bound, was, sample)
                        for bound, was in zip(self.bounds, seen.bounds, strict=True)
                    ]
                )
            )
        seen = self._supervised(seen, before, given)
        shown = None if before.closed else self.contact(seen, given)
        return seen if shown is None else seen._replace(welded=shown == 1.0)

    def done(self, seen: Seen, before: GuardState, given: Input, *, closed: bool) -> Seen:
        """And once its command is known."""
        if closed != before.closed or (closed and given.gap_s >= self.settings.watchdog_s):
            seen = seen._replace(moved_s=0.0)
        if not closed and any(was.calm_s for was in seen.elements):
            seen = seen._replace(elements=tuple([was._replace(calm_s=0.0) for was in seen.elements]))
        return seen

    def fits(self, element: ElementSettings, power_w: float) -> bool:
        """Whether a DER that makes so much cannot be what is beyond the pickup, whatever the host load is."""
        if element.on_import:
            return power_w >= -IDLE * self.der.nameplate_w
        if element.phase is None:
            return power_w + self.settings.unmanaged_w <= self.settings.export_limit_w
        there = self.settings.sums[element.phase]
        return there.shares[0] * power_w + there.unmanaged_w <= there.safe_w

    def contact(self, seen: Seen, given: Input) -> float | None:
        """The contact's feedback, if measured since its last command could have moved it."""
        if given.feedback is None:
            return None
        value, age = given.feedback
        return value if -age * TICK_S > seen.moved_s + self.settled_s else None

    def _watched(
        self, element: ElementSettings, was: Watched, before: GuardState, given: Input, sample: Good | None
    ) -> Watched:
        """Since when power may have been above pickup: no sample at or below it, no proof, contact held closed."""
        calm_s, below_s, above, sure_s = was
        if sample is not None:
            value_w, oldest_s = element.direction * sample.on(element.phase), -sample.age * TICK_S
            pickup_w = element.direction * element.pickup_w
            hysteresis_w = pickup_w - element.direction * element.dropout_w
            tested = not element.on_import and element.phase is None
            above = value_w > pickup_w
            if not above:
                calm_s, below_s = max(calm_s, oldest_s), oldest_s
            if value_w <= (min(pickup_w, TEST_W) if tested else pickup_w) - hysteresis_w:
                sure_s = oldest_s
        proof_s = self._proof_s(element, given)
        if proof_s is not None:
            calm_s = max(calm_s, proof_s)
            if element.blocked_at_zero_output:
                sure_s, below_s, above = max(sure_s, proof_s), max(below_s, proof_s), False
        if not before.closed:
            return Watched(0.0, below_s, above, sure_s)
        held_s = min(given.gap_s, self.settings.watchdog_s) - given.gap_s
        self.longest_s = max(self.longest_s, held_s - calm_s)
        return Watched(0.0 if given.gap_s >= self.settings.watchdog_s else calm_s, below_s, above, sure_s)

    def _proof_s(self, element: ElementSettings, given: Input) -> float | None:
        """When the DER's own measurement showed that it cannot be what is beyond pickup, if that was lately."""
        if given.power is None or given.power[1] * TICK_S >= self.blind_after_s:
            return None
        power_w, age = given.power
        idle = power_w + self.settings.unmanaged_w <= IDLE * self.der.nameplate_w
        fits = idle if element.blocked_at_zero_output else self.fits(element, power_w)
        return -age * TICK_S if fits else None

    @staticmethod
    def _excursion(bound: ElementSettings, was: Excursion, sample: Good) -> Excursion:
        """The PCS bound: an excursion goes on until power was below for the reset time."""
        over_s, under_s, under_last_s = was
        if sample.on(bound.phase) > bound.pickup_w:
            return Excursion(under_last_s if over_s is None else over_s, None, under_last_s)
        under_s = 0.0 if under_s is None else under_s
        if over_s is None or -under_s >= bound.reset_delay_s:
            return Excursion(None, None, -sample.age * TICK_S)
        return Excursion(over_s, under_s, under_last_s)

    def _supervised(self, seen: Seen, before: GuardState, given: Input) -> Seen:
        """Whether the DER, told to stop for twice its decay and some patience, was measured at work since."""
        if not given.reachable:
            return seen._replace(low_s=None)
        told_w = before.limits[0].limit_w
        low_s = None if told_w > 0 else 0.0 if seen.low_s is None else seen.low_s
        defies_s, der_s = seen.defies_s, seen.der_s
        if given.power is not None:
            value_w, age = given.power
            oldest_s = -age * TICK_S
            if oldest_s > der_s and -oldest_s <= MAX_AGE_S:
                der_s = oldest_s
                if value_w <= told_w + TOLERANCE * self.der.nameplate_w:
                    defies_s = None
                elif defies_s is None and low_s is not None and oldest_s - low_s >= self._patience_s:
                    defies_s = 0.0
        return seen._replace(low_s=low_s, der_s=der_s, defies_s=defies_s)
