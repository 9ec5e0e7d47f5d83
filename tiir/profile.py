"""A profile: what a utility's technical requirements ask of each setting."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from tiir import catalogue
from tiir.rules import check_rules
from tiir.setting import Der, Edition, TiirError, refusals
from tiir.values import Number, Ref, Strict, Value, evaluate


class ProfileRefusedError(TiirError):
    """A profile, or what it comes to for one DER, that cannot be accepted."""


class ByKind(Strict):
    """A number that depends on whether the DER can absorb active power too."""

    generating: Number
    bidirectional: Number


class Alternative(Strict):
    """A number that applies only where it is chosen in place of another setting; otherwise it is off."""

    value: float
    instead_of: str
    below_va: float = Field(gt=0)


Requirement = bool | float | str | Ref | ByKind | Alternative
"""What a profile may say of a setting."""

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class Profile(Strict):
    """Required settings, grouped by the standard's function.

    Attributes:
        name: What site files call it.
        title: What people call it.
        source: The document that requires these settings.
        normal_category: Least normal operating performance category.
        abnormal_category: Least abnormal operating performance category.
        edition: Edition of IEEE 1547 whose ranges apply.
        settings: Requirements by function, then by the standard's label.
    """

    name: Name
    title: str
    source: str
    normal_category: Literal["A", "B"]
    abnormal_category: Literal["I", "II", "III"]
    edition: Edition = "2018"
    settings: Mapping[str, Mapping[str, Requirement]]

    def der(
        self, *, bidirectional: bool = False, rated_va: float | None = None, p_min_pu: float = 0.0
    ) -> Der:
        """A DER of this profile's categories and edition; `rated_va` in VA, `p_min_pu` per unit of rated active power."""
        return Der(
            normal=self.normal_category,
            abnormal=self.abnormal_category,
            bidirectional=bidirectional,
            rated_va=rated_va,
            p_min_pu=p_min_pu,
            edition=self.edition,
        )

    @model_validator(mode="after")
    def _stands(self) -> Profile:
        known = catalogue.settings()
        for function, label in self._labels():
            if label in known and known[label].function != function:
                raise _misfit(f"belongs to [settings.{known[label].function}]", "settings", function, label)
        for bidirectional in (False, True):
            self._stands_for(self.der(bidirectional=bidirectional))
        return self

    def _labels(self) -> Iterator[tuple[str, str]]:
        return ((function, label) for function, group in self.settings.items() for label in group)

    def _stands_for(self, der: Der) -> None:
        known, values = catalogue.settings(), _values(self, der, frozenset())
        refused = refusals(known, values, der)
        for function, label in self._labels():
            if label not in values:
                raise _misfit("cannot be worked out from what it refers to", "settings", function, label)
            if label in refused:
                raise _misfit(refused[label], "settings", function, label)
        if broken := check_rules(known, values, der):
            raise _misfit(broken[0], "settings")


def _misfit(message: str, *path: str) -> PydanticCustomError:
    """A mistake between fields, told at the key path where it can be mended."""
    return PydanticCustomError("misfit", "{message}", {"message": message, "path": path})


def parse(text: str) -> Profile:
    """The profile in a TOML text.

    Raises:
        ProfileRefusedError: With one line for each mistake.
    """
    try:
        # Strict JSON mode takes whole numbers for floats and lists for tuples, nothing else.
        return Profile.model_validate_json(json.dumps(tomllib.loads(text), default=str))
    except tomllib.TOMLDecodeError as error:
        raise ProfileRefusedError(f"not valid TOML: {error}") from error
    except ValidationError as error:
        problems = (f"{_where(item)}: {item['msg']}" for item in error.errors(include_url=False))
        raise ProfileRefusedError("\n".join(problems)) from error


def _where(item: object) -> str:
    path = item.get("ctx", {}).get("path", item["loc"]) if isinstance(item, dict) else ()
    return ".".join(str(part) for part in path)


