"""All mutants of a source file: each a place in its syntax tree, what stands there instead, and a name to keep."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType
from typing import Any

from mutation_operators import replacements

WIDTH = 70
"""An expression is described with what stands around it, up to so many characters."""
NOTHING = "nothing"
ANNOTATIONS = ("annotation", "returns", "decorator_list")


@dataclass(frozen=True)
class Mutant:
    """One change. `where` and `change` name it across edits of other lines; `line` is where it is today."""

    module: str
    where: str
    change: str
    line: int
    last_line: int
    kind: str
    in_function: bool
    tree: ast.Module = field(repr=False)
    parent: ast.AST = field(repr=False)
    slot: tuple[str, int | None] = field(repr=False)
    node: ast.AST = field(repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """What a reason in the list of equivalent mutants is filed under."""
        return self.place, self.change

    @property
    def place(self) -> str:
        """The function, class default or constant that it changes."""
        return f"{self.module}.{self.where}"

    @property
    def site(self) -> tuple[int, tuple[str, int | None]]:
        """The node that it changes, which other mutants change in other ways."""
        return id(self.parent), self.slot

    @property
    def is_control(self) -> bool:
        """Whether it changes nothing."""
        return self.change == NOTHING

    @property
    def is_number(self) -> bool:
        """Whether it changes a number written in the source."""
        return (
            isinstance(self.node, ast.Constant)
            and type(self.node.value) in (int, float)
            and self.kind == "Constant"
        )

    def compiled(self) -> CodeType:
        """The module's code with the change in it; the tree stays changed, so this is for a process of its own."""
        _put(self.parent, self.slot, self.node)
        return compile(ast.fix_missing_locations(self.tree), self.module, "exec", dont_inherit=True)


def mutants_of(path: Path, module: str) -> list[Mutant]:
    """Every mutant of the file, in the order of the text; changes that read alike in a function are numbered."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    found = []
    seen: Counter[tuple[str, str]] = Counter()
    for walk in _below(tree, (), (), None):
        around = _around(walk)
        before = ast.unparse(around)
        for node in replacements(walk.node, walk.parent, _text(source, walk.node), walk.function):
            ast.copy_location(node, walk.node)
            ast.fix_missing_locations(node)
            _put(walk.parent, walk.slot, node)
            after = ast.unparse(node if around is walk.node else around)
            _put(walk.parent, walk.slot, walk.node)
            where = ".".join(walk.names)
            change = f"{before} -> {after}"
            seen[where, change] += 1
            if seen[where, change] > 1:
                change += f" #{seen[where, change]}"
            line: int = walk.node.lineno  # type: ignore[attr-defined]  # every node that is replaced has one
            last_line: int = walk.node.end_lineno  # type: ignore[attr-defined]  # likewise
            found.append(
                Mutant(
                    module,
                    where,
                    change,
                    line,
                    last_line,
                    type(walk.node).__name__,
                    walk.function is not None,
                    tree,
                    walk.parent,
                    walk.slot,
                    node,
                )
            )
    return found


def unchanged(mutant: Mutant) -> Mutant:
    """The same place with nothing changed: it has to survive."""
    name, index = mutant.slot
    held: Any = getattr(mutant.parent, name)
    return replace(mutant, change=NOTHING, node=held if index is None else held[index])


@dataclass(frozen=True)
class _Visit:
    node: ast.AST
    parent: ast.AST
    slot: tuple[str, int | None]
    above: tuple[ast.AST, ...]
    names: tuple[str, ...]
    function: ast.FunctionDef | None


def _below(
    parent: ast.AST, above: tuple[ast.AST, ...], names: tuple[str, ...], function: ast.FunctionDef | None
) -> Iterator[_Visit]:
    for name, value in ast.iter_fields(parent):
        if name in ANNOTATIONS:
            continue
        for index, node in enumerate(value) if isinstance(value, list) else ((None, value),):
            if not isinstance(node, ast.AST):
                continue
            inner = _names(node, names, function)
            yield _Visit(node, parent, (name, index), (*above, parent), inner, function)
            yield from _below(node, (*above, parent), inner, _inside(node, parent, function))


def _names(node: ast.AST, names: tuple[str, ...], function: ast.FunctionDef | None) -> tuple[str, ...]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return (*names, name)
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]) if (
            not function
        ):
            return (*names, name)
    return names


def _inside(node: ast.AST, parent: ast.AST, function: ast.FunctionDef | None) -> ast.FunctionDef | None:
    """The function that the children of a node run in; its defaults are made outside it."""
    if isinstance(node, ast.FunctionDef):
        return node
    return None if isinstance(node, ast.arguments) and parent is function else function


def _around(visit: _Visit) -> ast.AST:
    """The largest expression around the node that can be told in a few words."""
    best = visit.node
    for outer in reversed(visit.above):
        told = isinstance(outer, ast.expr | ast.keyword | ast.Return | ast.AugAssign)
        if not told or len(ast.unparse(outer)) > WIDTH:
            break
        best = outer
    return best


def _text(source: str, node: ast.AST) -> str:
    """How a number is written; inside an f-string its place is not told rightly, so its value is taken."""
    if not isinstance(node, ast.Constant):
        return ""
    text = ast.get_source_segment(source, node) or ""
    try:
        return text if ast.literal_eval(text) == node.value else repr(node.value)
    except (SyntaxError, ValueError):
        return repr(node.value)


def _put(parent: ast.AST, slot: tuple[str, int | None], node: ast.AST) -> None:
    name, index = slot
    if index is None:
        setattr(parent, name, node)
    else:
        held: list[Any] = getattr(parent, name)
        held[index] = node
