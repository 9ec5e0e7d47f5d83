"""The walks: each looks at one part of the guard with every input that this part knows; together, at all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benchmarks.walk.alphabet import HALF_DAY, TICK_S, Alphabet, Good
from benchmarks.walk.walk import STARTS
from edge.guard.settings import DerSettings, ElementSettings, GuardSettings, OutputSettings, ZeroLoadSum
from edge.model.durable import NEW_SITE, Durable

AWAY = ElementSettings("PCS", 1e9, 1e9, TICK_S, TICK_S)
"""A bound that nothing reaches."""
ELEMENT = ElementSettings("32", 100.0, 90.0, 3 * TICK_S, 0.0)
GUARD = GuardSettings(
    elements=(ELEMENT,),
    pcs=AWAY,
    force_fallback_after_s=TICK_S,
    ders=(DerSettings("b", 200.0, "k", TICK_S, TICK_S),),
    outputs=(OutputSettings("k", TICK_S - 0.5),),
    watchdog_s=2 * TICK_S,
    unmanaged_w=0.0,
    export_limit_w=100.0,
    lost_sensing_s=3 * TICK_S,
    reset_is_manual=False,
    lockout_trips=2,
)
ONCE = replace(GUARD, lockout_trips=1)
QUICK = replace(GUARD, elements=(replace(ELEMENT, delay_s=TICK_S),), lost_sensing_s=TICK_S)
VALUES_W = (85.0, 90.0, 95.0, 100.0, 101.0)
"""Below, at and between every threshold, that of a test included, and above."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk; `reaches` names what it must come by, or it would prove nothing."""

    name: str
    settings: GuardSettings
    alphabet: Alphabet
    reaches: frozenset[str]
    starts: tuple[Durable, ...] = STARTS


def _by_phase(element: ElementSettings, limit_w: float, phase_w: float) -> GuardSettings:
    """The element on the total and on phases a and b; the DER is on phase a alone.

    A phase may export `phase_w` before its element picks up; without sight as much, unless nothing may be exported.
    """
    return replace(
        ONCE,
        elements=(element,),
        lost_sensing_s=element.delay_s,
        export_limit_w=limit_w,
        further=tuple(
            replace(
                element,
                name=f"{element.name}-{name}",
                pickup_w=phase_w,
                dropout_w=0.9 * phase_w,
                phase=phase,
            )
            for phase, name in enumerate("ab")
        ),
        sums=tuple(ZeroLoadSum((share,), 0.0, min(phase_w, limit_w)) for share in (1.0, 0.0)),
    )


