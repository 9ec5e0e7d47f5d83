"""What must hold at every scan of the guard, whatever it was given; each rule in a line or two of its own."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.walk.alphabet import HALF_DAY, OLDEST, TEST_W, TICK_S, Input
from benchmarks.walk.seen import Horizons, Seen, aged
from edge.guard.contact import BREAKER_FAILURE, FEEDBACK_GRACE_S
from edge.guard.latch import LOST_SENSING
from edge.guard.settings import GuardSettings
from edge.guard.state import GuardState
from edge.guard.supervisor import MAX_AGE_S, PATIENCE_S, TOLERANCE, TRIP_AFTER_S
from edge.model.commands import Commands

_NEVER_S = 0.0


class Rules:
    """The rules for a guard with one DER behind one contact, and at most one element."""

    def __init__(self, settings: GuardSettings) -> None:
        self.settings = settings
        self.element = settings.elements[0] if settings.elements else None
        (self.der,) = settings.ders
        self.longest_s = 0.0
        """The longest that power can have stayed above pickup behind a closed contact, on any path so far."""
        delay_s = self.element.delay_s if self.element else _NEVER_S
        (self.output,) = settings.outputs
        self._settled_s = self.output.opens_s + FEEDBACK_GRACE_S
        self._patience_s = 2 * self.der.decay_s + PATIENCE_S
        self._far = Horizons(
            calm_s=delay_s + settings.watchdog_s,
            delay_s=delay_s,
            blind_s=max(settings.lost_sensing_s or 0.0, OLDEST * TICK_S),
            bound_s=settings.pcs.delay_s,
            under_s=settings.pcs.reset_delay_s,
            moved_s=OLDEST * TICK_S + self._settled_s,
            der_s=OLDEST * TICK_S,
            patience_s=self._patience_s + MAX_AGE_S,
            defies_s=TRIP_AFTER_S,
        )

    def restarted(self, seen: Seen, gap_s: float) -> Seen:
        """After a restart only the trips are remembered; the contacts have been open."""
        return Seen(trips=aged(seen, gap_s, 0, self._far).trips)

    def look(
        self, seen: Seen, before: GuardState, given: Input, after: GuardState, commands: Commands
    ) -> tuple[Seen, list[str]]:
        """What is remembered after a scan, and the rules that it broke."""
        seen = aged(seen, given.gap_s, given.gap // HALF_DAY, self._far)
        seen = self._power(seen, before, given)
        seen = self._excursion(seen, given)
        seen = self._supervised(seen, before, given)
        seen = self._welded(seen, before, given)
        closed = commands.outputs[0].closed
        broken = [
            *self._opens(seen, before, given, after, commands),
            *self._services(seen, before, given, after, closed=closed),
            *self._latches(seen, before, given, after, closed=closed),
        ]
        if len(after.durable.trips_s) > len(seen.trips):
            seen = seen._replace(trips=(*seen.trips, 0)[-self.settings.lockout_trips :])
        broken += self._counts(seen, before, given, after)
        if closed != before.closed or (closed and given.gap_s >= self.settings.watchdog_s):
            seen = seen._replace(moved_s=0.0)
        if not closed and seen.calm_s != 0.0:
            seen = seen._replace(calm_s=0.0)
        return seen, broken

    # What is remembered

    def _power(self, seen: Seen, before: GuardState, given: Input) -> Seen:
        """Since when power may have been above pickup: no sample at or below it, no proof, contact held closed."""
        element = self.element
        if element is None:
            return seen
        calm_s, below_s, above = seen.calm_s, seen.below_s, seen.above
        sure_s, sample_s = seen.sure_s, seen.sample_s
        sample = given.sample
        if isinstance(sample, tuple):
            value_w, oldest_s = element.direction * sample[0], -sample[1] * TICK_S
            pickup_w = element.direction * element.pickup_w
            hysteresis_w = pickup_w - element.direction * element.dropout_w
            lowest_w = min(pickup_w, pickup_w if element.on_import else TEST_W) - hysteresis_w
            sample_s, above = oldest_s, value_w > pickup_w
            if not above:
                calm_s, below_s = max(calm_s, oldest_s), oldest_s
            if value_w <= lowest_w:
                sure_s = oldest_s
        proof_s = self._proof_s(given)
        if proof_s is not None:
            calm_s = max(calm_s, proof_s)
            if element.blocked_at_zero_output:
                sure_s, below_s, above = max(sure_s, proof_s), max(below_s, proof_s), False
        if not before.closed:
            calm_s = 0.0
        else:
            held_s = min(given.gap_s, self.settings.watchdog_s) - given.gap_s
            self.longest_s = max(self.longest_s, held_s - calm_s)
            if given.gap_s >= self.settings.watchdog_s:
                calm_s = 0.0
        return seen._replace(calm_s=calm_s, below_s=below_s, above=above, sure_s=sure_s, sample_s=sample_s)

    def _proof_s(self, given: Input) -> float | None:
        """When the DER's own measurement showed that it cannot be what is beyond pickup, at zero host load."""
        if self.element is None or given.power is None:
            return None
        if self.element.on_import:
            value_w, age = given.power
            idle = value_w >= -0.01 * self.der.nameplate_w
            return -age * TICK_S if idle and age * TICK_S < (self.settings.lost_sensing_s or 0.0) else None
        most_w = (
            0.01 * self.der.nameplate_w
            if self.element.blocked_at_zero_output
            else self.settings.export_limit_w
        )
        value_w, age = given.power
        fits = value_w + self.settings.unmanaged_w <= most_w
        return -age * TICK_S if fits and age * TICK_S < (self.settings.lost_sensing_s or 0.0) else None

    def _excursion(self, seen: Seen, given: Input) -> Seen:
        """The PCS bound: an excursion goes on until power was below for the reset time."""
        if not isinstance(given.sample, tuple):
            return seen
        export_w, age = given.sample
        if export_w > self.settings.pcs.pickup_w:
            return seen._replace(
                over_s=seen.under_last_s if seen.over_s is None else seen.over_s, under_s=None
            )
        under_s = 0.0 if seen.under_s is None else seen.under_s
        if seen.over_s is None or -under_s >= self.settings.pcs.reset_delay_s:
            return seen._replace(over_s=None, under_s=None, under_last_s=-age * TICK_S)
        return seen._replace(under_s=under_s)

    def _supervised(self, seen: Seen, before: GuardState, given: Input) -> Seen:
        """Whether the DER, told to stop for twice its decay and some patience, was measured at work since."""
        if not given.reachable:
            return seen._replace(low_s=None)
        told_w = before.limits_w[0]
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

    def _welded(self, seen: Seen, before: GuardState, given: Input) -> Seen:
        """Whether the contact was last seen closed when it should have been open."""
        shown = None if before.closed else self._contact(seen, given)
        return seen if shown is None else seen._replace(welded=shown == 1.0)

    # What must hold

    def _demands(self, seen: Seen) -> bool:
        """Whether a trip is called for, by what was seen: contact open or not."""
        element, pcs = self.element, self.settings.pcs
        if seen.welded:
            return True
        if element and seen.above and -seen.below_s >= element.delay_s:
            return True
        return seen.over_s is not None and seen.under_s is None and -seen.over_s >= pcs.delay_s

    def _opens(
        self, seen: Seen, before: GuardState, given: Input, after: GuardState, commands: Commands
    ) -> Iterator[str]:
        """Nothing is closed while tripped, while a cause stands, or past the bounds; nothing is widened."""
        closed = commands.outputs[0].closed
        (limit,) = commands.limits
        if after.durable.tripped and (closed or limit.limit_w != 0.0):
            yield "tripped: contact open, every DER at nothing"
        if (after.causes or self._demands(seen)) and (closed or not after.durable.tripped):
            yield "a cause stands: tripped and open"
        if self.element and closed and -seen.calm_s >= self.element.delay_s:
            yield "power possibly above pickup for the delay: open"
        held = before.closed and given.gap_s < self.settings.watchdog_s
        if closed and held and seen.defies_s is not None and -seen.defies_s >= TRIP_AFTER_S:
            yield "a DER that keeps its power is cut off"
        if limit.limit_w > given.asked_w:
            yield "no more than the limiter asks for"
        if given.isolate and closed:
            yield "isolated: open"
        if closed != after.closed:
            yield "the command is the state"

    def _services(
        self, seen: Seen, before: GuardState, given: Input, after: GuardState, *, closed: bool
    ) -> Iterator[str]:
        """It closes only when enter service says so, the contact is sound and nothing speaks against it."""
        lapsed = given.gap_s >= self.settings.watchdog_s
        shown = self._contact(seen, given)
        if closed and (lapsed or not before.closed) and (not given.ready or seen.welded):
            yield "closing needs enter service and a contact that opened"
        if closed and (lapsed or not before.closed) and seen.defies_s is not None:
            yield "nothing is closed onto a DER that keeps its power"
        if closed and before.closed and not lapsed and shown == 0.0:
            yield "a contact seen open is out of service"
        hindered = given.isolate or seen.welded or bool(after.causes) or (before.closed and not lapsed)
        hindered = hindered or seen.defies_s is not None
        if given.ready and not hindered and not after.durable.tripped and not closed:
            yield "ready and nothing against it: closed"
        if after.durable.in_service and not before.durable.in_service and not (closed and given.entered):
            yield "in service only after the ramp"
        if before.durable.in_service and not after.durable.in_service and not after.durable.tripped:
            yield "only a trip ends service for good"

    def _contact(self, seen: Seen, given: Input) -> float | None:
        """The contact's feedback, if measured since its last command could have moved it."""
        if given.feedback is None:
            return None
        value, age = given.feedback
        return value if -age * TICK_S > seen.moved_s + self._settled_s else None

    def _latches(
        self, seen: Seen, before: GuardState, given: Input, after: GuardState, *, closed: bool
    ) -> Iterator[str]:
        """A trip has its reason, stays as it was, and ends by its reset rule only."""
        was, durable, settings = before.durable, after.durable, self.settings
        if durable.tripped and not was.tripped:
            if durable.in_service:
                yield "a trip ends service"
            if not self._reasoned(seen, before, given, durable.target):
                yield f"no reason for {durable.target}"
        elif durable.tripped:
            if (durable.target, durable.lockout) != (was.target, was.lockout or seen.welded):
                yield "target and lockout stay"
            if given.reset and not after.causes:
                yield "a reset by hand works"
        elif was.tripped:
            by_hand = given.reset and not self._demands(seen)
            if not by_hand and not (closed and self._may_return(seen, before, given)):
                yield "a trip is left by its reset rule only"
            if durable.lockout and by_hand:
                yield "a reset by hand ends lockout"
            if was.lockout and not given.reset:
                yield "lockout ends by hand only"
            if settings.reset_is_manual and not given.reset:
                yield "manual is manual"
        elif was.lockout and not durable.lockout:
            yield "nothing but a reset ends lockout"

    def _may_return(self, seen: Seen, before: GuardState, given: Input) -> bool:
        """The rule of an automatic reset."""
        was = before.durable
        if self.settings.reset_is_manual or was.lockout or was.target == "state-lost":
            return False
        stopped = not given.reachable
        if given.reachable and given.power is not None:
            value_w, age = given.power
            stopped = -age * TICK_S > seen.moved_s and value_w <= TOLERANCE * self.der.nameplate_w
        return given.ready and stopped and not given.isolate and not self._demands(seen)

    def _reasoned(self, seen: Seen, before: GuardState, given: Input, target: str | None) -> bool:
        """Whether a target is true: never early, never without its cause."""
        settings = self.settings
        if self.element and target == self.element.name:
            return -seen.sure_s >= self.element.delay_s
        if target == settings.pcs.name:
            return seen.over_s is not None and -seen.over_s >= settings.pcs.delay_s
        if target == f"{BREAKER_FAILURE}:{self.output.name}":
            return seen.welded
        if target == LOST_SENSING:
            return before.closed and self._blind(seen, given)
        return before.closed and seen.defies_s is not None and -seen.defies_s >= TRIP_AFTER_S

    def _blind(self, seen: Seen, given: Input) -> bool:
        """No sample for the delay, and no proof since the last one that nothing can happen."""
        if self.settings.lost_sensing_s is None or -seen.sample_s < self.settings.lost_sensing_s:
            return False
        if given.power is None or given.power[1] * TICK_S >= self.settings.lost_sensing_s:
            return True
        value_w, age = given.power
        over = value_w + self.settings.unmanaged_w > self.settings.export_limit_w
        if self.element is not None and self.element.on_import:
            over = value_w < -0.01 * self.der.nameplate_w
        return over or -age * TICK_S <= seen.sample_s

    def _counts(self, seen: Seen, before: GuardState, given: Input, after: GuardState) -> Iterator[str]:
        """Every trip counts for a day, those of tests alone do not; the last one allowed locks out."""
        was, durable, most = before.durable, after.durable, self.settings.lockout_trips
        if len(seen.trips) != min(len(durable.trips_s), most):
            yield "a trip counts for a day"
        if not durable.tripped or was.tripped:
            return
        counted = bool(durable.trips_s) and durable.trips_s[-1] == given.gap_s
        lowers = given.override == "test" and self.element is not None and not self.element.on_import
        by_lowered = lowers and self.element is not None and durable.target == self.element.name
        by_hidden = given.override == "blind" and durable.target == LOST_SENSING
        beside = (
            seen.welded
            or seen.defies_s is not None
            or self._pcs_over(seen)
            or (by_lowered and self._blind(seen, given))
        )
        if counted is ((by_lowered or by_hidden) and not beside) and not (
            beside and (by_lowered or by_hidden)
        ):
            yield "a trip counts unless a test alone did it"
        if durable.lockout is not (was.lockout or seen.welded or (counted and len(seen.trips) >= most)):
            yield "the last trip allowed locks out"

    def _pcs_over(self, seen: Seen) -> bool:
        return seen.over_s is not None and seen.under_s is None and -seen.over_s >= self.settings.pcs.delay_s
