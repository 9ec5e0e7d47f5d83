"""Exit statuses, and how a command says one clear sentence and ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from edge.model.site import Site

FINE = 0
PROBLEM = 1
REFUSED = 2
UNREACHABLE = 3


def fail(status: int, *sentences: str) -> NoReturn:
    """Print each sentence to standard error and end with `status`."""
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    raise typer.Exit(status)


def read_text(path: Path) -> str:
    """The text of a file the user named; ends with status 2 when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        fail(REFUSED, f"{path}: {error.strerror or error}")
    except UnicodeDecodeError:
        fail(REFUSED, f"{path}: is not UTF-8 text")


def read_site(path: Path) -> Site:
    """The site file, checked; ends with status 2 and every mistake when it is refused."""
    return site_of(read_text(path), path)


def site_of(text: str, path: Path) -> Site:
    """The site that `text`, the contents of `path`, describes; as `read_site`."""
    from drivers.site_check import mistakes
    from edge.model.site import Site
    from edge.model.strict_toml import FileRefusedError, load, placed

    try:
        site = load(Site, text, str(path))
    except FileRefusedError as error:
        fail(REFUSED, *error.problems)
    problems = [placed(text, str(path), where, sentence) for where, sentence in mistakes(site)]
    if problems:
        fail(REFUSED, *problems)
    return site
