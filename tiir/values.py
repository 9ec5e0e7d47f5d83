"""A setting's value, and values that are said in terms of other settings."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

Value = bool | float | str
"""A switch, a number in the setting's unit, or a word."""

Values = Mapping[str, Value]
"""Values by the standard's label."""


class Strict(BaseModel):
    """Base of every table of this package's files: frozen, no unknown keys, no silent coercion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Ref(Strict):
    """A number said in terms of another setting, as in "VRef - 0.18" or "the lesser of 0.2 and Pmin".

    Its value is `of [/ over] * times + add`, kept within `at_least` and `at_most`; `otherwise` stands in
    for `of [/ over]` when that is not known.
    """

    of: str
    over: str | None = None
    times: float = 1.0
    add: float = 0.0
    at_least: float | None = None
    at_most: float | None = None
    otherwise: float | None = None

    def evaluate(self, known: Values) -> float | None:
        """The number, in the unit of the setting it stands for; None when it cannot be known."""
        base = self._base(known)
        if base is None:
            return None
        number = base * self.times + self.add
        if self.at_least is not None:
            number = max(number, self.at_least)
        if self.at_most is not None:
            number = min(number, self.at_most)
        return number

    def __str__(self) -> str:
        """As a person writes it: "QV_VREF -0.08"."""
        text = self.of if self.over is None else f"{self.of} / {self.over}"
        text = text if self.times == 1.0 else f"{self.times:g} x {text}"
        text = f"{text} {self.add:+g}" if self.add else text
        text = text if self.at_least is None else f"the greater of {self.at_least:g} and {text}"
        return text if self.at_most is None else f"the lesser of {self.at_most:g} and {text}"

    def _base(self, known: Values) -> float | None:
        of = number(known.get(self.of))
        if self.over is None or of is None:
            return self.otherwise if of is None else of
        over = number(known.get(self.over))
        return self.otherwise if not over else of / over


Number = float | Ref
"""A number, or how to arrive at it."""


def number(value: Value | None) -> float | None:
    """`value` when it is a number, and None otherwise; a switch is not a number."""
    return value if isinstance(value, float | int) and not isinstance(value, bool) else None


def evaluate(wanted: Number, known: Values) -> float | None:
    """The number `wanted` comes to where the settings in `known` have their values."""
    return wanted.evaluate(known) if isinstance(wanted, Ref) else wanted


def shown(value: Value | None) -> str:
    """`value` as a person reads it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "enabled" if value else "disabled"
    return value if isinstance(value, str) else f"{value:.6g}"
