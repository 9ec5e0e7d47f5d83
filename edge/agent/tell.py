"""How the parts of the shell say what happened: one plain line in the log, one event for the recorder."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Protocol

log = logging.getLogger("dergate")


@dataclass(frozen=True, slots=True)
class Happening:
    """An event of the shell; `kind` is one of the contract's event types, `at_s` monotonic."""

    kind: str
    at_s: float
    detail: str
    device: str | None = None
    values: dict[str, float] = field(default_factory=dict)


class Tell(Protocol):
    """Takes a happening; never blocks, never raises."""

    def __call__(self, happening: Happening, /) -> None:
        """Log it and keep it as evidence."""
