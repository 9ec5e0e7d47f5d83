"""Limits on more than the sum of active power: on apparent power, and on each phase.

Each phase that has a limit is a boundary of its own, with the limiter's law as it is for the whole site; a limit in
kVA is one on active power that moves with the reactive flow. What they ask for only narrows: limits are shared out for
the whole site first, then scaled down where a phase would get more than it may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge.core.fallback import fallback_total_w
from edge.core.limiter import Limiter, correct, target_w
from edge.core.reactive import followed, left_w, most_var
from edge.core.settings import CoreSettings
from edge.core.track import Track
from edge.model.commands import Event, Narrowing
from edge.model.image import PccReading

NOTHING: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class PhaseRoom:
    """What one phase has room for at zero host load, `blind_w`, and what unheard DERs may be making there.

    `closed_w` is the latter with every contact closed, `counted_w` as the contacts are.
    """

    settings: CoreSettings
    blind_w: float
    counted_w: float
    closed_w: float


def corrected(
    settings: CoreSettings,
    limiter: Limiter,
    tracks: tuple[Track, ...],
    lost: frozenset[str],
    pcc: PccReading,
    now_s: float,
) -> Limiter:
    """The limiter of a boundary with a limit on apparent power: `correct`, under what the reactive flow leaves."""
    var = pcc.power_var(settings.phase).fresh(now_s, settings.stale_s)
    if var is None or pcc.sequence == limiter.sequence:
        return limiter
    reactive = followed(settings, limiter.reactive, var, limiter.noise.variance_w2)
    under = replace(settings, ceiling_w=settings.ceiling_w - taken_w(settings, most_var(settings, reactive)))
    after = correct(under, limiter, tracks, lost, pcc, now_s)
    return replace(after, reactive=reactive)


def regulated(
    settings: CoreSettings,
    limiter: Limiter,
    blind_w: float | None,
    tracks: tuple[Track, ...],
    lost: frozenset[str],
    pcc: PccReading,
    now_s: float,
) -> Limiter:
    """The limiter of one boundary after this scan. In fallback its ceiling is at most `blind_w`, to go up from there.

    One that stood lower stays: a fallback forced during an excursion loosens nothing.
    """
    law = correct if settings.limit_va is None else corrected
    after = law(settings, limiter, tracks, lost, pcc, now_s)
    if blind_w is not None and after.ceiling_w > blind_w:
        return replace(after, ceiling_w=blind_w)
    return after


def phases_regulated(
    rooms: tuple[PhaseRoom, ...],
    limiters: tuple[Limiter, ...],
    tracks: tuple[Track, ...],
    lost: frozenset[str],
    pcc: PccReading,
    now_s: float,
    *,
    blind: bool,
) -> tuple[Limiter, ...]:
    """The limiters of all limited phases after this scan; `blind` in fallback."""
    if not rooms:
        return limiters
    return tuple(
        regulated(room.settings, was, room.blind_w if blind else None, tracks, lost, pcc, now_s)
        for room, was in zip(rooms, limiters, strict=True)
    )


def taken_w(settings: CoreSettings, var: float) -> float:
    """How much lower than without it the ceiling on export stands for a reactive flow of `var`."""
    if settings.limit_va is None:
        return 0.0
    return max(0.0, settings.ceiling_w - left_w(settings.limit_va, var))


def aim_w(settings: CoreSettings, limiter: Limiter) -> float:
    """The export that the limiter aims at, beside the reactive flow that it has seen."""
    return target_w(settings, limiter.noise) - taken_w(settings, most_var(settings, limiter.reactive))


def blind_total_w(settings: CoreSettings, limiter: Limiter, unseen_w: float) -> float:
    """What all DERs together may put on a boundary when nobody sees what flows and the host load may be zero.

    The reactive flow counts as the larger of what was last seen and what is expected; `unseen_w` is the aim without
    any.
    """
    if settings.limit_va is not None:
        unseen_w -= taken_w(settings, max(settings.expected_var, most_var(settings, limiter.reactive)))
    return fallback_total_w(settings, unseen_w) / settings.unbalance


def phase_rooms(
    settings: CoreSettings,
    limiters: tuple[Limiter, ...],
    counted_w: dict[str, float],
    closed_w: dict[str, float],
) -> tuple[PhaseRoom, ...]:
    """What each limited phase has room for; `counted_w` and `closed_w` are what each unheard DER may be making."""
    return tuple(
        PhaseRoom(
            phase,
            blind_total_w(phase, limiter, target_w(phase, limiter.noise)),
            on_phase_w(phase, counted_w),
            on_phase_w(phase, closed_w),
        )
        for phase, limiter in zip(settings.phases, limiters, strict=True)
    )


def ceilings_w(rooms: tuple[PhaseRoom, ...], limiters: tuple[Limiter, ...]) -> tuple[float, ...]:
    """What the DERs that answer may put on each limited phase."""
    return tuple(limiter.ceiling_w - room.counted_w for room, limiter in zip(rooms, limiters, strict=True))


def narrowed(
    settings: CoreSettings,
    limits_w: dict[str, float],
    ceilings_w: tuple[float, ...],
    absorbed_w: Mapping[str, float] = NOTHING,
) -> dict[str, float]:
    """`limits_w`, lowered in place where the shares of a phase would pass its entry in `ceilings_w`.

    A limit that falls below its DER's minimum is 0: a lower one would not be obeyed. Storage that is told to absorb
    makes room by what it was measured to absorb, `absorbed_w`, and is left as it is.
    """
    for phase, ceiling_w in zip(settings.phases, ceilings_w, strict=True):
        given_w = {name: max(limit_w, -absorbed_w.get(name, 0.0)) for name, limit_w in limits_w.items()}
        over_w = on_phase_w(phase, given_w) - ceiling_w
        if over_w > 0.0:
            _lower(phase, limits_w, over_w)
    return limits_w


def _lower(phase: CoreSettings, limits_w: dict[str, float], over_w: float) -> None:
    """Take `over_w` off a phase. Each limit is cut by a part of itself that goes with its DER's share there.

    All move, so that the phase is relieved quickly, and those most that relieve it most for what they lose. With
    equal shares all are scaled alike.
    """
    weights = {plant.name: plant.share * plant.share * limits_w.get(plant.name, 0.0) for plant in phase.ders}
    left = [plant for plant in phase.ders if weights[plant.name] > 0.0]
    while left:
        cut = max(0.0, over_w) / sum(weights[plant.name] for plant in left)
        gone = [plant for plant in left if cut * plant.share >= 1.0]
        if not gone:
            break
        for plant in gone:
            over_w -= plant.share * limits_w[plant.name]
            limits_w[plant.name] = 0.0
        left = [plant for plant in left if plant not in gone]
    for plant in left:
        limit_w = (1.0 - cut * plant.share) * limits_w[plant.name]
        limits_w[plant.name] = limit_w if limit_w >= plant.min_w else 0.0


def on_phase_w(phase: CoreSettings, powers_w: dict[str, float]) -> float:
    """What powers by DER are together on a phase."""
    return sum(plant.share * powers_w[plant.name] for plant in phase.ders if plant.name in powers_w)


def narrowings(settings: CoreSettings, ceilings_w: tuple[float, ...]) -> tuple[Narrowing, ...]:
    """The limits on the phases, for whoever asks why."""
    return tuple(
        Narrowing(phase.ceiling_by, ceiling_w)
        for phase, ceiling_w in zip(settings.phases, ceilings_w, strict=True)
    )


def ceiling_by(settings: CoreSettings, limiter: Limiter) -> str:
    """What the limiter's ceiling stands for."""
    if settings.limit_va is None:
        return settings.ceiling_by
    taken = taken_w(settings, most_var(settings, limiter.reactive)) > 0.0
    return "export-limit-va" if taken else settings.ceiling_by


def events(
    settings: CoreSettings, before: tuple[Limiter, ...], after: tuple[Limiter, ...], now_s: float
) -> list[Event]:
    """An alarm where the reactive flow alone has come to be as much as the limit on apparent power."""
    found: list[Event] = []
    if settings.limit_va is None and not settings.phases:
        return found
    for boundary, was, has in zip((settings, *settings.phases), before, after, strict=True):
        limit_va = boundary.limit_va
        if limit_va is None or most_var(boundary, was.reactive) >= limit_va:
            continue
        var = most_var(boundary, has.reactive)
        if var >= limit_va:
            where = "" if boundary.phase is None else f" on phase {'abc'[boundary.phase]}"
            said = f"a reactive flow of {var:.0f} var{where} takes all of the export limit of {limit_va:g} VA"
            found.append(Event("alarm", now_s, f"{said}: no active power may be exported"))
    return found
