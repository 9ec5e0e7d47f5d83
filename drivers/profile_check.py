"""Whether the profiles that a site names exist, fit their role, and can do what the site asks of them."""

from __future__ import annotations

from collections.abc import Iterator

from drivers.profile import Profile, ProfileError, load_profile
from edge.model.site import Site


def profile_problems(site: Site) -> Iterator[tuple[str, str]]:
    """Yield (key path, sentence) for each mismatch between a site and its devices' profiles."""
    named = [("meter", site.meter.profile, "meter")]
    named += [(f"der[{index}]", der.profile, "inverter") for index, der in enumerate(site.der)]
    named += [
        (f"trip_output[{index}]", one.profile, "trip_output") for index, one in enumerate(site.trip_output)
    ]
    for path, name, role in named:
        try:
            profile = load_profile(name)
        except ProfileError as error:
            yield f"{path}.profile", str(error)
            continue
        if profile.role != role:
            yield f"{path}.profile", f"{name} describes a {profile.role}, not a {role}"
        elif role == "inverter":
            yield from _reversion(site, int(path[4:-1]), profile)


def _reversion(site: Site, index: int, profile: Profile) -> Iterator[tuple[str, str]]:
    der = site.der[index]
    if der.reversion is not None and profile.capabilities.reversion != "safe_value":
        yield (
            f"der[{index}].reversion",
            f"profile {profile.name} has no safe reversion value: after silence it releases the limit (fails open);"
            " leave the key out and put the DER behind a contact with a dead-man",
        )
