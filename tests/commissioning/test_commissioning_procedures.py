"""Procedure files: those shipped load, and each kind of mistake is refused with file, line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from commissioning import procedure
from commissioning.procedure import ORDER, parse, shipped
from edge.model.strict_toml import FileRefusedError

BASE = (Path(__file__).parent / "base.toml").read_text()


def test_every_shipped_file_loads_and_is_run() -> None:
    files = {path.stem for path in Path(procedure.__file__).with_name("procedures").iterdir()}
    assert set(shipped()) == files == set(ORDER)
    assert len(files) >= 6


def test_reading_procedures_do_not_move_the_plant() -> None:
    moving = {name for name, one in shipped().items() if one.moves_the_plant}
    assert moving == set(ORDER) - {"identity", "settings"}


def test_the_base_of_the_refusals_is_accepted() -> None:
    assert parse(BASE, "base.toml").id == "base"


REFUSED = [
    ("an unknown action", "record = {", "recrod = {", "base.toml:8: step[0].recrod: unknown key; did you mean 'record'?"),
    ("an unknown check", "at_most = { name", "at_mots = { name", "base.toml:14: check[0].at_mots: unknown key; did you mean"),
    ("an unknown key of an action", "for_s =", "for_ss =", "base.toml:8: step[0].record.for_ss: unknown key; did you mean 'for_s'?"),
    ("an unknown condition", "output-below", "output-gone", "base.toml:11: step[1].wait.until: "),
    ("an unknown figure", '"before.output_w"', '"befor.output_w"', "base.toml:11: step[1].wait.value: befor.output_w is neither"),
    ("a figure measured later", '"0.1"', '"down.s"', "base.toml:8: step[0].record.for_s: down.s is neither"),
    ("no formula", '"olrt_max_s"', '"import os"', "base.toml:14: check[0].at_most.bound: 'import os' is not a formula"),
    ("a number where a formula belongs", '"0.1"', "0.1", "base.toml:8: step[0].record.for_s: "),
    ("a value that the condition takes not", "output-below", "tripped", "base.toml:11: step[1].wait: tripped takes no value"),
    ("an empty step", 'record = { name = "before", for_s = "0.1" }', "", "base.toml:7: step[0]: must hold exactly one of"),
    ("two actions in a step", "[[step]]\nwait", "release = {}\n\n[[step]]\nwait", "base.toml:7: step[0]: must hold exactly one of"),
    ("no check", BASE[BASE.index("[[check]]") :], "", "base.toml: check: is required and missing"),
    ("another id than the file's name", 'id = "base"', 'id = "other"', "base.toml:1: id: is 'other'"),
    ("an unknown key", 'title = "A', 'tilte = "A', "base.toml:2: tilte: unknown key; did you mean 'title'?"),
    ("a name that is no name", 'name = "before"', 'name = "Before!"', "base.toml:8: step[0].record.name: "),
    ("no text behind a statement", "at_most = {", "stated = { name = 'x', text = 'y' }\n[[check]]\nat_most = {", "no step leaves 'y' behind"),
    ("no TOML", "[[check]]", "[[check", "base.toml:13: not valid TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "old", "new", "said"), REFUSED, ids=[case[0] for case in REFUSED])
def test_refused(what: str, old: str, new: str, said: str) -> None:
    assert old in BASE, f"{what}: the base has nothing to spoil"
    with pytest.raises(FileRefusedError) as refused:
        parse(BASE.replace(old, new, 1), "base.toml")
    assert any(said in problem for problem in refused.value.problems), refused.value.problems
