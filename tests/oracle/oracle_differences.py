"""Where OpenDER 2.2.0 is off or answers another question: what it does, what we do, where it is seen, and when.

A case in which the models are apart and to which one of `DIFFERENCES` applies is left out of the comparison, and no
other is. The families of `oracle_suite` are drawn so that most of them cannot show (no noise of the sun beside droop,
no limit with volt-watt while service is entered); `test_oracle_differences.py` goes there and shows both behaviours
of every one. `TRANSLATED` are those that `oracle_opender` takes out by the way it asks, so that no case has to be left
out. Modules are those of the package `opender`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from oracle_case import Answer, Case, Flags, Floats

from sim.der import Status
from tiir.rules import REACTIVE_MODES
from tiir.values import Values, number

Applies = Callable[[Case, Values, Answer], bool]


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        key: Its name in the report.
        oracle: What OpenDER does.
        ours: What we do instead, and why.
        source: Where it is to be seen.
    """

    key: str
    oracle: str
    ours: str
    source: str


def excluded(case: Case, settings: Values, oracle: Answer) -> list[str]:
    """The keys of the differences that `case`, with all its settings and OpenDER's answer, shows."""
    return [difference.key for difference, applies in DIFFERENCES.items() if applies(case, settings, oracle)]


def _entering(oracle: Answer) -> Flags:
    entering: Flags = oracle.status == Status.ENTERING_SERVICE
    return entering


def _limited(case: Case) -> Flags:
    limited: Flags = ~np.isnan(case.trace.limit_pu)
    return limited


def _changes(values: Floats) -> Flags:
    """Steps at which `values` is not what it was one step before."""
    changes: Flags = np.zeros(len(values), dtype=bool)
    changes[1:] = ~((values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1])))
    return changes


def _low(case: Case, settings: Values) -> Flags:
    """Steps at which droop is enabled and frequency below its deadband."""
    low: Flags = case.trace.hz < 60.0 - (number(settings["PF_DBUF"]) or 0.0)
    return low & (settings["PF_MODE_ENABLE"] is True)


def _high(case: Case, settings: Values) -> Flags:
    high: Flags = case.trace.hz > 60.0 + (number(settings["PF_DBOF"]) or 0.0)
    return high & (settings["PF_MODE_ENABLE"] is True)


def _limit_and_volt_watt_entering(case: Case, settings: Values, oracle: Answer) -> bool:
    return settings["PV_MODE_ENABLE"] is True and bool((_limited(case) & _entering(oracle)).any())


def _storage_limit_and_volt_watt(case: Case, settings: Values, oracle: Answer) -> bool:
    return case.storage is not None and settings["PV_MODE_ENABLE"] is True and bool(_limited(case).any())


def _droop_entering(case: Case, settings: Values, oracle: Answer) -> bool:
    return bool(((_low(case, settings) | _high(case, settings)) & _entering(oracle)).any())


def _const_q_after_trip(case: Case, settings: Values, oracle: Answer) -> bool:
    setpoint = settings["CONST_Q_MODE_ENABLE"] is True and bool(number(settings["CONST_Q"]))
    return setpoint and bool(_entering(oracle).any())


def _unequal_ratings(case: Case, settings: Values, oracle: Answer) -> bool:
    return case.storage is not None and case.storage.charge_pu != 1.0


def _command_while_droop_works(case: Case, settings: Values, oracle: Answer) -> bool:
    changes = _changes(case.trace.limit_pu)
    if case.storage is not None:
        changes |= _changes(case.trace.demand_pu)
    return bool((changes & oracle.droop).any())


def _edge(case: Case, settings: Values, oracle: Answer) -> bool:
    return bool(oracle.edge.any())


def _surplus_sun(case: Case, settings: Values, oracle: Answer) -> bool:
    return case.storage is None and bool((_low(case, settings) & (case.trace.avail_pu > 1.0)).any())


def _slow_limit_let_go(case: Case, settings: Values, oracle: Answer) -> bool:
    limited = _limited(case)
    released = bool((limited[:-1] & ~limited[1:]).any())
    return case.limit_ramp_s > 0 and (released or bool((limited & _entering(oracle)).any()))


