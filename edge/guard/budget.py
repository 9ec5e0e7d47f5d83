"""Time budgets of the elements, added up from the site's declared figures (all in s).

Clearing: `delay + max(scan + actuation, dead-man)`, and what unchanged registers may stand for a new value, must not
pass 2.0 s, so that it holds even when the agent dies while the element is timing. Security: `delay` must cover
everything that healthy operation may take between two samples, one of them lost. Source: control.md of the project; IREC 2023 Section IV.B.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge.guard.wire import sharers
from edge.model.site import Der, PermitService, Site, TripOutput

CLEARING_BOUND_S = 2.0
AUTO_AIM_S = 1.8
FEEDBACK_EVERY_S = 0.2
"""How often the agent reads the feedback of a contact."""
REACTIVE_GAP_S = 1.0
"""Between two writes of a DER's reactive power: response times are seconds, and the limit's writes come first."""
COMMAND_ON_WIRE_S = 0.03
"""From the decision until the limit is on the wire: the agent's own time, with reserve."""
ROUNDING_S = 1e-9
"""What sums of decimals may be off by."""


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum spelled out: its name and its terms, each a label and seconds."""

    name: str
    terms: tuple[tuple[str, float], ...]

    @property
    def total_s(self) -> float:
        """The sum of the terms."""
        return sum(seconds for _, seconds in self.terms)

    def spelled(self) -> str:
        """The sum as people check it: `0.20 period + 0.02 latency = 0.22 s`."""
        parts = " + ".join(f"{seconds:.2f} {label}" for label, seconds in self.terms)
        return f"{parts} = {self.total_s:.2f} s"


def exceeds(needed_s: float, bound_s: float) -> bool:
    """Whether one time is longer than another by more than rounding: a budget that just holds does hold."""
    return needed_s > bound_s + ROUNDING_S


def security(site: Site) -> Sum:
    """The shortest delay that healthy operation with one lost sample does not trip; also `stale_s`.

    On a shared wire each of the meter's attempts may wait until every other device has had its time-out.
    """
    meter = site.meter
    between_s = max(meter.period_s, meter.polling_s)
    waiting_s = (1 + meter.retries) * sum(sharers(site, "meter").values())
    return Sum(
        "security",
        (
            ("meter period", between_s),
            ("averaging", meter.averaging_s),
            ("latency", meter.latency_s),
            ("transaction with retry", meter.transaction_s),
            *((("others on its wire", waiting_s),) if waiting_s else ()),
            ("scan", site.control.scan_s),
            ("one lost sample", between_s),
        ),
    )


def opening(site: Site) -> Sum:
    """From the end of the delay until every contact is open, whichever way takes longer: scan or dead-man.

    One that stands by opens at no ordinary trip, and a permit service has no dead-man: neither counts.
    """
    ways = []
    for output in site.trip_output:
        if output.is_contact and output.name not in site.standing_by:
            ways.append(Sum("opening", (("scan", site.control.scan_s), *output.commanded)))
            if output.silent is not None:
                ways.append(Sum("opening", output.silent))
    return max(ways, key=lambda way: way.total_s, default=Sum("opening", (("scan", site.control.scan_s),)))


def feedback_every_s(site: Site, output: TripOutput) -> float:
    """How often the agent reads an output's feedback: a permit service is asked no more often than its DER."""
    if isinstance(output, PermitService):
        return next(der.poll_s for der in site.der if der.name == output.der)
    return FEEDBACK_EVERY_S


def clearing(site: Site, delay_s: float) -> Sum:
    """From a true onset until the output is open.

    A meter whose unchanged registers count as new may be frozen for as long as they do, just before an onset.
    """
    repeats_s = site.meter.max_repeat_s
    return Sum(
        "clearing",
        (
            ("delay", delay_s),
            *((("unchanged registers count as new", repeats_s),) if repeats_s else ()),
            *opening(site).terms,
        ),
    )


def auto_delay_s(site: Site) -> float:
    """The delay that `"auto"` stands for: the larger of security and what clearing leaves of 1.8 s, to 0.01 s."""
    aim_s = max(security(site).total_s, AUTO_AIM_S - clearing(site, 0.0).total_s)
    return math.ceil((aim_s - ROUNDING_S) * 100) / 100


def unseen(site: Site, request_s: float | None = None) -> Sum:
    """How much longer an excursion may look than it is, while no sample is lost; a request takes `request_s` at most.

    Time runs from the oldest that the last sample below pickup can be: it may have been measured a period before
    the onset, and shown later than it was. It ends when a sample below arrives: a period after the end, shown and
    asked for late. Nobody who clears in time after every onset can do with less: decision 14.
    """
    meter = site.meter
    takes_s = meter.timeout_s if request_s is None else request_s
    return Sum(
        "unseen",
        (
            ("two meter periods", 2 * meter.period_s),
            ("averaging twice", 2 * meter.averaging_s),
            ("latency twice", 2 * meter.latency_s),
            ("between two requests, twice", 2 * max(meter.polling_s, takes_s)),
            ("request", takes_s),
        ),
    )


