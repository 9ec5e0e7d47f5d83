"""The closed vocabulary of procedures: what a step may do and how a check may judge.

Each action names the figures it yields; later formulas may use those and the site's own.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from commissioning.formula import Formula

Label = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
Sentence = Annotated[str, Field(min_length=1, max_length=600)]


class Word(BaseModel):
    """Base of the vocabulary: frozen, no unknown keys, no silent coercion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Action(Word):
    """Something a step does."""

    def yields(self) -> frozenset[str]:
        """Names of the figures it leaves behind."""
        return frozenset()


class ReadDevices(Action):
    """Ask every device who it is and hold it against the site file."""

    rating_within_pct: float = Field(1.0, ge=0, le=20)

    def yields(self) -> frozenset[str]:
        """Counts of devices."""
        return frozenset({"devices.unreachable", "devices.unnamed", "devices.off_rating"})


class CompareSettings(Action):
    """Read each DER's settings and hold them against the site's profile."""

    def yields(self) -> frozenset[str]:
        """Counts of settings, and of DERs whose settings can be read at all."""
        return frozenset(f"settings.{what}" for what in ("match", "differ", "unread", "not_offered", "ders"))


class ProbeSetting(Action):
    """Change one point of every DER that has it, read back, hold, and put it back through the journal."""

    model: int
    point: str
    change: float
    highest: float
    hold_s: Formula

    def yields(self) -> frozenset[str]:
        """Counts of DERs."""
        return frozenset({"probe.tried", "probe.unverified", "probe.unrestored"})


class Record(Action):
    """Let the stream run and take means: export, DER output, host load, the DER with the most output.

    `above_s` is the longest time that export stood above `above_w` without a break.
    """

    name: Label
    for_s: Formula
    above_w: Formula | None = None

    def yields(self) -> frozenset[str]:
        """Means and extremes, W, and the time above, s."""
        figures = ("export_w", "export_max_w", "output_w", "load_w", "largest_w", "picked_up")
        above = ("above_s",) if self.above_w else ()
        return frozenset(f"{self.name}.{figure}" for figure in (*figures, *above))


class Define(Action):
    """Give a formula a name."""

    name: Label
    value: Formula

    def yields(self) -> frozenset[str]:
        """The name itself."""
        return frozenset({self.name})


class Require(Action):
    """A condition without which the test says nothing: it ends inconclusive, with the reason.

    `again` is for what passes, such as a load that moved: the test is begun anew a few times first.
    """

    value: Formula
    at_least: Formula | None = None
    at_most: Formula | None = None
    otherwise: Sentence
    again: bool = False

    @model_validator(mode="after")
    def _bounded(self) -> Require:
        if self.at_least is None and self.at_most is None:
            raise ValueError("needs at_least or at_most")
        return self


class Narrow(Action):
    """Cap DER output by an override: the sum, and the DER with the most output."""

    sum_w: Formula
    largest_w: Formula | None = None


class LowerPickup(Action):
    """Lower the export elements' pickup by an override."""

    to_w: Formula


class RampPickup(Action):
    """Lower the pickup step by step until the element picks up, and raise it again before it can operate."""

    name: Label
    from_w: Formula
    to_w: Formula
    step_w: Formula
    dwell_s: Formula

    def yields(self) -> frozenset[str]:
        """The setting at which it picked up, and export then."""
        return frozenset({f"{self.name}.setting_w", f"{self.name}.export_w"})


class Blind(Action):
    """Hide the PCC meter from the agent."""


MOVING = (Narrow, LowerPickup, RampPickup, Blind)
"""Actions that change what the plant does."""


class Release(Action):
    """End the overrides; they would lapse by themselves."""


class Respond(Action):
    """From the last override on: when export came to `target_w` and stayed, and how far it went below."""

    name: Label
    target_w: Formula
    band_w: Formula
    watch_s: Formula

    def yields(self) -> frozenset[str]:
        """Response time s, undershoot W, settled mean W."""
        return frozenset({f"{self.name}.s", f"{self.name}.undershoot_w", f"{self.name}.settled_w"})


Condition = Literal[
    "picked-up",
    "dropped-out",
    "tripped",
    "contact-open",
    "contact-closed",
    "restricted",
    "regulating",
    "output-above",
    "output-below",
    "limits-below",
    "export-below",
]
"""What `wait` can wait for; `restricted` is fallback or a trip, `limits` the sum of the DERs' limits."""

_COMPARED = frozenset({"output-above", "output-below", "limits-below", "export-below"})


class Wait(Action):
    """Wait until something shows; when it does not, its time stays unknown, or the test is inconclusive."""

    until: Condition
    value: Formula | None = None
    at_most_s: Formula
    name: Label
    otherwise: Sentence | None = None

    def yields(self) -> frozenset[str]:
        """Seconds since the last override, of the scan that shows it and of the sample behind that scan.

        `at_s` counts from the start of the test.
        """
        return frozenset({f"{self.name}.s", f"{self.name}.at_s", f"{self.name}.sample_s"})

    @model_validator(mode="after")
    def _compared(self) -> Wait:
        if (self.until in _COMPARED) != (self.value is not None):
            raise ValueError(f"{self.until} {'needs' if self.until in _COMPARED else 'takes no'} value")
        return self


class ResetTrip(Action):
    """Reset the trip latch where the site asks for it by hand."""


class NoteTrip(Action):
    """Note whether the site tripped since the test began, and on which target."""

    name: Label
    expected: Sentence | None = None

    def yields(self) -> frozenset[str]:
        """1 or 0: tripped, tripped on another target than expected, the text to state."""
        return frozenset({f"{self.name}.tripped", f"{self.name}.unexpected", f"{self.name}.text"})


class Check(Word):
    """A measurement; with `repeat`, taken over all runs."""

    name: Sentence
    value: Formula
    unit: str
    take: Literal["largest", "smallest", "mean", "median"] = "largest"


class AtMost(Check):
    """Passes when the value is at or below `bound`."""

    bound: Formula


class AtLeast(Check):
    """Passes when the value is at or above `bound`."""

    bound: Formula


class Within(Check):
    """Passes when the value is no further than `tolerance` from `of`."""

    of: Formula
    tolerance: Formula


class Reported(Check):
    """Judges nothing."""


class Stated(Word):
    """A text that an action left behind."""

    name: Sentence
    text: str
