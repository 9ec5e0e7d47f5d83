"""What one node of a syntax tree may be changed into: one small slip of the pen each."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.Mod: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Pow: ast.Mult,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "floor": "ceil", "ceil": "floor"}
EMPTY = {"list": "[]", "dict": "{}", "set": "set()", "frozenset": "frozenset()"}


def replacements(
    node: ast.AST, parent: ast.AST, text: str, function: ast.FunctionDef | None
) -> Iterator[ast.AST]:
    """Each node that may stand in the place of `node`, which reads `text` in the source."""
    match node:
        case ast.Compare(ops=ops):
            for place, op in enumerate(ops):
                for other in COMPARISONS[type(op)]:
                    yield _with(node, ops=[*ops[:place], other(), *ops[place + 1 :]])
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.BinOp(op=op) | ast.AugAssign(op=op):
            yield _with(node, op=ARITHMETIC[type(op)]())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            if not (isinstance(parent, ast.keyword) and parent.arg == "strict"):
                yield ast.Constant(not value)
        case ast.Constant(value=int() | float() as number):
            yield from (ast.Constant(other) for other in one_count(number, text))
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            yield _with(node, func=ast.Name(CALLS[name], ast.Load()))
        case ast.Call(func=ast.Attribute(attr=name) as called) if name in CALLS:
            yield _with(node, func=_with(called, attr=CALLS[name]))
        case ast.Return(value=ast.expr() as value) if function is not None:
            yield from (ast.Return(other) for other in _returned(value, function))
        case ast.Expr(value=ast.Yield()):
            yield ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())))
        case ast.Expr(value=ast.Call() | ast.YieldFrom()):
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
    if isinstance(node, ast.expr) and _is_condition(node, parent):
        yield ast.UnaryOp(ast.Not(), node)


def one_count(value: float, text: str) -> tuple[float, float]:
    """A number one count up and one down; a count of a float is one of the last digit that was written."""
    if isinstance(value, int):
        return value + 1, value - 1
    written = Decimal(text.replace("_", ""))
    count = Decimal((0, (1,), int(written.as_tuple().exponent)))
    return float(written + count), float(written - count)


def _is_condition(node: ast.AST, parent: ast.AST) -> bool:
    """Whether the node decides, and nothing in it is changed into its opposite already."""
    decides = (
        (isinstance(parent, ast.If | ast.IfExp | ast.While) and node is parent.test)
        or (isinstance(parent, ast.comprehension) and node in parent.ifs)
        or isinstance(parent, ast.BoolOp)
    )
    return decides and isinstance(node, ast.Name | ast.Attribute | ast.Call)


def _returned(value: ast.expr, function: ast.FunctionDef) -> Iterator[ast.expr]:
    """Another value of the kind that the function says it returns; the state it was given if that is its kind."""
    kind = ast.unparse(function.returns) if function.returns else "None"
    arguments = [*function.args.args, *function.args.kwonlyargs]
    same = [arg.arg for arg in arguments if arg.annotation and ast.unparse(arg.annotation) == kind]
    outer = kind.split("[")[0]
    other: ast.expr
    if kind == "bool":
        if isinstance(value, ast.Compare | ast.BoolOp):
            return  # what it is made of is changed into its opposite already
        other = ast.UnaryOp(ast.Not(), value)
    elif kind in ("int", "float"):
        is_endless = ast.unparse(value) == "math.inf"
        other = ast.UnaryOp(ast.USub(), value) if is_endless else ast.BinOp(value, ast.Add(), ast.Constant(1))
    elif same:
        other = ast.Name(same[0], ast.Load())
    elif outer in EMPTY or kind.endswith(", ...]"):
        other = ast.parse(EMPTY.get(outer, "()"), mode="eval").body
    elif kind == "float | None" and ast.unparse(value) == "None":
        other = ast.Constant(0.0)
    else:
        other = ast.Constant(None)
    if ast.dump(other) != ast.dump(value):
        yield other


def _with(node: Any, **fields: Any) -> Any:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed
