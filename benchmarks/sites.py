"""Sites of any number of inverters, as the text of a sim file and of the site file that goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.model.site import Site
from edge.model.strict_toml import load
from sim.simfile import SimFile

UNIT_W = 10_000.0
LIMIT_SHARE = 0.25
_FIRST_PORT = 15_101


@dataclass(frozen=True, slots=True)
class Fleet:
    """`inverters` of 10 kW behind one contact, half of each generation of models; limit 25 % of nameplate.

    Times in s, noise and load in units of nameplate. `poll_s` is the meter's, None for the site file's default;
    `control` is more of the site file's table of that name.
    """

    inverters: int
    period_s: float = 0.2
    latency_s: float = 0.02
    poll_s: float | None = None
    der_poll_s: float = 1.0
    scan_s: float = 0.2
    dead_time_s: float = 0.2
    slope_pct_s: float = 100.0
    noise_pu: float = 0.002
    load_pu: float = 0.45
    seed: int = 1
    control: str = ""

    @property
    def nameplate_w(self) -> float:
        """Of all inverters together, in W."""
        return self.inverters * UNIT_W

    @property
    def roles(self) -> list[str]:
        """Every device that has a port, in the order of the sim file, the diagnostic unit left out."""
        return ["meter", *self._names(), "coil-1"]

    def sim(self) -> SimFile:
        """The sim file, loaded."""
        return load(SimFile, self.sim_text(), "fleet.sim.toml")

    def site(self) -> Site:
        """The site file, loaded."""
        return load(Site, self.site_text(), "fleet.site.toml")

    def sim_text(self) -> str:
        """The sim file: ports count up from the meter's."""
        inverters = "".join(
            f"""
[[inverter]]
role = "{name}"
models = "{"der" if index % 2 else "legacy"}"
port = {_FIRST_PORT + 1 + index}
nameplate_w = {UNIT_W}
sun_pu = 1.1
dead_time_s = {self.dead_time_s}
slope_pct_s = {self.slope_pct_s}
settings = {{ ES_DELAY = 0.0, ES_RAMP_RATE = 0.0 }}
"""
            for index, name in enumerate(self._names())
        )
        return f"""
name = "{self.inverters} inverters"
[grid]
nominal_v = 480.0
hz_noise = 0.01
[load]
base_w = {self.load_pu * self.nameplate_w}
noise_w = {self.noise_pu * self.nameplate_w}
seed = {self.seed}
[meter]
port = {_FIRST_PORT}
period_s = {self.period_s}
latency_s = {self.latency_s}
{inverters}
[[coil]]
role = "coil-1"
port = {_FIRST_PORT + 1 + self.inverters}
opens = [{self._quoted()}]
[diagnostic]
port = {_FIRST_PORT + 2 + self.inverters}
"""

    def site_text(self, uris: Mapping[str, str] | None = None) -> str:
        """The site file; `uris` by role, the sim file's own by default."""
        at = uris or {
            role: f"tcp://127.0.0.1:{_FIRST_PORT + index}?unit=1" for index, role in enumerate(self.roles)
        }
        ders = "".join(
            f"""
[[der]]
name = "{name}"
uri = "{at[name]}"
profile = "sunspec-{"7xx" if index % 2 else "1xx"}"
nameplate_w = {UNIT_W}
dead_time_s = {self.dead_time_s}
slope_pct_per_s = {self.slope_pct_s}
poll_s = {self.der_poll_s}
contact = "coil-1"
"""
            for index, name in enumerate(self._names())
        )
        poll = "" if self.poll_s is None else f"poll_s = {self.poll_s}"
        return f"""
[site]
id = "bench"
name = "{self.inverters} inverters"
transformer_va = {2.0 * self.nameplate_w}
nominal_v = 277.0
[agreement]
method = "agreed_means"
export_limit_w = {LIMIT_SHARE * self.nameplate_w}
approval_reference = "BENCH-1"
pcs_modes = ["export_limiting_all_sources"]
controlled = [{self._quoted()}]
rpa_justification = "a benchmark"
detection_justification = "a benchmark"
[meter]
uri = "{at["meter"]}"
sign = "export_positive"
period_s = {self.period_s}
latency_s = {self.latency_s}
noise_w = {self.noise_pu * self.nameplate_w}
{poll}
{ders}
[[trip_output]]
name = "coil-1"
uri = "{at["coil-1"]}"
feedback = 0
watchdog_s = 0.5
watchdog_register = 0
[guard]
reset = "auto"
[[guard.element]]
kind = "32"
[control]
scan_s = {self.scan_s}
fallback_hold_s = 1.0
{self.control}
[enter_service]
delay_s = 1.0
ramp_s = 1.0
"""

    def _names(self) -> list[str]:
        return [f"inverter-{index + 1}" for index in range(self.inverters)]

    def _quoted(self) -> str:
        return ", ".join(f'"{name}"' for name in self._names())