def lost_samples_survived(site: Site, delay_s: float) -> int:
    """How many meter samples in a row may be lost without a trip."""
    spare_s = delay_s - security(site).total_s
    return max(0, 1 + math.floor((spare_s + ROUNDING_S) / site.meter.period_s))


def slowest_meter_s(site: Site) -> float:
    """The longest meter period with which both budgets would still hold."""
    rest_s = security(site).total_s - 2 * max(site.meter.period_s, site.meter.polling_s)
    return max(0.0, (CLEARING_BOUND_S - clearing(site, 0.0).total_s - rest_s) / 2)


def recovery(site: Site) -> Sum:
    """What an excursion after a load step costs an element's timer, the ramp of the DERs apart."""
    meter = site.meter
    slowest = max(site.der, key=lambda der: der.dead_time_s)
    return Sum(
        "recovery",
        (
            ("two meter periods", 2 * meter.period_s + 2 * meter.averaging_s),
            ("latency twice", 2 * meter.latency_s),
            ("three polls", 3 * meter.polling_s),
            ("command on the wire", COMMAND_ON_WIRE_S),
            ("dead time", slowest.dead_time_s),
        ),
    )


def proof(site: Site, index: int) -> Sum:
    """The oldest that the last answer of `der[index]` can be while it answers every poll."""
    der = site.der[index]
    waiting_s = sum(sharers(site, f"der[{index}]").values())
    return Sum(
        "proof",
        (
            ("poll", der.poll_s),
            ("request", der.timeout_s),
            *((("others on its wire", waiting_s),) if waiting_s else ()),
            ("scan", site.control.scan_s),
        ),
    )


def renewal(site: Site) -> Sum:
    """The oldest that a PCC sample is when the next one comes, while no sample is lost."""
    meter = site.meter
    waiting_s = sum(sharers(site, "meter").values())
    return Sum(
        "renewal",
        (
            ("meter period", meter.period_s),
            ("averaging", meter.averaging_s),
            ("latency", meter.latency_s),
            ("between two requests, twice", 2 * max(meter.polling_s, meter.timeout_s)),
            ("request", meter.timeout_s),
            *((("others on its wire", waiting_s),) if waiting_s else ()),
        ),
    )


def ride_through_w(site: Site, delay_s: float) -> float:
    """The largest step of host load that the site survives without an element with `delay_s` operating.

    Proportional dispatch lets every DER move at once, so the slowest one in percent sets the pace.
    """
    ramp_s = delay_s - recovery(site).total_s
    pace_pct_per_s = min(der.slope_pct_per_s for der in site.der)
    return max(0.0, min(site.nameplate_w, site.nameplate_w * pace_pct_per_s / 100 * ramp_s))


def largest_load_w(site: Site) -> float:
    """The host load that may be lost at once: as declared, else as large as all generation."""
    declared_w = site.site.host_load_w
    return site.nameplate_w + site.unmanaged.nameplate_w if declared_w is None else declared_w


def margin_w(site: Site, delay_s: float, dropout_w: float) -> float:
    """How far below `dropout_w` the export target would have to stand for the loss of the whole host load to pass.

    Export rises by the load that is lost, to all generation at most, and must be at or below `dropout_w` when what
    the DERs can shed within `delay_s` is gone.
    """
    shed_w = ride_through_w(site, delay_s)
    if site.nameplate_w + site.unmanaged.nameplate_w - dropout_w <= shed_w:
        return 0.0
    return max(0.0, largest_load_w(site) - shed_w)


def decay_s(der: Der) -> float:
    """From a DER's command until its output is down, from full power."""
    return der.dead_time_s + 100.0 / der.slope_pct_per_s


def response_chain(site: Site, der: Der) -> Sum:
    """From a change of voltage or frequency until a DER that the gateway tells of it starts to move, at most.

    The inverter's own voltage is as old as its polls make it. On a shared wire the command waits for the others.
    """
    meter = site.meter
    waits: tuple[tuple[str, float], ...] = ()
    index = [each.name for each in site.der].index(der.name)
    if others_s := sum(sharers(site, f"der[{index}]").values()):
        waits = (("others on its wire", others_s),)
    if "volt_var" in der.gateway_functions:
        waits = (*waits, ("gap between writes", REACTIVE_GAP_S))
    if der.gateway_voltage == "inverter":
        seen: tuple[tuple[str, float], ...] = (
            ("poll", der.poll_s),
            ("transaction with retry", der.timeout_s * (1 + der.retries)),
        )
    else:
        seen = (
            ("meter period", meter.period_s),
            ("averaging", meter.averaging_s),
            ("latency", meter.latency_s),
            ("poll", meter.polling_s),
            ("transaction with retry", meter.transaction_s),
        )
    return Sum(
        "response",
        (*seen, *waits, ("command on the wire", COMMAND_ON_WIRE_S), ("dead time", der.dead_time_s)),
    )
