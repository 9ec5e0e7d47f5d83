"""Share a limit on the sum among the DERs: generation first, then storage; surplus is absorbed before it is cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.core.settings import DerPlant, Order

Caps = Mapping[str, float]
Sharing = Callable[[float, tuple[DerPlant, ...], Caps], dict[str, float]]


@dataclass(frozen=True, slots=True)
class Stores:
    """What storage may do now, in W: as a sum, and each by name.

    `charge_caps_w` is the most each may absorb, 0 when it is full. `absorbed_w` is what each was measured to absorb:
    nothing else makes room for generation. `serve_w` is what storage that the gateway operates would give at best.
    Storage is told to absorb what generation wants above `level_w`: the total, were it not for its ramp. Without
    sight of the PCC nothing is surplus.
    """

    discharge_w: float
    charge_w: float
    charge_caps_w: Caps
    absorbed_w: Caps
    serve_w: float
    level_w: float


def banded(
    total_w: float,
    generation: tuple[DerPlant, ...],
    storage: tuple[DerPlant, ...],
    caps_w: Caps,
    wanted_w: Caps,
    stores: Stores,
    order: Order,
) -> tuple[dict[str, float], dict[str, float]]:
    """Limits and floors in W by name; the limits, negative ones included, in sum at most `total_w`.

    Generation gets what it wants, storage the rest, and what storage may not give goes back to generation. Where the
    total is below what generation wants, storage is told to absorb the difference, and generation is given more
    than the total only by what storage was measured to absorb of that.
    """
    share = sharing(order)
    floors_w = _floors(stores, storage)
    wants_w = sum(min(caps_w[der.name], wanted_w[der.name]) for der in generation)
    surplus_w = wants_w - max(total_w, stores.level_w)
    room_w = -sum(floors_w.values())
    if surplus_w > 0.0 and room_w > 0.0:
        part = min(1.0, surplus_w / room_w)
        limits_w = {name: part * floor_w for name, floor_w in floors_w.items()}
    else:
        limits_w = share(min(total_w - wants_w, stores.discharge_w), storage, caps_w)
    for der in storage:
        # A limit below 0 that a device holds from before a start is not loosened, as far as it may absorb.
        limits_w[der.name] = max(floors_w[der.name], min(limits_w[der.name], caps_w[der.name]))
    _operate(stores, storage, limits_w, floors_w)
    given_w = sum(max(limit_w, -stores.absorbed_w[name]) for name, limit_w in limits_w.items())
    return limits_w | share(total_w - given_w, generation, caps_w), floors_w


def _floors(stores: Stores, storage: tuple[DerPlant, ...]) -> dict[str, float]:
    """What each may absorb at most, as a negative power: in proportion to what each can."""
    most_w = sum(stores.charge_caps_w[der.name] for der in storage)
    part = min(1.0, stores.charge_w / most_w) if most_w > 0 else 0.0
    return {der.name: -part * stores.charge_caps_w[der.name] for der in storage}


def _operate(
    stores: Stores, storage: tuple[DerPlant, ...], limits_w: dict[str, float], floors_w: dict[str, float]
) -> None:
    """Storage that the gateway operates serves the net load within its band, whose upper end is that set-point."""
    operated = tuple(der for der in storage if der.by_setpoint)
    rated_w = sum(der.nameplate_w for der in operated)
    for der in operated:
        set_w = stores.serve_w * der.nameplate_w / rated_w
        set_w = min(max(set_w, floors_w[der.name]), limits_w[der.name])
        limits_w[der.name], floors_w[der.name] = set_w, min(set_w, 0.0)


def proportional(total_w: float, ders: tuple[DerPlant, ...], caps_w: Caps) -> dict[str, float]:
    """Limits in W for each of `ders`, in sum at most `total_w`, none above its entry in `caps_w`.

    In proportion to nameplate; what one may not take goes to others. A share below a DER's minimum is 0: a lower
    limit would not be obeyed.
    """
    return _shared(total_w, ders, caps_w, [der.nameplate_w for der in ders])


def equal(total_w: float, ders: tuple[DerPlant, ...], caps_w: Caps) -> dict[str, float]:
    """The same with equal shares in W."""
    return _shared(total_w, ders, caps_w, [1.0] * len(ders))


def priority(total_w: float, ders: tuple[DerPlant, ...], caps_w: Caps) -> dict[str, float]:
    """The same one after another: each gets all that it may take before the next one gets any."""
    limits_w: dict[str, float] = {}
    rest_w = max(0.0, total_w)
    for der in ders:
        limits_w[der.name] = limit_w = _obeyed(der, min(rest_w, caps_w[der.name], der.nameplate_w))
        rest_w -= limit_w
    return limits_w


def sharing(order: Order) -> Sharing:
    """How a site shares."""
    if order == "priority":
        return priority
    return equal if order == "equal" else proportional


def _shared(
    total_w: float, ders: tuple[DerPlant, ...], caps_w: Caps, weights: list[float]
) -> dict[str, float]:
    """Shares by weight, those that are full first: so each knows what the ones before it left."""
    limits_w: dict[str, float] = {}
    rest_w, rest = max(0.0, total_w), sum(weights)
    open_ders = [
        (min(caps_w[der.name], der.nameplate_w), weight, der)
        for der, weight in zip(ders, weights, strict=True)
    ]
    open_ders.sort(key=lambda item: item[0] / item[1])
    for most_w, weight, der in open_ders:
        limits_w[der.name] = limit_w = _obeyed(der, min(rest_w * weight / rest, most_w))
        rest_w -= limit_w
        rest -= weight
    return limits_w


def _obeyed(der: DerPlant, limit_w: float) -> float:
    return limit_w if limit_w >= der.min_w else 0.0
