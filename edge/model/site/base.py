"""What every table of the site file is made of: strict, its values bounded, a mistake told where it can be mended."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Uri = Annotated[str, Field(min_length=1, max_length=400)]
Watts = Annotated[float, Field(ge=0, le=1e9)]
Phases = Literal["a", "b", "c", "ab", "ac", "bc", "abc"]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Strict(BaseModel):
    """Base of every table of the site file: frozen, no unknown keys, no silent coercion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def misfit(message: str, *path: str | int) -> PydanticCustomError:
    """A mistake between fields, told at the key path where it can be mended."""
    return PydanticCustomError("misfit", "{message}", {"message": message, "path": path})


def misfit_here(message: str, *under: str) -> PydanticCustomError:
    """The same within one table, told at a key path below that table."""
    return PydanticCustomError("misfit", "{message}", {"message": message, "under": under})


M = TypeVar("M", bound=Strict)


def both(table: M, one: str, other: str) -> M:
    """Refuse one of two keys that say nothing without each other."""
    given = {key: getattr(table, key) is not None for key in (one, other)}
    for key, missing in ((one, other), (other, one)):
        if given[key] and not given[missing]:
            raise misfit_here(f"is required with {key}", missing)
    return table
