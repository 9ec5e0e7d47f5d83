"""`dergate tiir`: show, apply and verify the settings that the utility requires."""

from __future__ import annotations

import asyncio
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import exits
from cli.tiir_settings import settings

if TYPE_CHECKING:
    from cli.tiir_check import DerReport
    from edge.model.site import Site
    from tiir.profile import Profile
    from tiir.values import Value

app = typer.Typer(
    no_args_is_help=True,
    help="Settings required by the utility (TIIR): show them, apply them, verify that devices hold them.",
)

app.command()(settings)

SiteFile = Annotated[Path, typer.Argument(metavar="SITE", help="The site file.")]
DerName = Annotated[str | None, typer.Option("--der", help="Only this DER.")]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", metavar="P", help="A profile's name or file; default: the site file's."),
]
RandomDelay = Annotated[
    bool, typer.Option("--random-delay", help="Enter service by random delay instead of ramp, below 500 kVA.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object for machines.")]


@app.command()
def show(
    target: Annotated[
        str, typer.Argument(metavar="PROFILE|SITE", help="A profile's name or file, or a site file.")
    ],
    random_delay: RandomDelay = False,
    as_json: AsJson = False,
) -> None:
    """Show what a profile, or a site's profile, requires."""
    from cli import tiir_tables

    if _is_site(target):
        site = exits.read_site(Path(target))
        profile = _profile(site.tiir_profile, Path(target))
        ders = {der: _required(profile, site, der, random_delay) for der in _names(site, None)}
    else:
        site, profile = None, _profile(target, None)
        ders = {}
    if as_json:
        _print_json(tiir_tables.required_json(profile, ders, site.site.id if site else None))
    else:
        tiir_tables.print_required(profile, ders)


@app.command()
def verify(
    site_file: SiteFile,
    der: DerName = None,
    profile: ProfileName = None,
    random_delay: RandomDelay = False,
    as_json: AsJson = False,
) -> None:
    """Read every DER and print required against found. Changes nothing."""
    _run(site_file, der, profile, random_delay=random_delay, as_json=as_json, write=False)


@app.command()
def apply(
    site_file: SiteFile,
    der: DerName = None,
    profile: ProfileName = None,
    random_delay: RandomDelay = False,
    as_json: AsJson = False,
) -> None:
    """Write what differs, read it back, and print required against found."""
    _run(site_file, der, profile, random_delay=random_delay, as_json=as_json, write=True)


def _run(
    site_file: Path,
    der: str | None,
    profile_name: str | None,
    *,
    random_delay: bool,
    as_json: bool,
    write: bool,
) -> None:
    from cli import tiir_tables
    from drivers.errors import UriError

    site = exits.read_site(site_file)
    profile = _profile(profile_name or site.tiir_profile, site_file)
    required = {name: _required(profile, site, name, random_delay) for name in _names(site, der)}
    try:
        reports, by = asyncio.run(_gather(site_file, site, required, write=write))
    except UriError as error:
        exits.fail(exits.REFUSED, f"{site_file}: {error}")
    if as_json:
        _print_json(tiir_tables.reports_json(site.site.id, profile.name, reports))
    else:
        tiir_tables.print_reports(site.site.name, profile, reports, by)
    raise typer.Exit(_status(reports))


async def _gather(
    site_file: Path, site: Site, required: dict[str, dict[str, Value]], *, write: bool
) -> tuple[list[DerReport], str]:
    from cli.tiir_access import open_access
    from cli.tiir_check import apply_der, verify_der

    work = apply_der if write else verify_der
    async with open_access(site_file, site) as access:
        return [await work(access, name, values) for name, values in required.items()], access.by


def _status(reports: list[DerReport]) -> int:
    """0 verified; 1 something differs or nothing could be verified; 3 a DER cannot be reached."""
    if any(report.unreachable for report in reports):
        return exits.UNREACHABLE
    verified = any(report.verified for report in reports)
    fine = verified and not any(report.open_questions for report in reports)
    return exits.FINE if fine else exits.PROBLEM


def _names(site: Site, only: str | None) -> list[str]:
    names = [der.name for der in site.der]
    if only is None:
        return names
    if only not in names:
        exits.fail(exits.REFUSED, f"the site has no DER named {only!r}; it has {', '.join(names)}")
    return [only]


def _required(profile: Profile, site: Site, name: str, random_delay: bool) -> dict[str, Value]:
    from edge.model.required import asked_of_device
    from tiir.profile import ProfileRefusedError, required

    installed = next(der for der in site.der if der.name == name)
    der = profile.der(bidirectional=installed.kind == "storage", rated_va=installed.nameplate_va)
    try:
        asked = required(profile, der, frozenset({"ES_RANDOMIZED_DELAY"} if random_delay else ()))
    except ProfileRefusedError as error:
        exits.fail(exits.REFUSED, f"{name}: {error}")
    return asked_of_device(asked, installed)


def _is_site(target: str) -> bool:
    """Whether `target` is a file that is not a profile; a profile has settings."""
    path = Path(target)
    if not path.is_file():
        return False
    try:
        return "settings" not in tomllib.loads(exits.read_text(path))
    except tomllib.TOMLDecodeError as error:
        exits.fail(exits.REFUSED, f"{path.name}: not valid TOML: {error}")


def _profile(name: str, site_file: Path | None) -> Profile:
    """A shipped profile by name, or a profile file: as given, or beside the site file."""
    from edge.model.strict_toml import FileRefusedError, load
    from tiir import catalogue
    from tiir.profile import Profile, ProfileRefusedError, shipped

    beside = [site_file.parent / f"{name}.toml"] if site_file else []
    file = next((path for path in (Path(name), *beside) if path.is_file()), None)
    try:
        if file is None or name in catalogue.profile_names():
            return shipped(name)
        return load(Profile, exits.read_text(file), str(file))
    except FileRefusedError as error:
        exits.fail(exits.REFUSED, *error.problems)
    except ProfileRefusedError as error:
        exits.fail(exits.REFUSED, str(error))


def _print_json(document: dict[str, Any]) -> None:
    typer.echo(json.dumps(document, allow_nan=False))
