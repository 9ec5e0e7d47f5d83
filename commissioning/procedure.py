"""A test procedure as its file tells it, strictly read.

A step is a table with one key, the action; a check is a table with one key, the way it judges. Unknown
actions, checks, keys and figures are refused with file, line and key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from commissioning import vocabulary as words
from commissioning.facts import NAMES
from commissioning.formula import Formula
from contract.report import TestResult
from edge.model.strict_toml import FileRefusedError, load

W = TypeVar("W", bound=words.Word)


class Step(words.Word):
    """One action."""

    read_devices: words.ReadDevices | None = None
    compare_settings: words.CompareSettings | None = None
    probe_setting: words.ProbeSetting | None = None
    record: words.Record | None = None
    define: words.Define | None = None
    require: words.Require | None = None
    narrow: words.Narrow | None = None
    lower_pickup: words.LowerPickup | None = None
    ramp_pickup: words.RampPickup | None = None
    blind: words.Blind | None = None
    release: words.Release | None = None
    respond: words.Respond | None = None
    wait: words.Wait | None = None
    reset_trip: words.ResetTrip | None = None
    note_trip: words.NoteTrip | None = None

    @property
    def word(self) -> words.Action:
        """The action."""
        return _only(self, words.Action)

    @model_validator(mode="after")
    def _one(self) -> Step:
        _only(self, words.Action)
        return self


class Judgement(words.Word):
    """One check."""

    at_most: words.AtMost | None = None
    at_least: words.AtLeast | None = None
    within: words.Within | None = None
    reported: words.Reported | None = None
    stated: words.Stated | None = None

    @property
    def word(self) -> words.Check | words.Stated:
        """The check."""
        return _only(self, words.Word)  # type: ignore[return-value]  # the fields hold nothing else

    @model_validator(mode="after")
    def _one(self) -> Judgement:
        _only(self, words.Word)
        return self


class Procedure(words.Word):
    """One test: its name and source, what the operator does, the steps, and what is allowed."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    title: words.Sentence
    source: words.Sentence
    purpose: words.Sentence
    operator: tuple[words.Sentence, ...] = Field(
        description="what the person on site sees to before and during"
    )
    applies: Literal["always", "export-element"] = "always"
    repeat: int = Field(1, ge=1, le=10)
    step: tuple[Step, ...] = Field(min_length=1)
    check: tuple[Judgement, ...] = Field(min_length=1)

    @property
    def moves_the_plant(self) -> bool:
        """Whether it narrows something, and so needs a site at rest and shows a plot."""
        return any(isinstance(step.word, words.MOVING) for step in self.step)

    @model_validator(mode="after")
    def _figures_are_known(self) -> Procedure:
        known = set(NAMES)
        for index, step in enumerate(self.step):
            _known(step.word, known, "step", index, _key(step))
            known |= step.word.yields()
        for index, check in enumerate(self.check):
            _known(check.word, known, "check", index, _key(check))
            if isinstance(check.word, words.Stated) and check.word.text not in known:
                raise _misfit(f"no step leaves {check.word.text!r} behind", "check", index, "stated", "text")
        return self


def parse(text: str, name: str) -> Procedure:
    """The procedure in `text`, the contents of the file `name`.

    Raises:
        FileRefusedError: With one line for each mistake.
    """
    procedure = load(Procedure, text, name)
    if f"{procedure.id}.toml" != name:
        raise FileRefusedError([f"{name}:1: id: is {procedure.id!r}, but the file is named {name}"])
    return procedure


def shipped() -> dict[str, Procedure]:
    """The procedures that come with this package, by test id, in the order they are run.

    Raises:
        FileRefusedError: When one of the files is refused.
    """
    folder = Path(__file__).with_name("procedures")
    return {test: parse((folder / f"{test}.toml").read_text(), f"{test}.toml") for test in ORDER}


ORDER = ("identity", "settings", "meter-sign", "export-limit-response", "element-32", "meter-loss")
"""What is read comes first, then what moves the plant a little, then what may trip it."""


def not_run(tests: Iterable[TestResult]) -> tuple[str, ...]:
    """Ids of the shipped tests that are missing from `tests`: a report of a part does not pass."""
    seen = {test.id for test in tests}
    return tuple(test for test in ORDER if test not in seen)


def _key(table: words.Word) -> str:
    return next(key for key, value in table if value is not None)


def _only(table: words.Word, kind: type[W]) -> W:
    found = [value for _, value in table if isinstance(value, kind)]
    if len(found) != 1:
        allowed = ", ".join(type(table).model_fields)
        raise ValueError(f"must hold exactly one of {allowed}")
    return found[0]


def _known(word: words.Word, known: set[str], *path: str | int) -> None:
    for key, formula in _formulas(word):
        if missing := sorted(formula.names - known):
            message = f"{', '.join(missing)} is neither a figure of the site nor measured before"
            raise _misfit(message, *path, key)


def _misfit(message: str, *path: str | int) -> PydanticCustomError:
    return PydanticCustomError("misfit", "{message}", {"message": message, "path": path})


def _formulas(word: words.Word) -> Iterator[tuple[str, Formula]]:
    return ((key, value) for key, value in word if isinstance(value, Formula))
