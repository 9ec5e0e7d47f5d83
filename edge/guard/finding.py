"""One thing to know about a site. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["problem", "warning", "fact"]
LEVELS: tuple[Level, ...] = ("problem", "warning", "fact")
"""In the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem makes the site unfit; `path` is the key to look at."""

    level: Level
    path: str
    text: str
