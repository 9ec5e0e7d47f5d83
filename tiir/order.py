"""Which setting must lie below which other, by clause: points of a curve, trips, windows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from tiir.values import Values, number, shown

_SLACK = 1e-9
"""What binary fractions may be off by: 1.02 - 0.02 is not exactly 1."""


@dataclass(frozen=True, slots=True)
class Order:
    """`less` is below `more`, or may equal it."""

    less: str
    more: str
    may_equal: bool
    clause: str

    def broken(self, values: Values) -> str | None:
        """One sentence where `values` break it; None where they keep it or do not hold both."""
        less, more = number(values.get(self.less)), number(values.get(self.more))
        if less is None or more is None or self._kept(less, more):
            return None
        words = "must not exceed" if self.may_equal else "must be below"
        return (
            f"{self.less} = {shown(less)} {words} {self.more} = {shown(more)} (IEEE 1547-2018 {self.clause})"
        )

    def _kept(self, less: float, more: float) -> bool:
        return less <= more + _SLACK if self.may_equal else less < more - _SLACK


def _below(clause: str, *labels: str) -> tuple[Order, ...]:
    return tuple(Order(a, b, may_equal=False, clause=clause) for a, b in pairwise(labels))


def _at_most(clause: str, *labels: str) -> tuple[Order, ...]:
    return tuple(Order(a, b, may_equal=True, clause=clause) for a, b in pairwise(labels))


WATT_VAR_LOAD = ("QP_CURVE_P3_LOAD", "QP_CURVE_P2_LOAD", "QP_CURVE_P1_LOAD")
"""Abscissae of the absorbing side, from full charge to none."""

ORDERS: tuple[Order, ...] = (
    *_below("5.3.3 Table 8", "QV_CURVE_V1", "QV_CURVE_V2"),
    *_at_most("5.3.3 Table 8", "QV_CURVE_V2", "QV_CURVE_V3"),
    *_below("5.3.3 Table 8", "QV_CURVE_V3", "QV_CURVE_V4"),
    *_below("5.3.4 Table 9", "QP_CURVE_P1_GEN", "QP_CURVE_P2_GEN", "QP_CURVE_P3_GEN"),
    *_below("5.3.4 Table 9", *WATT_VAR_LOAD),
    *_at_most("5.3.4 Table 9", "QP_CURVE_P1_LOAD", "QP_CURVE_P1_GEN"),
    *_below("5.4.2 Table 10", "PV_CURVE_V1", "PV_CURVE_V2"),
    *_at_most("5.4.2 Table 10", "PV_CURVE_P2", "PV_CURVE_P1"),
    *_at_most("6.4.1", "UV2_TRIP_V", "UV1_TRIP_V"),
    *_below("6.4.1", "UV1_TRIP_V", "OV1_TRIP_V"),
    *_at_most("6.4.1", "OV1_TRIP_V", "OV2_TRIP_V"),
    *_at_most("6.4.1", "UV2_TRIP_T", "UV1_TRIP_T"),
    *_at_most("6.4.1", "OV2_TRIP_T", "OV1_TRIP_T"),
    *_at_most("6.5.1", "UF2_TRIP_F", "UF1_TRIP_F"),
    *_below("6.5.1", "UF1_TRIP_F", "OF1_TRIP_F"),
    *_at_most("6.5.1", "OF1_TRIP_F", "OF2_TRIP_F"),
    *_at_most("6.5.1", "UF2_TRIP_T", "UF1_TRIP_T"),
    *_at_most("6.5.1", "OF2_TRIP_T", "OF1_TRIP_T"),
    *_below("4.10.2", "ES_V_LOW", "ES_V_HIGH"),
    *_below("4.10.2", "ES_F_LOW", "ES_F_HIGH"),
    *_at_most("4.10.2, 6.4.1", "UV1_TRIP_V", "ES_V_LOW"),
    *_at_most("4.10.2, 6.4.1", "ES_V_HIGH", "OV1_TRIP_V"),
    *_at_most("4.10.2, 6.5.1", "UF1_TRIP_F", "ES_F_LOW"),
    *_at_most("4.10.2, 6.5.1", "ES_F_HIGH", "OF1_TRIP_F"),
    *_below("6.4.2", "MC_LVRT_V1", "MC_HVRT_V1"),
    *_at_most("6.4.2", "MC_HVRT_V1", "OV2_TRIP_V"),
)
"""Every order. Reactive power along a curve is not among them: the tables bound it but let it run either way."""


def check_orders(values: Values) -> list[str]:
    """Every order that `values` break, one sentence each."""
    orders = ORDERS
    if all(number(values.get(label)) == 0.0 for label in WATT_VAR_LOAD):
        # SunSpec lets a device without an absorbing side hold three zeros there.
        orders = tuple(order for order in orders if not {order.less, order.more} <= set(WATT_VAR_LOAD))
    return [sentence for order in orders if (sentence := order.broken(values))]
