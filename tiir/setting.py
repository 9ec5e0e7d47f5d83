"""One setting of IEEE 1547-2018: label, clause, unit, default, allowed range, and the point that holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from tiir.values import Number, Ref, Strict, Value, Values, evaluate, number, shown

Unit = Literal[
    "switch",
    "word",
    "bits",
    "pu of V_N",
    "pu of P_rated",
    "pu of S_rated",
    "pu f per pu P",
    "pf",
    "Hz",
    "s",
    "W",
    "VA",
    "var",
    "V",
    "S",
]
Edition = Literal["2018", "2018+2020"]
"""IEEE 1547-2018 as published, or with its amendment of 2020, which widens trip times of Category III."""

Tag = Literal["A", "B", "I", "II", "III", "III+2020", "bidirectional", "ALL"]

T = TypeVar("T")

_AMENDED = ("III", "2018+2020")

_SLACK = 1e-9
"""What binary fractions may be off by at a bound: 1.02 - 0.02 is not exactly 1."""


class TiirError(ValueError):
    """Root of what this package refuses; its text is one sentence for a person."""


class SettingRefusedError(TiirError):
    """A value that the standard does not allow for this setting."""


class Der(BaseModel):
    """What is known of one DER and decides which of its settings apply, and their ranges.

    Attributes:
        normal: Normal operating performance category (IEEE 1547-2018 1.4).
        abnormal: Abnormal operating performance category.
        bidirectional: Whether it can absorb active power as well as generate it.
        rated_va: Nameplate apparent power in VA, or None when not known.
        p_min_pu: Least active power output, per unit of rated active power.
        p_min_charge_pu: Least active power when charging, per unit of rated charging power.
        edition: Edition of the standard whose ranges apply.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    normal: Literal["A", "B"]
    abnormal: Literal["I", "II", "III"]
    bidirectional: bool = False
    rated_va: float | None = Field(None, gt=0)
    p_min_pu: float = Field(0.0, ge=0, le=1)
    p_min_charge_pu: float = Field(0.0, ge=0, le=1)
    edition: Edition = "2018"

    @property
    def tags(self) -> tuple[Tag, ...]:
        """What defaults and ranges are keyed by, the most particular first."""
        kind: tuple[Tag, ...] = ("bidirectional",) if self.bidirectional else ()
        amended: tuple[Tag, ...] = ("III+2020",) if (self.abnormal, self.edition) == _AMENDED else ()
        return (*kind, self.normal, *amended, self.abnormal, "ALL")

    @property
    def facts(self) -> dict[str, Value]:
        """What bounds may refer to beside the settings themselves."""
        rated: dict[str, Value] = {} if self.rated_va is None else {"NP_VA_MAX": self.rated_va}
        return {"NP_P_MIN_PU": self.p_min_pu, "NP_P_MIN_CHARGE_PU": self.p_min_charge_pu, **rated}


class Base(Strict):
    """The point that says what a percentage is a percentage of, and the code it has to hold."""

    path: str
    code: int


class Point(Strict):
    """The SunSpec point that holds a setting.

    Attributes:
        model: SunSpec model.
        path: Point inside it; `Crv[]` and `Ctl[]` stand for the set in force, `Pt[0]` for the first point.
        times: The model's units for one of the setting's: 100 for a per-unit value held in percent.
        sf: Name of its scale factor; None for a point that holds whole units.
        base: Given where the model offers a choice of what a percentage is of.
        read_only: Whether it is a rating, which nobody writes.
    """

    model: int
    path: str
    times: float = 1.0
    sf: str | None = None
    base: Base | None = None
    read_only: bool = False

    @property
    def in_set(self) -> bool:
        """Whether it lies in a stored set, which is adopted and not simply written."""
        return "[]" in self.path


class Setting(Strict):
    """A setting, as `settings.toml` describes it; see there for what the keys mean."""

    label: str
    function: str
    clause: str
    table: int
    unit: Unit
    default: Mapping[Tag, bool | float | str | Ref] = Field({})
    range: Mapping[Tag, tuple[Number, Number]] = Field({})
    words: Mapping[str, int] = Field({})
    off: float | None = None
    at_least: bool = False
    point: Point | None = None
    legacy: tuple[int, ...] = ()

    def default_for(self, der: Der, known: Values) -> Value | None:
        """The standard's default for `der`, given the settings in `known`; None where it states none."""
        stated = _by_tag(self.default, der)
        return stated.evaluate(known) if isinstance(stated, Ref) else stated

    def range_for(self, der: Der, known: Values) -> tuple[float | None, float | None] | None:
        """Least and greatest value allowed; None for a setting without a range, None inside for a bound not known."""
        bounds = _by_tag(self.range, der)
        return None if bounds is None else (evaluate(bounds[0], known), evaluate(bounds[1], known))

    def check(self, value: Value, der: Der, known: Values) -> None:
        """Accept `value` for `der`, whose other settings are `known`.

        Raises:
            SettingRefusedError: With the clause and what is allowed.
        """
        if not self._is_of_kind(value):
            raise SettingRefusedError(f"{self.label} is {self._kind()}, not {value!r} ({self._cited(der)})")
        amount, bounds = number(value), self.range_for(der, known)
        if amount is None or bounds is None or amount == self.off:
            return
        low, high = bounds
        if (low is not None and amount < low - _SLACK) or (high is not None and amount > high + _SLACK):
            raise SettingRefusedError(
                f"{self.label} = {shown(value)} {self._allowed(low, high)} ({self._cited(der)})"
            )

    def _is_of_kind(self, value: Value) -> bool:
        if self.unit == "switch":
            return isinstance(value, bool)
        if self.unit == "word":
            return value in self.words
        return number(value) is not None

    def _kind(self) -> str:
        if self.unit == "switch":
            return "true or false"
        if self.unit == "word":
            return f"one of {', '.join(self.words)}"
        return f"a number in {self.unit}"

    def _allowed(self, low: float | None, high: float | None) -> str:
        off = "" if self.off is None else f", or {self.off:g} for off"
        if low == high:
            return f"must be {shown(low)} {self.unit}{off}"
        return f"is outside {shown(low)} to {shown(high)} {self.unit}{off}"

    def _cited(self, der: Der) -> str:
        return f"IEEE 1547-{der.edition} {self.clause}"


def _by_tag(entries: Mapping[Tag, T], der: Der) -> T | None:
    return next((entries[tag] for tag in der.tags if tag in entries), None)


def refusals(settings: Mapping[str, Setting], values: Values, der: Der) -> dict[str, str]:
    """Why single values cannot stand on `der`, by label; each is held against all the others."""
    known = {**values, **der.facts}
    reasons = {label: _refusal(settings, label, value, der, known) for label, value in values.items()}
    return {label: reason for label, reason in reasons.items() if reason}


def _refusal(
    settings: Mapping[str, Setting], label: str, value: Value, der: Der, known: Values
) -> str | None:
    setting = settings.get(label)
    if setting is None:
        return f"{label} is not a setting of IEEE 1547-2018 known here{_closest(label, settings)}"
    try:
        setting.check(value, der, known)
    except SettingRefusedError as refused:
        return str(refused)
    return None


def _closest(label: str, labels: Iterable[str]) -> str:
    close = get_close_matches(label, list(labels), n=1)
    return f"; did you mean {close[0]}?" if close else ""
