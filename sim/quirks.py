"""The closed list of quirks: how a real device departs from its specification, switched on by name.

A quirk is the device's own and lasts; what goes wrong at a time is a fault (`sim/files/fault.py`). Which part of
the simulator realises a quirk is nobody's business but its own: the firmware of the limit (`sim/limit.py`) does
so in virtual time too, the rest shows only over Modbus.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

DeviceKind = Literal["inverter", "meter", "coil", "diagnostic"]


class Quirk(StrEnum):
    """Every quirk has one name; `FACTS` says what it does, who was seen doing it, and on what it makes sense."""

    ENABLE_MUST_TOGGLE = "enable-must-toggle"
    LIMIT_IGNORED = "limit-acknowledged-and-ignored"
    REVERSION_LAPSES_SILENTLY = "reversion-lapses-silently"
    READS_BACK_NOTHING = "reads-back-nothing"
    FC06_ONLY = "fc06-only"
    FC16_ONLY = "fc16-only"
    ONE_CONNECTION_ONLY = "one-connection-only"
    MINIMUM_POLL_INTERVAL = "minimum-poll-interval"
    ZEROS_WHEN_ASKED_TOO_FAST = "zeros-when-asked-too-fast"
    FIRST_ANSWER_SLOW = "first-answer-slow"
    TRANSACTION_ID_NOT_ECHOED = "transaction-id-not-echoed"
    MODEL_1_OF_65 = "model-1-of-65"
    TWO_DEVICES_IN_ONE_CHAIN = "two-devices-in-one-chain"
    END_MARKER_MISSING = "end-marker-missing"
    END_MARKER_ZERO = "end-marker-zero"
    MODEL_LENGTH_CHANGES_WITH_LIGHT = "model-length-changes-with-light"
    SCALE_FACTOR_CHANGES = "scale-factor-changes-at-run-time"
    NOT_IMPLEMENTED_AT_NIGHT = "not-implemented-at-night"
    RATING_0_AT_NIGHT = "rating-0-at-night"
    PF_IN_PERCENT = "pf-in-percent"
    PF_AS_FRACTION = "pf-as-fraction"
    GARBAGE_AFTER_NUL = "garbage-after-nul"
    BASE_0 = "base-0"
    BASE_50000 = "base-50000"
    NOT_SUNSPEC = "not-sunspec"


_INVERTER: frozenset[DeviceKind] = frozenset({"inverter"})
_SUNSPEC: frozenset[DeviceKind] = frozenset({"inverter", "meter"})
_ANY: frozenset[DeviceKind] = frozenset({"inverter", "meter", "coil"})
_LIMIT = frozenset({123, 704})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a quirk does, where it was seen, the devices that can have it, and the models of which it needs one.

    A quirk with `sunspec` is about the chain of models, and a device without one cannot have it.
    """

    does: str
    source: str
    devices: frozenset[DeviceKind]
    models: frozenset[int] = frozenset()
    sunspec: bool = True


