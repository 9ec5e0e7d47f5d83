"""What must hold at every scan of the guard, whatever it was given; each rule in a line or two of its own."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.walk.alphabet import TICK_S, Input
from benchmarks.walk.onlooker import Onlooker
from benchmarks.walk.seen import Seen
from edge.guard.contact import BREAKER_FAILURE
from edge.guard.latch import LOST_SENSING
from edge.guard.settings import GuardSettings
from edge.guard.state import GuardState
from edge.guard.supervisor import TOLERANCE, TRIP_AFTER_S
from edge.model.commands import Commands


class Rules:
    """The rules, judged by what an onlooker has seen."""

    def __init__(self, settings: GuardSettings) -> None:
        self.settings = settings
        self.onlooker = Onlooker(settings)

    def look(
        self, seen: Seen, before: GuardState, given: Input, after: GuardState, commands: Commands
    ) -> tuple[Seen, list[str]]:
        """What is remembered after a scan, and the rules that it broke."""
        seen = self.onlooker.looked(seen, before, given)
        closed = commands.outputs[0].closed
        broken = [
            *self._opens(seen, before, given, after, commands),
            *self._services(seen, before, given, after, closed=closed),
            *self._latches(seen, before, given, after, closed=closed),
        ]
        if len(after.durable.trips_s) > len(seen.trips):
            seen = seen._replace(trips=(*seen.trips, 0)[-self.settings.lockout_trips :])
        broken += self._counts(seen, before, given, after)
        return self.onlooker.done(seen, before, given, closed=closed), broken

    def _demands(self, seen: Seen) -> bool:
        """Whether a trip is called for, by what was seen: contact open or not."""
        return seen.welded or any(self._above(seen)) or any(self._over(seen))

    def _above(self, seen: Seen) -> list[bool]:
        """Of each element: whether power is above its pickup, and was for its delay."""
        return [
            was.above and -was.below_s >= element.delay_s
            for element, was in zip(self.onlooker.elements, seen.elements, strict=True)
        ]

    def _over(self, seen: Seen) -> list[bool]:
        """Of each PCS bound: whether power is above it, and the excursion as long as it may be."""
        return [
            was.over_s is not None and was.under_s is None and -was.over_s >= bound.delay_s
            for bound, was in zip(self.onlooker.bounds, seen.bounds, strict=True)
        ]

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
        if closed and any(
            -was.calm_s >= element.delay_s
            for element, was in zip(self.onlooker.elements, seen.elements, strict=True)
        ):
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
        shown = self.onlooker.contact(seen, given)
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
            stopped = -age * TICK_S > seen.moved_s and value_w <= TOLERANCE * self.onlooker.der.nameplate_w
        return given.ready and stopped and not given.isolate and not self._demands(seen)

    def _reasoned(self, seen: Seen, before: GuardState, given: Input, target: str | None) -> bool:
        """Whether a target is true: never early, never without its cause."""
        for element, watched in zip(self.onlooker.elements, seen.elements, strict=True):
            if target == element.name:
                return -watched.sure_s >= element.delay_s
        for bound, excursion in zip(self.onlooker.bounds, seen.bounds, strict=True):
            if target == bound.name:
                return excursion.over_s is not None and -excursion.over_s >= bound.delay_s
        if target == f"{BREAKER_FAILURE}:{self.onlooker.output.name}":
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
        power_w, age = given.power
        fits = all(self.onlooker.fits(element, power_w) for element in self.onlooker.elements)
        return not fits or -age * TICK_S <= seen.sample_s

    def _phases_may_time(self, seen: Seen) -> bool:
        """Whether an element of a phase may be due: no test lowers those."""
        total = len(self.settings.elements)
        return any(
            -was.sure_s >= element.delay_s
            for element, was in zip(self.onlooker.elements[total:], seen.elements[total:], strict=True)
        )

    def _counts(self, seen: Seen, before: GuardState, given: Input, after: GuardState) -> Iterator[str]:
        """Every trip counts for a day, those of tests alone do not; the last one allowed locks out."""
        was, durable, most = before.durable, after.durable, self.settings.lockout_trips
        if len(seen.trips) != min(len(durable.trips_s), most):
            yield "a trip counts for a day"
        if not durable.tripped or was.tripped:
            return
        counted = bool(durable.trips_s) and durable.trips_s[-1] == given.gap_s
        lowered = [each.name for each in self.settings.elements if not each.on_import]
        by_lowered = given.override == "test" and durable.target in lowered
        by_hidden = given.override == "blind" and durable.target == LOST_SENSING
        beside = (
            seen.welded
            or seen.defies_s is not None
            or any(self._over(seen))
            or self._phases_may_time(seen)
            or (by_lowered and self._blind(seen, given))
        )
        if counted is ((by_lowered or by_hidden) and not beside) and not (
            beside and (by_lowered or by_hidden)
        ):
            yield "a trip counts unless a test alone did it"
        if durable.lockout is not (was.lockout or seen.welded or (counted and len(seen.trips) >= most)):
            yield "the last trip allowed locks out"
