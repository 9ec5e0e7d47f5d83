"""A scan that is done: what it saw, what it said, and how the state stands after it."""

from __future__ import annotations

from dataclasses import dataclass

from edge.model.commands import Commands, Reasons
from edge.model.image import Image
from edge.model.view import View


@dataclass(frozen=True, slots=True)
class Scanned:
    """One complete scan; `new_sample` is whether the meter showed something new since the scan before."""

    now_s: float
    image: Image
    commands: Commands
    reasons: Reasons
    view: View
    new_sample: bool
