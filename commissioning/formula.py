"""Expected values as formulas over named figures: numbers, names, + - * /, max, min and abs, nothing else.

A name stands for a figure of the site (`olrt_max_s`) or one measured before (`before.export_w`). The text is
parsed into a tree that this module walks itself; nothing of it is ever executed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

from pydantic_core import CoreSchema, core_schema

Facts = Mapping[str, float | None]
"""Figures by name; None where something was looked for and did not happen."""

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: dict[str, tuple[Callable[..., float], int]] = {"max": (max, 2), "min": (min, 2), "abs": (abs, 1)}
"""Function and the number of its arguments."""


class Formula(str):
    """The text of a formula that parses."""

    __slots__ = ()

    def evaluate(self, facts: Facts) -> float | None:
        """The figure it comes to; None when a figure in it is not known, or it divides by zero.

        Raises:
            KeyError: A name that stands for nothing (a procedure that loaded has none).
        """
        return _value(_tree(self), facts)

    @property
    def names(self) -> frozenset[str]:
        """The names in it."""
        return frozenset(_names(_tree(self)))

    @classmethod
    def parse(cls, text: str) -> Formula:
        """Accept `text`.

        Raises:
            ValueError: With one sentence saying what is wrong with it.
        """
        _names(_tree(text))
        return cls(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> CoreSchema:
        """Models read it from a string."""
        text = core_schema.str_schema(strict=True, min_length=1, max_length=200)
        return core_schema.no_info_after_validator_function(cls.parse, text)


def _tree(formula: str) -> ast.expr:
    try:
        return ast.parse(formula.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{formula!r} is not a formula") from error


def _names(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return []
        case ast.Name() | ast.Attribute():
            return [_dotted(node)]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _names(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _names(left) + _names(right)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if _fits(name, len(args)):
            return [found for arg in args for found in _names(arg)]
    raise ValueError(f"{ast.unparse(node)!r} is not allowed in a formula: only + - * /, max, min and abs")


def _fits(function: str, count: int) -> bool:
    return function in _FUNCTIONS and _FUNCTIONS[function][1] == count


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{_dotted(value)}.{attr}"
    raise ValueError(f"{ast.unparse(node)!r} is not the name of a figure")


def _value(node: ast.expr, facts: Facts) -> float | None:
    match node:
        case ast.Constant(value=value):
            return float(value)  # type: ignore[arg-type]  # only numbers pass `_names`
        case ast.UnaryOp(operand=operand):
            inner = _value(operand, facts)
            return None if inner is None else -inner
        case ast.BinOp(left=left, op=op, right=right):
            parts = _values([left, right], facts)
            if parts is None or (isinstance(op, ast.Div) and parts[1] == 0):
                return None
            return _OPERATORS[type(op)](*parts)
        case ast.Call(func=ast.Name(id=name), args=args):
            parts = _values(args, facts)
            return None if parts is None else float(_FUNCTIONS[name][0](*parts))
    return facts[_dotted(node)]


def _values(nodes: list[ast.expr], facts: Facts) -> list[float] | None:
    values = [_value(node, facts) for node in nodes]
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else None