def _no_ramp(case: Case, settings: Values, oracle: Answer) -> bool:
    return not number(settings["ES_RAMP_RATE"]) and bool(_entering(oracle).any())


def _abnormal_at_first(case: Case, settings: Values, oracle: Answer) -> bool:
    v_pu, hz = case.trace.v_pu[0], case.trace.hz[0]
    high = [v_pu > settings[f"OV{i}_TRIP_V"] or hz > settings[f"OF{i}_TRIP_F"] for i in (1, 2)]
    low = [v_pu < settings[f"UV{i}_TRIP_V"] or hz < settings[f"UF{i}_TRIP_F"] for i in (1, 2)]
    return any(high + low)


def _mode_change(case: Case, settings: Values, oracle: Answer) -> bool:
    return any(
        settings[label] != value
        for _, values in case.changes
        for label, value in values.items()
        if label in REACTIVE_MODES
    )


LIMIT_AND_VOLT_WATT_SKIP_THE_RAMP = Difference(
    "limit and volt-watt skip the ramp",
    "with an active power limit and volt-watt both enabled, PV enters service with all its power at once",
    "the ramp holds whatever else is enabled (4.10.3 c)",
    "active_power_support_funcs/p_funcs.py: the fourth case of eq. 3.7.1-18 has no p_es_pu",
)
STORAGE_FORGETS_ITS_DEMAND = Difference(
    "storage forgets its demand",
    "with an active power limit and volt-watt both enabled, storage discharges at the limit even when told to charge",
    "the limit is an upper bound of what is demanded (4.6.2)",
    "active_power_support_funcs/p_funcs_bess.py: the fourth case of eq. 3.7.3-7 has no p_es_dem_pu",
)
DROOP_SKIPS_THE_RAMP = Difference(
    "droop skips the ramp",
    "entering service with frequency outside droop's deadband, a unit goes to the power it had before it tripped in "
    "droop's response time, past the ramp",
    "the ramp holds whatever else is enabled (4.10.3 c), and the power before a disturbance is not kept over a trip",
    "p_funcs.py: the cases of eq. 3.7.1-18 with droop active have no p_es_pu; frequency_droop.py: reset() keeps "
    "pf_of_prev and p_pf_pre_pu_prev",
)
CONST_Q_JUMPS_BACK = Difference(
    "constant reactive power jumps back",
    "entering service in constant reactive power mode, a unit gives all of it in the first step",
    "it comes with the response time, as in every other mode",
    "reactive_power_support_funcs/constant_vars.py: reset() runs the filter on the set point, where eq. 3.8.1-14 in "
    "its own comment, and the other three modes, set it to 0",
)
CHARGE_OVER_THE_WRONG_RATING = Difference(
    "charging limit over the wrong rating",
    "where the charging rating is not the discharging rating, the charging power that a nearly full battery has room "
    "for is worked out over the one and applied over the other",
    "each over its own rating, so that a battery is filled and not overfilled",
    "bess_specifc/soc.py eq. 3.6.2-2 is over NP_P_MAX_CHARGE, p_funcs_bess.py eq. 3.7.3-8 takes it over NP_P_MAX",
)
COMMANDS_WAIT_FOR_THE_FREQUENCY = Difference(
    "commands wait for the frequency",
    "while droop is at work, a new limit or demand does nothing until frequency is back, and then acts in droop's "
    "response time",
    "a lower one acts at once, with what droop adds on top: the limit is a bound that others rely on (4.6.2); both "
    "give 1547.1's tables 38 and 39",
    "frequency_droop.py eq. 3.7.1-13 and 14: only the power before the disturbance is in them",
)
SURPLUS_SUN_DRAWS_ON = Difference(
    "surplus sun draws the droop on",
    "with more sun than rated power, under-frequency draws the output towards a power above the rating, which it "
    "reaches too soon",
    "towards what the unit can give",
    "frequency_droop.py eq. 3.7.1-14: p_avl_pu without the rating's bound, which p_funcs.py applies after the filter",
)
RETURN_ON_THE_EDGE = Difference(
    "a return that ends on the edge",
    "droop's return ends in the step in which output is within 0.001 pu of what it would be without; where that "
    "moves, as the sun does, another step may not come for long",
    "the same; there is no answer to be had where less than 0.0002 pu decide, which the two filters are apart by",
    "frequency_droop.py eq. 3.7.1-18",
)
SLOW_LIMIT_LET_GO = Difference(
    "a slow limit is let go at once",
    "a limit that takes its time to fall and rise is gone at once when it is disabled, and begins at 1 again when a "
    "unit enters service, whose output is above it for as long",
    "it takes its time when disabled too, and is still there after a trip",
    "active_power_support_funcs/active_power_limit.py: reset() on disabling and on a trip",
)
NO_RAMP_ENTERS = Difference(
    "entering service without a ramp",
    "for the one step in which a unit enters service without a ramp it is in the state 'Entering Service'",
    "it is in continuous operation from the first step",
    "operation_status/operating_status.py: eq. 3.5.1-58 is overwritten by the flag es_completed of the step before",
)
ABNORMAL_AT_FIRST = Difference(
    "every timer has run out at first",
    "a unit trips in its first step when voltage or frequency is beyond a threshold in it",
    "timers start from zero",
    "auxiliary_funcs/cond_delay.py: the elapsed time starts at infinity",
)
MODE_CHANGE_FROM_ZERO = Difference(
    "a change of reactive mode starts from zero",
    "when another reactive mode is enabled, reactive power jumps to about 0 and goes from there by 1 pu in 15 s",
    "it goes from where it is with the response time of the new mode",
    "reactive_power_support_funcs/q_funcs.py eq. 3.8.1-18: the ramp follows a per-unit value divided by NP_VA_MAX",
)

