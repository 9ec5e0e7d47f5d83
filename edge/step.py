"""One scan of control and protection, as one pure function: the shell, the simulator and the tests run it.

`step(image, settings, state, now_s) -> (state, commands, reasons)`: the limiter asks, the guard decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from edge.core import control
from edge.core.boundaries import aim_w
from edge.core.enter_service import remaining_s
from edge.core.failed import stand_in
from edge.core.polarity import NO_MOVES, Polarity, polarity_step
from edge.core.settings import CoreSettings
from edge.guard import budget, guard
from edge.guard.element import elapsed_s
from edge.guard.fitness import judge
from edge.guard.settings import GuardSettings
from edge.guard.state import GuardState, guard_start
from edge.model.commands import Commands, DerVar, Event, Narrowing, Reasons
from edge.model.durable import Durable
from edge.model.image import Image
from edge.model.permit import Permit
from edge.model.site import Site
from edge.model.view import ElementView, Mode, Service, View

CONTRADICTED = (
    "the PCC meter contradicts the DERs: when they make more it shows less export; its current transformers look the"
    " wrong way, or its sign in the site file is wrong"
)


class UnfitError(Exception):
    """A site that cannot be held within its bounds; `problems` says why, sums spelled out."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Settings:
    """A site file, compiled for the scan."""

    core: CoreSettings
    guard: GuardSettings
    noise_w: float

    @staticmethod
    def of(site: Site) -> Settings:
        """Compile a site.

        Raises:
            UnfitError: A time budget or another demand of the method cannot be met.
        """
        problems = [
            f"{finding.path}: {finding.text}" for finding in judge(site) if finding.level == "problem"
        ]
        if problems:
            raise UnfitError(problems)
        protection = GuardSettings.of(site)
        return Settings(
            core=CoreSettings.of(
                site,
                stale_s=budget.security(site).total_s,
                dropouts_w=_dropouts_w(protection, None),
                command_s=budget.COMMAND_ON_WIRE_S,
                chains_s={der.name: budget.response_chain(site, der).total_s for der in site.der},
                import_dropout_w=min(
                    (-element.dropout_w for element in protection.elements if element.on_import),
                    default=math.inf,
                ),
                phase_dropouts_w={
                    phase: _dropouts_w(protection, "abc".index(phase)) for phase in site.limited_phases
                },
            ),
            guard=protection,
            noise_w=site.meter.noise_w,
        )


def _dropouts_w(protection: GuardSettings, phase: int | None) -> tuple[tuple[str, float], ...]:
    """Name and dropout of each armed export element that looks at the total, or at one phase."""
    return tuple(
        (element.name, element.dropout_w)
        for element in (*protection.elements, *protection.further)
        if not element.on_import and element.phase == phase and not element.bound
    )


class State(NamedTuple):
    """Everything remembered from scan to scan. `failed`: the limiter could not finish the last scan."""

    core: control.CoreState
    guard: GuardState
    failed: bool = False
    polarity: Polarity = NO_MOVES

    @property
    def durable(self) -> Durable:
        """The part that must survive restart and power loss."""
        return self.guard.durable


def start(settings: Settings, durable: Durable, now_s: float) -> State:
    """The state of a process that has just come up: blind, in fallback, outputs open."""
    return State(
        control.core_start(
            settings.core, now_s, settings.noise_w, after_trip=durable.tripped or not durable.in_service
        ),
        guard_start(settings.guard, durable, now_s),
    )