def walks(*, large: bool = False) -> list[Walk]:
    """The walks of the normal tests, or those with longer delays and more of everything."""

    def more(*choices: Any) -> tuple[Any, ...]:
        return choices if large else ()

    delay_s = (3 if large else 2) * TICK_S
    once = replace(ONCE, elements=(replace(ELEMENT, delay_s=delay_s),), lost_sensing_s=delay_s)
    sight = Alphabet(
        gap=(1, *more(2)),
        sample=(None, "invalid", *(Good(value_w) for value_w in VALUES_W), Good(85.0, 1), Good(101.0, 1)),
        power=(None, (100.0, 1), (101.0, 0), (0.0, 2)),
        override=("none", "test"),
    )
    service = Alphabet(
        gap=(1, *more(2)),
        sample=(Good(0.0), Good(101.0), *more(None)),
        power=((4.0, 0), (4.0, 1), (5.0, 0)),
        reachable=(True, False) if large else (True,),
        reset=(False, True),
        restart=("kept", "lost"),
    )
    contact = Alphabet(
        gap=(1, 2),
        sample=(Good(0.0), Good(101.0)),
        feedback=(None, (0.0, 0), (0.0, 1), (1.0, 0), (1.0, 1), *more((1.0, 2))),
        entered=(False, True),
        isolate=(False, True),
        restart=("kept",),
    )
    welded = replace(contact, entered=(True,), isolate=(False,), reset=(False, True))
    counting = Alphabet(
        gap=(1, HALF_DAY),
        sample=(None, Good(0.0), Good(95.5), Good(101.0)),
        ready=(True, False) if large else (True,),
        reset=(False, True),
        override=("none", "test", "blind", "remote"),
    )
    bound = Alphabet(
        gap=(1, *more(2)),
        sample=(None, Good(100.0), Good(101.0), Good(100.0, 1), Good(101.0, 1), *more("invalid", Good(99.0))),
        reset=(False, True),
    )
    watched = Alphabet(
        sample=(Good(0.0),),
        power=(None, (4.0, 0), (4.5, 0), (200.0, 0), (200.0, 2)),
        reachable=(True, False) if large else (True,),
        asked_w=(0.0, 200.0),
        ready=(True,),
    )
    minimum = ElementSettings("32F", -5.0, -6.0, 2 * TICK_S, 0.0, blocked_at_zero_output=True)
    importing = ElementSettings("import", -100.0, -90.0, 2 * TICK_S, 0.0, on_import=True)
    pcs = replace(
        AWAY, pickup_w=100.0, dropout_w=100.0, delay_s=(4 if large else 3) * TICK_S, reset_delay_s=2 * TICK_S
    )
    phases = Alphabet(
        sample=(
            None,
            "torn",
            Good(85.0, 0, (0.0, 0.0)),
            Good(101.0, 0, (36.0, 0.0)),
            Good(85.0, 0, (41.0, 0.0)),
            Good(85.0, 0, (36.0, 41.0)),
            *more(
                Good(95.0, 0, (40.0, 37.0)),
                Good(101.0, 0, (41.0, 41.0)),
                Good(85.0, 1, (41.0, 0.0)),
            ),
        ),
        power=(None, (40.0, 1), (41.0, 0)),
        ready=(True,),
        reset=(False, True),
        override=("none", *more("test")),
    )
    non_export = replace(
        phases,
        sample=(None, "torn", Good(0.0, 0, (0.0, 0.0)), Good(6.0, 0, (1.5, 0.0)), Good(4.0, 0, (3.0, 1.0))),
        power=(None, (0.0, 1), (1.0, 0)),
        override=("none",),
    )
    bound_phase = replace(
        bound,
        sample=(
            None,
            Good(101.0, 0, (40.0,)),
            Good(0.0, 0, (41.0,)),
            Good(0.0, 1, (41.0,)),
            *more("torn", Good(100.0, 0, (40.0,)), Good(0.0, 1, (40.0,))),
        ),
    )
    single = QUICK if large else replace(QUICK, lockout_trips=1)
    manual = replace(single, reset_is_manual=True)
    trips = {"pickup", "dropout", "trip", "reset"}
    return [
        Walk("element", once, sight, frozenset({"trip 32", "trip lost-sensing", "dropout"}), (NEW_SITE,)),
        Walk("service", single, service, frozenset({*trips, "lockout"})),
        Walk("service, manual", manual, service, frozenset(trips)),
        Walk("contact", QUICK, contact, frozenset({*trips, "breaker-failure", "out-of-service"})),
        Walk("welded", QUICK, welded, frozenset({*trips, "trip breaker-failure:k", "lockout"})),
        Walk("counting", QUICK, counting, frozenset({*trips, "lockout"})),
        Walk(
            "PCS bound",
            replace(GUARD, elements=(), lost_sensing_s=None, pcs=pcs),
            bound,
            frozenset({"trip PCS"}),
        ),
        Walk(
            "PCS bound of a phase",
            replace(
                GUARD,
                elements=(),
                lost_sensing_s=None,
                further=(replace(pcs, name="PCS-a", pickup_w=40.0, dropout_w=40.0, phase=0, bound=True),),
            ),
            bound_phase,
            frozenset({"trip PCS-a"}),
        ),
        Walk(
            "phases",
            _by_phase(replace(ELEMENT, delay_s=delay_s), 100.0, 40.0),
            phases,
            frozenset({"trip 32", "trip 32-a", "trip 32-b", "trip lost-sensing", "dropout", "reset"}),
            (NEW_SITE,),
        ),
        Walk(
            "phases, 32R",
            _by_phase(ElementSettings("32R", 5.0, 4.0, 2 * TICK_S, 0.0), 0.0, 2.0),
            non_export,
            frozenset({"trip 32R", "trip 32R-a", "trip lost-sensing", "dropout", "reset"}),
            (NEW_SITE,),
        ),
        Walk("supervisor", ONCE, watched, frozenset({"trip supervisor:b", "write-unverified"}), (NEW_SITE,)),
        Walk(
            "minimum power",
            replace(ONCE, elements=(minimum,), export_limit_w=0.0, lost_sensing_s=minimum.delay_s),
            replace(
                sight,
                sample=(None, Good(-20.0), Good(-6.0), Good(-5.0), Good(-4.0), Good(-4.0, 1)),
                power=(None, (0.0, 0), (2.5, 0), (2.0, 2)),
                override=("none",),
            ),
            frozenset({"trip 32F", "trip lost-sensing"}),
            (NEW_SITE,),
        ),
        Walk(
            "import",
            replace(ONCE, elements=(importing,), lost_sensing_s=importing.delay_s),
            replace(
                sight,
                sample=(None, *(Good(-value_w) for value_w in VALUES_W)),
                power=(None, (-2.0, 0), (-2.5, 0), (200.0, 1)),
                override=("none", "test"),
            ),
            frozenset({"trip import", "trip lost-sensing"}),
            (NEW_SITE,),
        ),
    ]