DIFFERENCES: dict[Difference, Applies] = {
    LIMIT_AND_VOLT_WATT_SKIP_THE_RAMP: _limit_and_volt_watt_entering,
    STORAGE_FORGETS_ITS_DEMAND: _storage_limit_and_volt_watt,
    DROOP_SKIPS_THE_RAMP: _droop_entering,
    CONST_Q_JUMPS_BACK: _const_q_after_trip,
    CHARGE_OVER_THE_WRONG_RATING: _unequal_ratings,
    COMMANDS_WAIT_FOR_THE_FREQUENCY: _command_while_droop_works,
    SURPLUS_SUN_DRAWS_ON: _surplus_sun,
    RETURN_ON_THE_EDGE: _edge,
    SLOW_LIMIT_LET_GO: _slow_limit_let_go,
    NO_RAMP_ENTERS: _no_ramp,
    ABNORMAL_AT_FIRST: _abnormal_at_first,
    MODE_CHANGE_FROM_ZERO: _mode_change,
}
"""What is left out of the comparison, and exactly when."""

CEASE_OF_CATEGORY_III = Difference(
    "category III above 1.20 pu",
    "stays in momentary cessation (or, without it, in mandatory operation) above 1.20 pu",
    "ceases to energize, as the first row of the standard's table 16 has it; the power is the same",
    "operation_status/rt_crit.py eq. 3.5.1-37: the branch is commented out",
)
FREQUENCY_WITHOUT_A_NAME = Difference(
    "frequency beyond mandatory operation",
    "above 61.8 Hz and below 57.0 Hz it has a state 'Not Defined' and keeps running",
    "the same without a state of its own: mandatory operation",
    "operation_status/rt_crit.py eq. 3.5.1-51 and 55",
)
CURVE_AT_REFERENCE_ONE = Difference(
    "volt-var curve at a reference of 1.0",
    "takes the voltages of the curve for those at a reference voltage of 1.0 and shifts them by QV_VREF - 1",
    "they stand as written: the standard's table 8 gives them and their ranges relative to the reference in force",
    "reactive_power_support_funcs/volt_var.py eq. 3.8.1-5",
)
OUT_OF_RANGE_IS_TAKEN = Difference(
    "settings out of range are taken",
    "a setting outside the standard's range is logged and takes effect",
    "a file with one is refused, with clause and range",
    "common_file_format/common_file_format.py: the setters",
)

TRANSLATED = (CEASE_OF_CATEGORY_III, FREQUENCY_WITHOUT_A_NAME, CURVE_AT_REFERENCE_ONE, OUT_OF_RANGE_IS_TAKEN)
"""What the way of asking takes out."""
