"""The register map of a meter that is not SunSpec, as its file in `sim/devices/meters/` states it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model import strict_toml
from edge.model.site import Strict, Text

FOLDER = Path(__file__).parents[1] / "devices" / "meters"

Kind = Literal["int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
SIZES: dict[Kind, int] = {
    "int16": 1,
    "uint16": 1,
    "int32": 2,
    "uint32": 2,
    "float32": 2,
    "int64": 4,
    "uint64": 4,
    "float64": 4,
}
"""Registers of each type."""

Quantity = Literal[
    "v", "v_a", "v_b", "v_c",
    "a_a", "a_b", "a_c",
    "w", "w_a", "w_b", "w_c",
    "var", "var_a", "var_b", "var_c",
    "va", "va_a", "va_b", "va_c",
    "pf", "pf_a", "pf_b", "pf_c",
    "hz",
    "imported_wh", "imported_wh_a", "imported_wh_b", "imported_wh_c",
    "exported_wh", "exported_wh_a", "exported_wh_b", "exported_wh_c",
]  # fmt: skip
"""What a register shows: of the whole, or of phase a, b or c; voltages are to neutral."""


class Register(Strict):
    """One value; its address is the one on the wire, `scale` is what one count is in V, A, W, var, VA, Hz or Wh."""

    address: int = Field(ge=0, le=65_535)
    type: Kind
    scale: float = Field(1.0, gt=0)
    quantity: Quantity

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + SIZES[self.type]


class Constant(Strict):
    """A register that never changes."""

    address: int = Field(ge=0, le=65_535)
    word: int = Field(ge=0, le=65_535)


class MeterMap(Strict):
    """All of a meter's registers.

    `sign` is that of power and power factor; energies are always by true direction. `constants` are registers that
    say what the device is.
    """

    name: Text
    function_codes: tuple[Literal[3, 4], ...] = Field(min_length=1)
    word_order: Literal["high_first", "low_first"]
    sign: Literal["export_positive", "import_positive"]
    constants: tuple[Constant, ...] = ()
    registers: tuple[Register, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        end = 0
        for register in sorted(self.registers, key=lambda each: each.address):
            if register.address < end:
                raise PydanticCustomError(
                    "overlap", "registers overlap at {address}", {"address": register.address}
                )
            end = register.end
        return self


def meter_map_names() -> tuple[str, ...]:
    """Every map that ships."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@cache
def meter_map(name: str) -> MeterMap:
    """The map of this name.

    Raises:
        FileRefusedError: When it is not there or not right.
    """
    path = FOLDER / f"{name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise strict_toml.FileRefusedError([f"{path}: cannot be read: {error.strerror}"]) from error
    return strict_toml.load(MeterMap, text, str(path))
