"""The package does no input or output of its own and imports nothing of ours."""

from __future__ import annotations

import ast
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

FORBIDDEN = {
    *(
        "asyncio",
        "time",
        "logging",
        "socket",
        "random",
        "os",
        "pathlib",
        "subprocess",
        "threading",
        "datetime",
    ),
    *("numpy", "pymodbus", "sunspec2", "aiomqtt", "serial"),
    *("edge", "drivers", "contract", "commissioning", "sim", "portal", "cli"),
}
MODULES = [entry for entry in files("tiir").iterdir() if entry.name.endswith(".py")]


def imported(module: Traversable) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("module", MODULES, ids=lambda entry: str(entry.name))
def test_imports_are_pure(module: Traversable) -> None:
    assert not imported(module) & FORBIDDEN
    assert "open(" not in module.read_text()


def test_only_the_catalogue_reads_package_data() -> None:
    assert len(MODULES) >= 10
    assert [m.name for m in MODULES if "importlib" in imported(m)] == ["catalogue.py"]