def step(image: Image, settings: Settings, state: State, now_s: float) -> tuple[State, Commands, Reasons]:
    """Advance by one scan.

    Args:
        image: Everything measured, frozen before the scan.
        settings: The compiled site.
        state: The state after the last scan.
        now_s: Monotonic time of this scan.

    Returns:
        The state after this scan, what to command, and why: limits in force (tightest first) and events.
    """
    permit = guard.permit(settings.guard, state.guard, now_s)
    core_state, wish, polarity, error = _limited(image, settings, state, permit, now_s)
    guard_state, commands, events = guard.guard_step(
        image,
        settings.guard,
        state.guard,
        wish.limits_w,
        now_s,
        ready=wish.ready,
        entered=wish.entered,
        isolate=wish.isolate,
        floors_w=wish.floors_w,
    )
    narrowings = wish.narrowings
    if wish.reactive:
        commands = commands._replace(reactive=_reactive(wish.reactive, tripped=guard_state.durable.tripped))
    if guard_state.durable.tripped:
        narrowings = (Narrowing("trip", 0.0), *narrowings)
    if error is not None and not state.failed:
        events = (Event("alarm", now_s, f"the limiter failed, fallback is commanded: {error!r}"), *events)
    if polarity.told and not state.polarity.told:
        events = (Event("alarm", now_s, CONTRADICTED), *events)
    return (
        State(core_state, guard_state, error is not None, polarity),
        commands,
        Reasons(narrowings, (*wish.events, *events)),
    )


def _limited(
    image: Image, settings: Settings, state: State, permit: Permit, now_s: float
) -> tuple[control.CoreState, control.Wish, Polarity, Exception | None]:
    """The limiter's part of a scan; when it fails, what stands in for it, and why. The guard runs in any case."""
    in_service = state.guard.closed
    try:
        core_state, wish = control.core_step(
            image, settings.core, state.core, permit, now_s, in_service=in_service
        )
        polarity = polarity_step(
            state.polarity, image, settings.core.nameplate_w, settings.core.stale_s, now_s
        )
    except Exception as error:  # noqa: BLE001 - whatever fails in there, the guard must run
        core_state, wish = stand_in(
            image,
            settings.core,
            state.core,
            tuple(limit.limit_w for limit in state.guard.limits),
            settings.noise_w,
            now_s,
            permit.unresponsive,
        )
        return core_state, wish, state.polarity, error
    return core_state, wish, polarity, None


def _reactive(wanted: tuple[DerVar, ...], *, tripped: bool) -> tuple[DerVar, ...]:
    """A trip asks for no reactive power either."""
    return tuple(DerVar(one.name, 0.0) for one in wanted) if tripped else wanted


def view(state: State, settings: Settings, now_s: float) -> View:
    """The state as people and records see it."""
    durable = state.durable
    return View(
        mode=mode(state),
        export_limit_w=settings.guard.export_limit_w,
        target_w=aim_w(settings.core, state.core.limiter),
        elements=tuple(
            ElementView(
                name=element.name,
                pickup_w=element.pickup_w,
                dropout_w=element.dropout_w,
                delay_s=element.delay_s,
                picked_up=was.picked_up,
                elapsed_s=elapsed_s(was, now_s),
                operated=was.operated,
                blocked=was.blocked,
            )
            for element, was in zip(
                (
                    *settings.guard.elements,
                    settings.guard.pcs,
                    *(bound.element for bound in settings.guard.bounds),
                    *settings.guard.further,
                ),
                (*state.guard.elements, state.guard.pcs, *state.guard.bounds, *state.guard.further),
                strict=True,
            )
        ),
        tripped=durable.tripped,
        target=durable.target,
        service=_service(state),
        remaining_s=remaining_s(settings.core, state.core.enter, now_s),
        trips_24h=len(durable.trips_s),
        lockout=durable.lockout,
        fallbacks=state.core.fallback.count,
        trips=state.guard.trips,
    )


def mode(state: State) -> Mode:
    """What the controller is doing, in a word."""
    if state.durable.tripped:
        return "tripped"
    if state.core.fallback.active:
        return "starting" if state.core.fallback.starting else "fallback"
    return "regulating" if state.core.enter.done else "entering-service"


def _service(state: State) -> Service:
    if state.durable.lockout and state.durable.tripped:
        return "lockout"
    if state.durable.tripped:
        return "tripped"
    if not state.guard.closed:
        return "waiting"
    return "in-service" if state.core.enter.done else "ramping"