FACTS: dict[Quirk, Facts] = {
    Quirk.ENABLE_MUST_TOGGLE: Facts(
        "a new percent is ignored while the limit is on, unless the same write sets the enable again",
        "Fronius, callifo/fronius_modbus#58",
        _INVERTER,
        _LIMIT,
    ),
    Quirk.LIMIT_IGNORED: Facts(
        "a limit is acknowledged and reads back right, and power does not follow",
        "SolarEdge with 0xF142 off, dbus-fronius solaredge_limiter.cpp; ha-modbus-manager#98",
        _INVERTER,
        _LIMIT,
    ),
    Quirk.REVERSION_LAPSES_SILENTLY: Facts(
        "when the timer runs out power is free, while enable and percent still read as written",
        "KACO model 123, ha-sunspec2#17",
        _INVERTER,
        frozenset({123}),
    ),
    Quirk.READS_BACK_NOTHING: Facts(
        "model 123 always reads Conn 0, WMaxLimPct 0, WMaxLim_Ena 1, whatever was written",
        "SMA Sunny Boy dumps",
        _INVERTER,
        frozenset({123}),
    ),
    Quirk.FC06_ONLY: Facts(
        "function 16 is refused, also for one register",
        "Kostal Plenticore, evcc#31487",
        _ANY,
        sunspec=False,
    ),
    Quirk.FC16_ONLY: Facts(
        "function 6 is refused",
        "most devices; SMA as dbus-fronius sma_limiter.cpp writes it",
        _ANY,
        sunspec=False,
    ),
    Quirk.ONE_CONNECTION_ONLY: Facts(
        "a second TCP connection is closed at once while the first one stands",
        "SolarEdge, evcc#16763; KACO Powador, ha-sunspec2 api.py",
        _ANY,
        sunspec=False,
    ),
    Quirk.MINIMUM_POLL_INTERVAL: Facts(
        "a request too soon after the last one gets no answer",
        "KACO Powador, ha-sunspec2 const.py; Carlo Gavazzi EM24 E1, dbus-modbus-client",
        _ANY,
        sunspec=False,
    ),
    Quirk.ZEROS_WHEN_ASKED_TOO_FAST: Facts(
        "a read too soon after the last one of the same registers is answered with zeros",
        "Fronius, longzheng/open-dynamic-export#75",
        _ANY,
        sunspec=False,
    ),
    Quirk.FIRST_ANSWER_SLOW: Facts(
        "the first answer on a connection takes half a second",
        "SolarEdge, openhab#9270",
        _ANY,
        sunspec=False,
    ),
    Quirk.TRANSACTION_ID_NOT_ECHOED: Facts(
        "every answer over TCP has the transaction id 0",
        "a gateway from TCP to RTU, kellerza/sunsynk#680",
        _ANY,
        sunspec=False,
    ),
    Quirk.MODEL_1_OF_65: Facts(
        "model 1 has no pad, so what follows starts at an odd address (without this quirk: 66)",
        "SolarEdge, Fronius, most devices of 2012",
        _SUNSPEC,
    ),
    Quirk.TWO_DEVICES_IN_ONE_CHAIN: Facts(
        "behind the inverter's models the chain goes on with another model 1 and the PCC meter",
        "SolarEdge, dbus-fronius sunspec_detector.cpp",
        _INVERTER,
    ),
    Quirk.END_MARKER_MISSING: Facts(
        "a read at the end of the chain is refused with exception 2",
        "SMA, dbus-fronius sunspec_detector.cpp",
        _SUNSPEC,
    ),
    Quirk.END_MARKER_ZERO: Facts(
        "the chain ends with 0 and 0 in place of 65535 and 0",
        "sunspec/models#44",
        _SUNSPEC,
    ),
    Quirk.MODEL_LENGTH_CHANGES_WITH_LIGHT: Facts(
        "model 714 has its DC ports only in daylight, and then refuses to let them be read",
        "SMA Tripower X, pysunspec2#89",
        _INVERTER,
        frozenset({714}),
    ),
    Quirk.SCALE_FACTOR_CHANGES: Facts(
        "the scale factors of power follow its size",
        "Fronius GEN24, Galvo, Symo; pysunspec2#42, dbus-fronius#17",
        _INVERTER,
        frozenset({101, 102, 103, 160, 701}),
    ),
    Quirk.NOT_IMPLEMENTED_AT_NIGHT: Facts(
        "without sun every measurement but the energy reads as not implemented",
        "SMA Sunny Boy dump of a night",
        _INVERTER,
        frozenset({101, 102, 103, 111, 112, 113, 701}),
    ),
    Quirk.RATING_0_AT_NIGHT: Facts(
        "without sun the active power rating reads 0",
        "Enphase, victronenergy/venus#1507",
        _INVERTER,
        frozenset({120, 702}),
    ),
    Quirk.PF_IN_PERCENT: Facts(
        "model 701 shows the power factor as a percentage",
        "as SolarEdge and Fronius do in their older models",
        _INVERTER,
        frozenset({701}),
    ),
    Quirk.PF_AS_FRACTION: Facts(
        "the power factor is a fraction where the model asks for percent",
        "SMA, FIMER, Veris dumps",
        _SUNSPEC,
        frozenset({101, 102, 103, 111, 112, 113, 201, 202, 203, 204}),
    ),
    Quirk.GARBAGE_AFTER_NUL: Facts(
        "what follows the first NUL of a string is not NUL",
        "old SolarEdge dump",
        _SUNSPEC,
    ),
    Quirk.BASE_0: Facts("the chain starts at address 0", "Power-One PVI-CENTRAL-50", _SUNSPEC),
    Quirk.BASE_50000: Facts("the chain starts at address 50000", "third base of pysunspec2", _SUNSPEC),
    Quirk.NOT_SUNSPEC: Facts(
        "the registers are there and hold something else than SunSpec",
        "E3/DC in simple mode, evcc#82",
        _SUNSPEC,
    ),
}

_EXCLUSIVE: tuple[frozenset[Quirk], ...] = (
    frozenset({Quirk.FC06_ONLY, Quirk.FC16_ONLY}),
    frozenset({Quirk.BASE_0, Quirk.BASE_50000, Quirk.NOT_SUNSPEC}),
    frozenset({Quirk.END_MARKER_MISSING, Quirk.END_MARKER_ZERO}),
    frozenset({Quirk.PF_IN_PERCENT, Quirk.PF_AS_FRACTION}),
)


def misfit(quirks: Collection[Quirk], device: DeviceKind, models: Collection[int]) -> str | None:
    """Why a device of this kind with these SunSpec models (none: not SunSpec) cannot have `quirks`."""
    for quirk in quirks:
        facts = FACTS[quirk]
        if device not in facts.devices or (facts.sunspec and not models):
            return f"{quirk} makes no sense for this {device}"
        if facts.models and not facts.models & set(models):
            return f"{quirk} needs a model {' or '.join(map(str, sorted(facts.models)))}"
    if len(set(quirks)) != len(quirks):
        return "a quirk is named twice"
    for group in _EXCLUSIVE:
        both = sorted(group & set(quirks))
        if len(both) > 1:
            return f"{both[0]} and {both[1]} exclude each other"
    return None
