"""Read a TOML text into a strict model; every mistake is told with file, line, key path and what is allowed."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Callable
from enum import Enum
from typing import Any, Literal, TypeVar, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic.fields import FieldInfo

from edge.model.toml_lines import Path, line_index, line_of

M = TypeVar("M", bound=BaseModel)

_DATE = "a TOML date or time"
_LINE = re.compile(r"at line (\d+)")
_WORDS = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}
_BOUNDS = {"ge": "at least {:g}", "gt": "above {:g}", "le": "at most {:g}", "lt": "below {:g}"}
_KIND = "kind="
"""How the tag of one kind of table begins, where a list of tables has several."""
_UNION_TAGS = re.compile(r"^(float|int|str|bool|literal\[.*|constrained-.*|function-.*)$")


class FileRefusedError(Exception):
    """A file that cannot be accepted; `problems` has one line for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def load(model: type[M], text: str, name: str) -> M:
    """Parse `text` (the contents of file `name`) as TOML into `model`.

    Raises:
        FileRefusedError: With one sentence for each mistake: file, line, key path, value, what is allowed.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _LINE.search(str(error))
        where = f"{name}:{place.group(1)}" if place else name
        raise FileRefusedError([f"{where}: not valid TOML: {error}"]) from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error).partition(";")[0]
        raise FileRefusedError([f"{name}: not usable TOML: {reason}"]) from error
    return validated(model, data, name, line_index(text))


def validated(
    model: type[M],
    data: dict[str, Any],
    name: str,
    lines: dict[Path, int],
    told_as: Callable[[Path], Path] = lambda path: path,
) -> M:
    """`data`, as TOML gives it, as a `model`; mistakes are told as `load` tells them.

    Where `data` was put together from several texts, `told_as` gives the key path in the text called `name`, whose
    lines `lines` are.

    Raises:
        FileRefusedError: With one sentence for each mistake.
    """
    try:
        # Strict JSON mode takes whole numbers for floats, lists for tuples and names for enums, nothing else.
        return model.model_validate_json(json.dumps(data, default=_no_text))
    except ValidationError as error:
        raise FileRefusedError(_problems(error, model, lines, name, told_as)) from error


def _no_text(value: object) -> dict[str, str]:
    """A TOML date or time, in a shape that no field takes for a text."""
    return {_DATE: str(value)}


def placed(text: str, name: str, path: Path, sentence: str) -> str:
    """A mistake found later, told as `load` tells its own: file, line and key path before the sentence."""
    return placed_at(line_index(text), name, path, sentence)


def placed_at(lines: dict[Path, int], name: str, path: Path, sentence: str) -> str:
    """The same with the lines of the text known."""
    line = line_of(lines, path)
    where = f"{name}:{line}" if line else name
    return f"{where}: {_dotted(path)}{sentence}"


def _problems(
    error: ValidationError,
    model: type[BaseModel],
    lines: dict[Path, int],
    name: str,
    told_as: Callable[[Path], Path],
) -> list[str]:
    said: dict[tuple[str, Path], list[str]] = {}
    for item in error.errors(include_url=False):
        context = item.get("ctx", {})
        loc = context.get("path", (*item["loc"], *context.get("under", ())))
        typed = tuple(part for part in loc if not _UNION_TAGS.match(str(part)))
        told = told_as(tuple(part for part in typed if not str(part).startswith(_KIND)))
        line = line_of(lines, told)
        where = f"{name}:{line}" if line else name
        messages = said.setdefault((where, told), [])
        explained = _explain(item, typed, model)
        if explained not in messages:
            messages.append(explained)
    return [f"{where}: {_dotted(path)}{', or '.join(messages)}" for (where, path), messages in said.items()]


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return f"{text}: " if text else ""


def _explain(item: Any, path: Path, model: type[BaseModel]) -> str:
    if item["type"] == "extra_forbidden":
        known = _keys_at(model, path[:-1])
        close = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; allowed here: {', '.join(known)}"
        return f"unknown key{hint}"
    if item["type"] == "missing":
        return f"is required and missing; it takes {_taken(model, path)}"
    message = str(item["msg"]).removeprefix("Value error, ")
    value = item["input"]
    if isinstance(value, dict) and _DATE in value:
        value = value[_DATE]
    shown = f" (found {value!r})" if isinstance(value, str | int | float | bool) else ""
    return f"{message.removeprefix('Input ').removeprefix('String ')}{shown}"


def _taken(model: type[BaseModel], path: Path) -> str:
    """What the key at `path` takes, in words."""
    keys = _keys_at(model, path)
    if keys:
        return f"a table with: {', '.join(keys)}"
    field = _field_at(model, path)
    if field is None:
        return "a value"
    kind = field.annotation
    choices = [str(choice) for choice in getattr(kind, "__args__", ()) or ()]
    if isinstance(kind, type) and issubclass(kind, Enum):
        choices = [str(member.value) for member in kind]
        words = f"one of {', '.join(choices)}"
    elif get_origin(kind) is Literal:
        words = f"one of {', '.join(choices)}"
    else:
        words = _WORDS.get(kind, "a list") if isinstance(kind, type) else "a list or a value"
    bounds = ", ".join(_BOUNDS[name].format(value) for name, value in _bounds(field) if name in _BOUNDS)
    return ", ".join(part for part in (words, bounds, field.description or "") if part)


def _bounds(field: FieldInfo) -> list[tuple[str, Any]]:
    found = [
        (name, getattr(mark, name)) for mark in field.metadata for name in _BOUNDS if hasattr(mark, name)
    ]
    # A type at least 0 that is narrowed to above 0: the narrower of both says it.
    return [(name, bound) for name, bound in found if (name, bound) not in _implied(found)]


def _implied(found: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    wider = {"gt": "ge", "lt": "le"}
    return [(wider[name], bound) for name, bound in found if name in wider]


def _field_at(model: type[BaseModel], path: Path) -> FieldInfo | None:
    return _walked(model, path)[0]


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that the table at `path` may hold."""
    here = _walked(model, path)[1]
    return [] if here is None else [field.alias or key for key, field in here.model_fields.items()]


def _walked(model: type[BaseModel], path: Path) -> tuple[FieldInfo | None, type[BaseModel] | None]:
    """The field at the end of `path`, and the model of the table there; tags of kinds belong to the path."""
    field, here = None, _model_in(model)
    for part in path:
        if isinstance(part, int):
            continue
        if part.startswith(_KIND):
            here = None if field is None else _tagged(field.annotation, part)
            continue
        field = None if here is None else here.model_fields.get(part)
        here = None if field is None else _model_in(field.annotation)
    return field, here


def _tagged(annotation: Any, tag: str) -> type[BaseModel] | None:
    """The model of one kind among those of a union."""
    if Tag(tag) in getattr(annotation, "__metadata__", ()):
        return _model_in(annotation)
    found = (_tagged(part, tag) for part in getattr(annotation, "__args__", ()))
    return next((each for each in found if each is not None), None)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        inner = _model_in(part)
        if inner:
            return inner
    return None
