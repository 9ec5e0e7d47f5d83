"""What a device holds, held against what is required of it: decoded models in, findings out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tiir.compare import Finding, compare
from tiir.profile import required as required_of
from tiir.profile import shipped
from tiir.sunspec_map import tolerances
from tiir.sunspec_read import read_settings
from tiir.values import Values


def site_requires(profile: str, *, bidirectional: bool, rated_va: float | None) -> Values:
    """What the shipped `profile` asks of a DER.

    Raises:
        TiirError: There is no such profile, or it cannot be asked of this DER.
    """
    chosen = shipped(profile)
    return required_of(chosen, chosen.der(bidirectional=bidirectional, rated_va=rated_va))


def held_against(
    required: Values, models: Sequence[Mapping[str, Any]], unreadable: Mapping[int, str] | None = None
) -> tuple[Finding, ...]:
    """Findings for every required setting; `models` as `dergate read --json` prints them.

    `unreadable` gives, by model id, why a model that the device has could not be read.
    """
    found = read_settings(models, required, unreadable or {})
    return tuple(compare(required, found, tolerances(models, required)))
