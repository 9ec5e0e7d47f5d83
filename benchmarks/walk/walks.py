"""The walks: each looks at one part of the guard with every input that this part knows; together, at all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from benchmarks.walk.alphabet import HALF_DAY, TICK_S, Alphabet
from benchmarks.walk.walk import STARTS
from edge.guard.settings import DerSettings, ElementSettings, GuardSettings, OutputSettings
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


def walks(*, large: bool = False) -> list[Walk]:
    """The walks of the normal tests, or those with longer delays and more of everything."""

    def more(*choices: Any) -> tuple[Any, ...]:
        return choices if large else ()

    delay_s = (3 if large else 2) * TICK_S
    once = replace(ONCE, elements=(replace(ELEMENT, delay_s=delay_s),), lost_sensing_s=delay_s)
    sight = Alphabet(
        gap=(1, *more(2)),
        sample=(None, "invalid", *((value_w, 0) for value_w in VALUES_W), (85.0, 1), (101.0, 1)),
        power=(None, (100.0, 1), (101.0, 0), (0.0, 2)),
        override=("none", "test"),
    )
    service = Alphabet(
        gap=(1, *more(2)),
        sample=((0.0, 0), (101.0, 0), *more(None)),
        power=((4.0, 0), (4.0, 1), (5.0, 0)),
        reachable=(True, False) if large else (True,),
        reset=(False, True),
        restart=("kept", "lost"),
    )
    contact = Alphabet(
        gap=(1, 2),
        sample=((0.0, 0), (101.0, 0)),
        feedback=(None, (0.0, 0), (0.0, 1), (1.0, 0), (1.0, 1), *more((1.0, 2))),
        entered=(False, True),
        isolate=(False, True),
        restart=("kept",),
    )
    welded = replace(contact, entered=(True,), isolate=(False,), reset=(False, True))
    counting = Alphabet(
        gap=(1, HALF_DAY),
        sample=(None, (0.0, 0), (95.5, 0), (101.0, 0)),
        ready=(True, False) if large else (True,),
        reset=(False, True),
        override=("none", "test", "blind", "remote"),
    )
    bound = Alphabet(
        gap=(1, *more(2)),
        sample=(None, (100.0, 0), (101.0, 0), (100.0, 1), (101.0, 1), *more("invalid", (99.0, 0))),
        reset=(False, True),
    )
    watched = Alphabet(
        sample=((0.0, 0),),
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
        Walk("supervisor", ONCE, watched, frozenset({"trip supervisor:b", "write-unverified"}), (NEW_SITE,)),
        Walk(
            "minimum power",
            replace(ONCE, elements=(minimum,), export_limit_w=0.0, lost_sensing_s=minimum.delay_s),
            replace(
                sight,
                sample=(None, (-20.0, 0), (-6.0, 0), (-5.0, 0), (-4.0, 0), (-4.0, 1)),
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
                sample=(None, *((-value_w, 0) for value_w in VALUES_W)),
                power=(None, (-2.0, 0), (-2.5, 0), (200.0, 1)),
                override=("none", "test"),
            ),
            frozenset({"trip import", "trip lost-sensing"}),
            (NEW_SITE,),
        ),
    ]
