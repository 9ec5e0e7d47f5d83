"""The settings and the profiles that ship with this package; the one place that reads package data."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from tiir.setting import Setting

_HERE = files("tiir")


@cache
def settings() -> Mapping[str, Setting]:
    """Every known setting by its label, in the order of the standard's functions."""
    tables = tomllib.loads(_HERE.joinpath("settings.toml").read_text("utf-8"))
    # Strict JSON mode takes whole numbers for floats and lists for tuples, nothing else.
    return MappingProxyType(
        {
            label: Setting.model_validate_json(json.dumps({"label": label, **table}))
            for label, table in tables.items()
        }
    )


@cache
def profile_names() -> tuple[str, ...]:
    """Names of the profiles that ship with this package."""
    entries = (entry.name for entry in _HERE.joinpath("profiles").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in entries if name.endswith(".toml")))


def profile_text(name: str) -> str:
    """The TOML text of the shipped profile `name`.

    Raises:
        KeyError: When no such profile ships.
    """
    if name not in profile_names():
        raise KeyError(name)
    return _HERE.joinpath("profiles", f"{name}.toml").read_text("utf-8")
