"""Device profiles: what a kind of device can do and where it departs from the book, as checked data."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from drivers.errors import DriverError

_FOLDER = Path(__file__).with_name("profiles")

Text = Annotated[str, Field(min_length=1)]
FunctionCode = Literal[1, 2, 3, 4, 5, 6, 15, 16]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Caveat(_Table):
    """A departure that costs someone dear when forgotten, and where it was seen."""

    text: Text
    evidence: tuple[Text, ...] = Field(min_length=1)


class Capabilities(_Table):
    """What the kind can do.

    Attributes:
        function_codes: Modbus functions the driver uses.
        reversion: what happens by itself after silence: output falls to a safe value, the limit is released
            (`fails_open`), or the contact opens (`dead_man`); `none` for devices that control nothing.
        reversion_max_s: the longest timer, in s.
        min_pct: lowest limit that the kind holds without leaving operation, in % of WMax.
        resolution_pct: a typical step of its limit, in % of WMax (the true one is its scale factor).
        storage: how storage of the kind is held: within a `band` that it is told, or at a `setpoint`.
        write_budget: writes a day that the register bears; None when it is not in flash.
    """

    function_codes: tuple[FunctionCode, ...] = Field(min_length=1)
    reversion: Literal["safe_value", "fails_open", "dead_man", "none"]
    reversion_max_s: int | None = Field(None, ge=1)
    min_pct: float = Field(0.0, ge=0, lt=100)
    resolution_pct: float | None = Field(None, gt=0, le=10)
    storage: Literal["band", "setpoint"] | None = None
    write_budget: int | None = Field(None, ge=1)


class Profile(_Table):
    """One kind of device."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    title: Text
    role: Literal["meter", "inverter", "trip_output"]
    models: tuple[int, ...] = Field((), description="SunSpec models, most wanted first")
    capabilities: Capabilities
    caveats: tuple[Caveat, ...] = Field(())


class ProfileError(DriverError):
    """No such profile, or one that cannot be used."""


def profile_names() -> list[str]:
    """All profiles shipped."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@lru_cache
def load_profile(name: str) -> Profile:
    """Load a profile by name.

    Raises:
        ProfileError: there is none of that name, or its file is wrong.
    """
    if name not in profile_names():
        raise ProfileError(f"no profile is named {name!r}; there are: {', '.join(profile_names())}")
    text = (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")
    try:
        data = {key: _frozen(value) for key, value in tomllib.loads(text).items()}
        profile = Profile.model_validate(data)
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ProfileError(f"profile {name}: {error}") from error
    if profile.name != name:
        raise ProfileError(f"profile {name} calls itself {profile.name!r}")
    return profile


def _frozen(value: object) -> object:
    """Lists of TOML become the tuples of frozen models."""
    if isinstance(value, list):
        return tuple(_frozen(entry) for entry in value)
    if isinstance(value, dict):
        return {key: _frozen(entry) for key, entry in value.items()}
    return value
