"""What the gate changes: every kind of slip, named so that a reason can be filed under it."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutation_mutants import Mutant, mutants_of, unchanged
from mutation_operators import one_count

HEAD = "from __future__ import annotations\n"


def made(tmp_path: Path, source: str) -> list[Mutant]:
    """The mutants of a module `heart.m` with this source."""
    path = tmp_path / "m.py"
    path.write_text(HEAD + source, encoding="utf-8")
    return mutants_of(path, "heart.m")


@pytest.mark.parametrize(
    ("value", "text", "up", "down"),
    [
        (3, "3", 4, 2),
        (0, "0", 1, -1),
        (2.0, "2.0", 2.1, 1.9),
        (0.02, "0.02", 0.03, 0.01),
        (86_400.0, "86_400.0", 86_400.1, 86_399.9),
        (1e-9, "1e-9", 2e-9, 0.0),
        (0.0, "0.0", 0.1, -0.1),
    ],
)
def test_one_count_is_the_last_written_digit(value: float, text: str, up: float, down: float) -> None:
    assert one_count(value, text) == (up, down)


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("LIMIT_S = 2.0", ["2.0 -> 2.1", "2.0 -> 1.9"]),
        ("class A:\n    n: int = 3", ["3 -> 4", "3 -> 2"]),
        ("class A:\n    on: bool = False", ["False -> True"]),
        ("def f(x: float = 1) -> None:\n    x", ["1 -> 2", "1 -> 0"]),
        ("def f(x: float) -> bool:\n    return x < y", ["return x < y -> return x <= y", "return x < y -> return x >= y"]),
        ("def f(x: float) -> float:\n    return x", ["return x -> return x + 1"]),
        ("def f() -> float:\n    return math.inf", ["return math.inf -> return -math.inf"]),
        ("def f(x: bool) -> bool:\n    return x", ["return x -> return not x"]),
        ("def f(x: S) -> S:\n    return g(x)", ["return g(x) -> return x"]),
        ("def f(x: S) -> T:\n    return x", ["return x -> return None"]),
        ("def f(x: S) -> tuple[T, ...]:\n    return x", ["return x -> return ()"]),
        ("def f() -> float | None:\n    return None", ["return None -> return 0.0"]),
        ("def f(x: S) -> None:\n    x.add(y)", ["x.add(y) -> pass"]),
        ("def f(x: S) -> None:\n    yield x", ["yield x -> yield from ()"]),
        ("x = a and b.c", ["a and b.c -> a or b.c", "a and b.c -> not a and b.c", "a and b.c -> a and (not b.c)"]),
        ("x = a if b else c", ["a if b else c -> a if not b else c"]),
        ("x = [a for a in b if c(a)]", ["c(a) -> not c(a)"]),
        ("x = max(a, math.floor(b))", ["max(a, math.floor(b)) -> min(a, math.floor(b))", "max(a, math.floor(b)) -> max(a, math.ceil(b))"]),
        ("x += a", ["x += a -> x -= a"]),
        ("x = -a * b", ["-a * b -> -a / b", "-a * b -> a * b"]),
        ("x = a is not None", ["a is not None -> a is None"]),
        ("while a:\n    break", ["a -> not a", "break -> continue"]),
        ("x = zip(a, b, strict=True)", []),
        ("@dataclass(frozen=True)\nclass A:\n    x: Literal[3]", []),
        ("x = f'{a:.2f}'", []),
    ],
)  # fmt: skip
def test_each_slip_is_made_and_told(tmp_path: Path, source: str, changes: list[str]) -> None:
    assert [mutant.change for mutant in made(tmp_path, source)] == changes


def test_a_change_is_named_by_its_place_and_numbered_where_it_reads_alike(tmp_path: Path) -> None:
    source = "class A:\n    n: int = 3\n\n    def f(self) -> None:\n        x = 1 < a\n        y = 1 < a\n"
    keys = [
        mutant.key
        for mutant in made(tmp_path, source)
        if mutant.change.startswith(("3 -> 4", "1 < a -> 1 <= a"))
    ]
    assert keys == [
        ("heart.m.A.n", "3 -> 4"),
        ("heart.m.A.f", "1 < a -> 1 <= a"),
        ("heart.m.A.f", "1 < a -> 1 <= a #2"),
    ]


def test_code_runs_with_one_change_and_the_control_with_none(tmp_path: Path) -> None:
    source = "def f(x: float = 2) -> bool:\n    return x > 1 + 1\n"
    outcomes = {}
    for index, mutant in enumerate(made(tmp_path, source)):
        names: dict[str, object] = {}
        exec(made(tmp_path, source)[index].compiled(), names)
        outcomes[mutant.change] = names["f"]()  # type: ignore[operator]  # the function in the source above
    assert outcomes["2 -> 3"] is True
    assert outcomes["return x > 1 + 1 -> return x >= 1 + 1"] is True
    assert outcomes["return x > 1 + 1 -> return x > 1 - 1"] is True
    names = {}
    exec(unchanged(made(tmp_path, source)[0]).compiled(), names)
    assert names["f"]() is False  # type: ignore[operator]  # likewise