def shipped(name: str) -> Profile:
    """The profile `name` that comes with this package.

    Raises:
        ProfileRefusedError: When there is none of that name.
    """
    try:
        return parse(catalogue.profile_text(name))
    except KeyError:
        known = ", ".join(catalogue.profile_names())
        raise ProfileRefusedError(f"no profile is named {name!r}; there are {known}") from None


def required(profile: Profile, der: Der, choose: frozenset[str] = frozenset()) -> dict[str, Value]:
    """What `profile` asks of `der`, by label; `choose` names the alternatives taken, as ES_RANDOMIZED_DELAY.

    Raises:
        ProfileRefusedError: When a choice is not open to this DER, or a value is outside its range.
    """
    known = catalogue.settings()
    if unknown := choose - _alternatives(profile).keys():
        raise ProfileRefusedError(f"{', '.join(sorted(unknown))} is not an alternative in {profile.name}")
    for label in sorted(choose):
        _open_to(der, label, _alternatives(profile)[label])
    values = _values(profile, der, choose)
    if reasons := [*refusals(known, values, der).values(), *check_rules(known, values, der)]:
        raise ProfileRefusedError("\n".join(reasons))
    categories: dict[str, Value] = {
        "NP_NORMAL_OP_CAT": profile.normal_category,
        "NP_ABNORMAL_OP_CAT": profile.abnormal_category,
    }
    return categories | values


def _alternatives(profile: Profile) -> dict[str, Alternative]:
    entries = (item for group in profile.settings.values() for item in group.items())
    return {label: wanted for label, wanted in entries if isinstance(wanted, Alternative)}


def _open_to(der: Der, label: str, wanted: Alternative) -> None:
    if der.rated_va is None or der.rated_va >= wanted.below_va:
        rating = "not known" if der.rated_va is None else f"{der.rated_va / 1e3:g} kVA"
        raise ProfileRefusedError(
            f"{label} may stand in for {wanted.instead_of} only below {wanted.below_va / 1e3:g} kVA; "
            f"this DER's nameplate is {rating}"
        )


def _values(profile: Profile, der: Der, choose: frozenset[str]) -> dict[str, Value]:
    """Every requirement's value, in the profile's order; one that cannot be worked out is left out."""
    wanted: dict[str, Value | Ref] = {}
    for group in profile.settings.values():
        for label, requirement in group.items():
            wanted[label] = _for_der(label, requirement, der, choose)
    for label in choose:
        wanted[_alternatives(profile)[label].instead_of] = 0.0
    plain = {label: value for label, value in wanted.items() if not isinstance(value, Ref)}
    known = {**plain, **der.facts}
    worked_out = {
        label: evaluate(value, known) if isinstance(value, Ref) else value for label, value in wanted.items()
    }
    return {label: value for label, value in worked_out.items() if value is not None}


def _for_der(label: str, requirement: Requirement, der: Der, choose: frozenset[str]) -> Value | Ref:
    if isinstance(requirement, ByKind):
        return requirement.bidirectional if der.bidirectional else requirement.generating
    if isinstance(requirement, Alternative):
        return requirement.value if label in choose else 0.0
    return requirement


def explained(profile: Profile) -> dict[str, str]:
    """What depends on the DER or on a choice, in words, by label."""
    entries = (item for group in profile.settings.values() for item in group.items())
    return {label: words for label, wanted in entries if (words := _in_words(wanted))}


def _in_words(wanted: Requirement) -> str | None:
    if isinstance(wanted, Alternative):
        return f"{wanted.value:g} in place of {wanted.instead_of}, below {wanted.below_va / 1e3:g} kVA"
    if isinstance(wanted, ByKind):
        return (
            f"generating only: {_number(wanted.generating)}; bidirectional: {_number(wanted.bidirectional)}"
        )
    return str(wanted) if isinstance(wanted, Ref) else None


def _number(wanted: Number) -> str:
    return str(wanted) if isinstance(wanted, Ref) else f"{wanted:g}"
