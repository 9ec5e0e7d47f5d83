"""Where in a TOML text a key path stands, so that an error can name the line."""

from __future__ import annotations

import re

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\-\"']+)\s*=")

Path = tuple[str | int, ...]


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def line_index(text: str) -> dict[Path, int]:
    """Map each key path of a TOML text to its line, counted from 1.

    Arrays of tables carry their index: `[[der]]` twice gives ("der", 0) and ("der", 1). Inline tables are
    found by the key that holds them.
    """
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    here: Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            here = ()
            *outer, last = _parts(header.group(2))
            for part in outer:
                here = (*here, part)
                if here in counts:
                    here = (*here, counts[here] - 1)
            here = (*here, last)
            if header.group(1) == "[[":
                lines.setdefault(here, number)
                counts[here] = counts.get(here, 0) + 1
                here = (*here, counts[here] - 1)
            lines.setdefault(here, number)
        elif key := _KEY.match(line):
            lines.setdefault((*here, *_parts(key.group(1))), number)
    return lines


def path_of(dotted: str) -> Path:
    """A key path as people write it: "der[1].contact" is ("der", 1, "contact")."""
    return tuple(int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", dotted))


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """The line of `path`, or of the nearest table around it."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None
