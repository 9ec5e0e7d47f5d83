"""The two sites: one behind a contact with a dead-man, one that has only the reversion of its inverters.

Both are 100 kW of inverters in full sun beside 45 kW of host load, limited to 25 kW of export; delays that take
minutes in the field are cut to seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LIMIT_W = 25_000.0
LOAD_DROP_W = -36_000.0
"""Of the host load of 45 kW: export would stay far above the limit."""

RIDDEN_DROP_W = -12_000.0
"""The limiter deals with this one well before an element trips."""

NAMEPLATE_W = 50_000.0
SAFE_W = 12_500.0
DEAD_TIME_S = 0.1
SLOPE_PCT_S = 200.0
DECAY_S = DEAD_TIME_S + 100.0 / SLOPE_PCT_S
DELAY_S = 1.0
INVERTERS = ("inverter-1", "inverter-2")

_SIM = """
name = "Dead and hung"
step_s = 0.02

[grid]
nominal_v = 480.0
hz_noise = 0.01
resistance_ohm = 0.02
reactance_ohm = 0.03

[load]
base_w = 45_000.0
noise_w = 50.0
seed = 7

[meter]
port = 15201
period_s = 0.2
latency_s = 0.02
count_w = 10.0

[diagnostic]
port = 15205
"""

_SIM_INVERTER = """
[[inverter]]
role = "{name}"
models = "{models}"
port = {port}
nameplate_w = {nameplate_w}
sun_pu = 1.1
dead_time_s = {dead_time_s}
slope_pct_s = {slope_pct_s}
settings = {{ ES_DELAY = 0.0, ES_RAMP_RATE = 0.0 }}
"""

_SIM_COIL = """
[[coil]]
role = "coil-1"
opens = ["inverter-1", "inverter-2"]
port = 15204
watchdog_ms = 700
actuation_s = 0.05
"""

_SITE = """
tiir_profile = "irec-2023-inverter"

[site]
id = "dead-and-hung"
name = "Dead and hung"
transformer_va = 150_000.0
nominal_v = 277.0

[agreement]
method = "agreed_means"
export_limit_w = {limit_w}
approval_reference = "SIM-2026-007"
olrt_max_s = 2.0
olrt_average_s = 1.0
pcs_modes = ["export_limiting_all_sources"]
controlled = ["inverter-1", "inverter-2"]
rpa_justification = "aggregate nameplate below 500 kVA, zero-sequence continuity maintained"
detection_justification = "the meter and the trip contact are at the point of common coupling"

[meter]
uri = "{meter}"
sign = "export_positive"
period_s = 0.2
latency_s = 0.02
noise_w = 60.0
count_w = 10.0

[control]
fallback_hold_s = 0.5
ramp_up_pct_per_s = 100.0
reassert_s = {reassert_s}

[enter_service]
delay_s = {delay_s}
ramp_s = 1.0

[link]
broker = "mqtt://127.0.0.1:9"
"""

_SITE_DER = """
[[der]]
name = "{name}"
uri = "{uri}"
profile = "{profile}"
nameplate_w = {nameplate_w}
dead_time_s = {dead_time_s}
slope_pct_per_s = {slope_pct_s}
{backstop}
"""

_SITE_COIL = """
[[trip_output]]
name = "coil-1"
uri = "{uri}"
feedback = 0
watchdog_s = 0.7
watchdog_register = 0
actuation_s = 0.05

[[guard.element]]
kind = "32"
"""

_SITE_BOUND = """
[guard]
olrt_bound_s = 3.0
reset_s = 1.0
"""
"""Without an element it is the PCS bound that trips; it is cut to seconds as well."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the sites; `timer_s` is the reversion's.

    `bound_s` is the most it may take until the site is safe by itself, from the last complete scan on.
    """

    name: str
    contact: bool
    timer_s: int
    bound_s: float

    def sim_text(self) -> str:
        """The sim file."""
        generations = ("der", "legacy") if self.contact else ("der", "der")
        inverters = [
            _SIM_INVERTER.format(
                name=name,
                models=models,
                port=port,
                nameplate_w=NAMEPLATE_W,
                dead_time_s=DEAD_TIME_S,
                slope_pct_s=SLOPE_PCT_S,
            )
            for name, models, port in zip(INVERTERS, generations, (15202, 15203), strict=True)
        ]
        return _SIM + "".join(inverters) + (_SIM_COIL if self.contact else "")

    def site_text(self, uris: Mapping[str, str]) -> str:
        """The site file, with the URI of each role."""
        profiles = ("sunspec-7xx", "sunspec-1xx") if self.contact else ("sunspec-7xx", "sunspec-7xx")
        reversion = f"reversion = {{ safe_w = {SAFE_W}, timer_s = {self.timer_s} }}"
        ders = [
            _SITE_DER.format(
                name=name,
                uri=uris[name],
                profile=profile,
                nameplate_w=NAMEPLATE_W,
                dead_time_s=DEAD_TIME_S,
                slope_pct_s=SLOPE_PCT_S,
                backstop='contact = "coil-1"' if self.contact else reversion,
            )
            for name, profile in zip(INVERTERS, profiles, strict=True)
        ]
        head = _SITE.format(
            limit_w=LIMIT_W, meter=uris["meter"], delay_s=DELAY_S, reassert_s=float(max(1, self.timer_s // 3))
        )
        return head + "".join(ders) + (_SITE_COIL.format(uri=uris["coil-1"]) if self.contact else _SITE_BOUND)


CONTACT = Kind("with a contact", contact=True, timer_s=3, bound_s=2.0)
REVERSION = Kind("without", contact=False, timer_s=3, bound_s=3 + DECAY_S)
SHIPPED = Kind("without, timer of 10 s", contact=False, timer_s=10, bound_s=10 + DECAY_S)
"""With the timer that a site file has when it says nothing."""
