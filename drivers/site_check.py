"""What a site file names outside itself: addresses, device profiles, the settings profile."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from drivers.errors import UriError
from drivers.profile import Profile, ProfileError, load_profile, profile_names
from drivers.uri import ModbusUri
from edge.model.site import GpioPulse, ModbusCoil, PermitService, Site
from edge.model.toml_lines import Path
from tiir import catalogue

_ROLES = {"meter": "meter", "der": "inverter", "trip_output": "trip_output"}
_DER_MODELS = frozenset(range(701, 716))


def mistakes(site: Site) -> Iterator[tuple[Path, str]]:
    """Yield (key path, sentence) for each name that leads nowhere: the file cannot be used."""
    taken: dict[tuple[str, int], str] = {}
    for path, uri, profile in _named(site):
        yield from _address((*path, "uri"), uri, taken)
        yield from _profile((*path, "profile"), profile, _ROLES[str(path[0])])
    yield from _lines(site)
    if site.tiir_profile not in catalogue.profile_names():
        known = ", ".join(catalogue.profile_names())
        yield ("tiir_profile",), f"no settings profile is named {site.tiir_profile!r}; there are: {known}"


def unfit_storage(site: Site) -> Iterator[tuple[str, str]]:
    """Yield (key path, sentence) for storage whose profile says nothing of charging, or of another way of it."""
    for index, der in enumerate(site.der):
        held = load_profile(der.profile).capabilities.storage
        if der.kind == "storage" and held != der.operation:
            fitting = [
                name for name in profile_names() if load_profile(name).capabilities.storage == der.operation
            ]
            yield (
                f"der[{index}].profile",
                f"{der.profile} does not hold storage by {der.operation}; profiles that do:"
                f" {', '.join(fitting) or 'none'}",
            )


def unfit_reversions(site: Site) -> Iterator[tuple[str, str]]:
    """Yield (key path, sentence) for each reversion asked of a device that has none."""
    for index, der in enumerate(site.der):
        profile = load_profile(der.profile)
        if der.reversion is not None and _fails_open(profile):
            yield (
                f"der[{index}].reversion",
                f"profile {profile.name} has no safe reversion value: after silence it releases the limit (fails"
                " open); leave the key out and put the DER behind a contact with a dead-man",
            )


def unfit_permits(site: Site) -> Iterator[tuple[str, str]]:
    """Yield (key path, sentence) for each permit service asked of a device of the older models, which have none."""
    profiles = {der.name: der.profile for der in site.der}
    for index, output in enumerate(site.trip_output):
        if isinstance(output, PermitService) and not _has_7xx(load_profile(profiles[output.der])):
            yield (
                f"trip_output[{index}].der",
                f"{output.der} has no permit service: profile {profiles[output.der]} is of the older models, without 703;"
                " put it behind a contact",
            )


def missing_packages(site: Site) -> Iterator[tuple[str, str]]:
    """Yield (key path, sentence) for each output whose driver is not installed on this machine."""
    for index, output in enumerate(site.trip_output):
        if isinstance(output, GpioPulse) and find_spec("gpiod") is None:
            yield (
                f"trip_output[{index}].kind",
                f"{output.name} needs the package gpiod, which is not on this machine: install dergate[gpio]",
            )


def _has_7xx(profile: Profile) -> bool:
    return not _DER_MODELS.isdisjoint(profile.models)


def _named(site: Site) -> Iterator[tuple[Path, str, str]]:
    yield ("meter",), site.meter.uri, site.meter.profile
    for index, der in enumerate(site.der):
        yield ("der", index), der.uri, der.profile
    for index, output in enumerate(site.trip_output):
        if isinstance(output, ModbusCoil):
            yield ("trip_output", index), output.uri, output.profile


def _lines(site: Site) -> Iterator[tuple[Path, str]]:
    """GPIO lines that two outputs would drive, or one would drive and read."""
    taken: dict[tuple[str, int | str], str] = {}
    for index, output in enumerate(site.trip_output):
        if not isinstance(output, GpioPulse):
            continue
        for key, line in (("line", output.line), ("feedback", output.feedback)):
            if line is None:
                continue
            if (output.chip, line) in taken:
                yield (
                    ("trip_output", index, key),
                    f"line {line} of {output.chip} is {taken[output.chip, line]} already",
                )
            taken.setdefault((output.chip, line), f"trip_output[{index}].{key}")


def _address(path: Path, text: str, taken: dict[tuple[str, int], str]) -> Iterator[tuple[Path, str]]:
    try:
        uri = ModbusUri.parse(text)
    except UriError as error:
        yield path, str(error)
        return
    unit = (uri.endpoint, uri.unit_or_1)
    table = "".join(f"[{part}]" if isinstance(part, int) else part for part in path[:-1])
    if unit in taken:
        yield path, f"{text!r} is unit {unit[1]} at {unit[0]}, which {taken[unit]} is already"
    taken.setdefault(unit, table)


def _profile(path: Path, name: str, role: str) -> Iterator[tuple[Path, str]]:
    try:
        found = load_profile(name).role
    except ProfileError as error:
        yield path, str(error)
        return
    if found != role:
        fitting = ", ".join(known for known in profile_names() if load_profile(known).role == role)
        yield path, f"{name} describes a {found}, not a {role}; allowed: {fitting}"


def _fails_open(profile: Profile) -> bool:
    return profile.capabilities.reversion != "safe_value"
