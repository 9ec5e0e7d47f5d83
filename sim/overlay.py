"""One table laid over another: how a scenario changes a site without repeating its file.

Tables merge key by key. Lists of tables merge entry by entry, matched by `role`, `name` or `kind`; the entry "*"
changes every one there, one that matches none is added. Everything else replaces what was there.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from edge.model.toml_lines import Path

Table = dict[str, Any]

_IDENTITIES = ("role", "name", "kind")


class Overlay:
    """`base` with changes laid over it; `told_as` says where in the changes a key path of `data` was given.

    `added` has the entries that matched none of a list that was there: where each was given, and which there are.
    """

    def __init__(self, base: Table) -> None:
        self.data = deepcopy(base)
        self.added: list[tuple[Path, str]] = []
        self._places: dict[Path, Path] = {}

    def lay(self, changes: Table, called: str) -> Overlay:
        """Lay `changes` over it, the table called `called` in its file."""
        self._places[()] = (called,)
        self._merge(self.data, changes, (), (called,))
        return self

    def told_as(self, path: Path) -> Path:
        """The key path in the file of the changes for the key path `path` of `data`."""
        known = len(path)
        while path[:known] not in self._places:
            known -= 1
        return self._places[path[:known]] + path[known:]

    def _merge(self, onto: Table, changes: Table, at: Path, given: Path) -> None:
        for key, value in changes.items():
            here, there = (*at, key), (*given, key)
            self._places[here] = there
            before = onto.get(key)
            if isinstance(before, dict) and isinstance(value, dict):
                self._merge(before, value, here, there)
            elif _tables(before) and _tables(value):
                self._merge_entries(onto[key], value, here, there)
            else:
                onto[key] = deepcopy(value)

    def _merge_entries(self, onto: list[Table], changes: list[Table], at: Path, given: Path) -> None:
        for number, change in enumerate(changes):
            there = (*given, number)
            matched = [index for index, entry in enumerate(onto) if _same(entry, change)]
            if not matched:
                self.added.append((there, _unmatched(str(at[-1]), onto, change)))
                matched = [len(onto)]
                onto.append({})
            for index in matched:
                self._places[*at, index] = there
                self._merge(onto[index], _without_star(change), (*at, index), there)


def _tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _same(entry: Table, change: Table) -> bool:
    for key in _IDENTITIES:
        if key in change and key in entry:
            return bool(change[key] in (entry[key], "*"))
    return False


def _unmatched(called: str, onto: list[Table], change: Table) -> str:
    key = next((key for key in _IDENTITIES if key in change), None)
    if key is None:
        return f"names no {called} that it changes, so it is a new one"
    there = ", ".join(str(entry[key]) for entry in onto if key in entry)
    return f"no {called} is called {change[key]!r}, so it is a new one; there are {there or 'none'}"


def _without_star(change: Table) -> Table:
    return {key: value for key, value in change.items() if not (key in _IDENTITIES and value == "*")}
