"""What a scenario starts from: a shipped pair of sim and site file by its name, or a pair of the user's own."""

from __future__ import annotations

import tomllib
from pathlib import Path

from edge.model import strict_toml
from edge.model.site import Site
from edge.model.strict_toml import FileRefusedError
from sim.overlay import Table
from sim.simfile import load_simfile

SITES = Path(__file__).parent / "sites"

_CSV_TABLES = ("load", "weather")


class NoSuchSiteError(Exception):
    """There is no such base."""


def site_names() -> tuple[str, ...]:
    """Names of the base sites, in order."""
    return tuple(sorted(path.name.removesuffix(".sim.toml") for path in SITES.glob("*.sim.toml")))


def placed_site(site: str, folder: Path) -> str:
    """`site` as a file in `folder` means it: the name of a shipped pair, otherwise a path without `.sim.toml`.

    Raises:
        NoSuchSiteError: When there is no such pair.
        FileRefusedError: When its files are refused; one sentence for each mistake.
    """
    if site in site_names():
        return site
    own = folder / site
    if not _file(str(own), "sim").exists():
        shipped = ", ".join(site_names())
        raise NoSuchSiteError(
            f"no base is called {site!r}, and there is no {_file(str(own), 'sim')}; shipped are {shipped}"
        )
    load_simfile(_file(str(own), "sim"))
    path = _file(str(own), "site")
    try:
        strict_toml.load(Site, path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise FileRefusedError([f"{path}: cannot be read: {reason}"]) from error
    return str(own)


def base_table(site: str | None, suffix: str) -> Table:
    """The sim or site file of a base that `placed_site` gave; nothing without one."""
    if site is None:
        return {}
    path = _file(str(SITES / site) if site in site_names() else site, suffix)
    return recordings_from(tomllib.loads(path.read_text(encoding="utf-8")), path.parent)


def recordings_from(table: Table, folder: Path) -> Table:
    """A table of a sim file with the paths of its recordings taken from `folder`."""
    placed = dict(table)
    for key in _CSV_TABLES:
        inner = table.get(key)
        if isinstance(inner, dict) and isinstance(inner.get("csv"), str):
            placed[key] = {**inner, "csv": str(folder / inner["csv"])}
    return placed


def _file(site: str, suffix: str) -> Path:
    return Path(f"{site}.{suffix}.toml")
