"""What a scan says: limits for the DERs, states for the trip outputs, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class DerLimit(NamedTuple):
    """The band that one DER is told to stay in, in W; the driver rounds both ends to what the device can hold.

    `limit_w` is the most it may generate; of storage it may be negative: absorb at least that much. `floor_w`, never
    above 0 or `limit_w`, is the negative of the most it may absorb: 0 for what only generates.
    """

    name: str
    limit_w: float
    floor_w: float = 0.0


@dataclass(frozen=True, slots=True)
class DerVar:
    """The reactive power that one DER is to make, in var, injection positive; only for DERs whose volt-var runs here."""

    name: str
    var: float


class OutputCommand(NamedTuple):
    """A trip output: `closed` holds the DERs behind it connected and feeds its dead-man; else it opens."""

    name: str
    closed: bool


class Commands(NamedTuple):
    """Everything a scan commands; every DER and every output of the site is named, once."""

    limits: tuple[DerLimit, ...]
    outputs: tuple[OutputCommand, ...]
    reactive: tuple[DerVar, ...] = ()


class Narrowing(NamedTuple):
    """One entry of the limit stack: `by` allows no more than `limit_w` of DER output (of `der`, or in sum)."""

    by: str
    limit_w: float
    der: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something worth keeping as evidence. `at_s` is monotonic; `kind` is one of the contract's event types."""

    kind: str
    at_s: float
    detail: str
    values: tuple[tuple[str, float], ...] = ()


class Reasons(NamedTuple):
    """Why the commands are what they are: the limits in force, tightest first, and what happened."""

    limits: tuple[Narrowing, ...]
    events: tuple[Event, ...] = ()
