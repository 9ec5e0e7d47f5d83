"""A guard on a bench: two DERs, one contact; a scan is one call, with only what matters given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self

from edge.guard.guard import guard_step
from edge.guard.settings import DerSettings, ElementSettings, GuardSettings, OutputSettings
from edge.guard.state import GuardState, guard_start
from edge.model.commands import Commands, Event
from edge.model.durable import NEW_SITE, Durable
from edge.model.image import DerReading, Image, OutputReading, Override, PccReading
from edge.model.sample import Sample
from edge.model.site import Site
from edge.model.strict_toml import load

BENCH = Path(__file__).with_name("bench.site.toml").read_text(encoding="utf-8")
ELEMENT = 'kind = "32"'
"""What the bench site says of its element."""


def site(*pairs: tuple[str, str]) -> Site:
    """The bench site with each (old, new) replaced once; the old text must be there."""
    text = BENCH
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return load(Site, text, "bench.site.toml")


SETTINGS = GuardSettings(
    elements=(ElementSettings("32", 100.0, 90.0, 1.0, 0.0),),
    pcs=ElementSettings("PCS", 100.0, 100.0, 30.0, 10.0),
    force_fallback_after_s=25.0,
    ders=(DerSettings("a", 50.0, None, 1.0, 2.0), DerSettings("b", 200.0, "k", 1.0, 2.0)),
    outputs=(OutputSettings("k", 0.05),),
    watchdog_s=0.5,
    unmanaged_w=0.0,
    export_limit_w=100.0,
    lost_sensing_s=1.0,
    reset_is_manual=False,
    lockout_trips=3,
)


class Bench:
    """A guard, its clock, and what the last scan said."""

    def __init__(
        self, settings: GuardSettings = SETTINGS, durable: Durable = NEW_SITE, **swaps: object
    ) -> None:
        self.settings = replace(settings, **swaps)  # type: ignore[arg-type]  # named fields of the settings
        self.now_s = 100.0
        self.state: GuardState = guard_start(self.settings, durable, self.now_s)
        self.sequence = 0
        self.pcc = PccReading(Sample.none(), Sample.none(), Sample.none())
        self.outputs_w: dict[str, Sample] = {der.name: Sample.none() for der in self.settings.ders}
        self.feedback: tuple[OutputReading, ...] = ()
        self.unreachable: set[str] = set()
        self.overrides: tuple[Override, ...] = ()
        self.limits_w = {der.name: 0.0 for der in self.settings.ders}
        self.floors_w: dict[str, float] = {}
        self.commands = Commands((), ())
        self.events: list[Event] = []

    def scan(
        self,
        export_w: float | None = None,
        *,
        after_s: float = 0.1,
        ready: bool = False,
        entered: bool = False,
        reset: bool = False,
        isolate: frozenset[str] = frozenset(),
        **outputs_w: float,
    ) -> Self:
        """One scan `after_s` later; a new PCC sample with `export_w`, DER outputs measured now."""
        self.now_s += after_s
        if export_w is not None:
            self.sequence += 1
            self.pcc = replace(self.pcc, export_w=Sample.good(export_w, self.now_s), sequence=self.sequence)
        self.measured(**outputs_w)
        self.state, self.commands, events = guard_step(
            self.image(reset=reset),
            self.settings,
            self.state,
            self.limits_w,
            self.now_s,
            ready=ready,
            entered=entered,
            isolate=isolate,
            floors_w=self.floors_w,
        )
        self.events += events
        return self

    def measured(self, **outputs_w: float) -> Self:
        """DER outputs measured now."""
        for name, output_w in outputs_w.items():
            self.outputs_w[name] = Sample.good(output_w, self.now_s)
        return self

    def image(self, *, reset: bool = False) -> Image:
        """What a scan may look at now."""
        ders = tuple(
            DerReading(name, output_w, Sample.none(), reachable=name not in self.unreachable)
            for name, output_w in self.outputs_w.items()
        )
        return Image(0, self.pcc, ders, self.feedback, self.overrides, reset=reset)

    def scans(self, seconds: float, export_w: float | None = None, **given: object) -> Self:
        """Scans every 0.1 s."""
        for _ in range(round(seconds / 0.1)):
            self.scan(export_w, **given)  # type: ignore[arg-type]  # as `scan` takes them
        return self

    def in_service(self) -> Self:
        """Closed, with a sample below everything."""
        self.scan(0.0, ready=True)
        assert self.closed
        return self

    def tripped(self) -> Self:
        """Closed, then tripped by the element; the export is gone and every DER has stopped."""
        self.in_service().scans(1.3, 150.0)
        assert self.state.durable.tripped
        self.scan(0.0, a=0.0, b=0.0)
        assert not self.state.causes
        return self

    @property
    def closed(self) -> bool:
        """Whether the contact is told to close."""
        return self.commands.outputs[0].closed

    @property
    def granted_w(self) -> tuple[float, ...]:
        """The limits of the last scan."""
        return tuple(limit.limit_w for limit in self.commands.limits)

    def kinds(self) -> list[str]:
        """Kinds of all events."""
        return [event.kind for event in self.events]

    def seen_contact(self, value: float, at_s: float | None = None) -> Self:
        """Contact feedback measured now, or at a time."""
        self.feedback = (OutputReading("k", Sample.good(value, self.now_s if at_s is None else at_s)),)
        return self
