"""The gate on a heart of a few lines: what is killed, what survives, what is endless, and which reasons it takes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from mutation_gate import drawn, faults_of, load_reasons, report
from mutation_mutants import Mutant, mutants_of
from mutation_trial import Verdict

Verdicts = dict[tuple[str, str], Verdict]
HERE = Path(__file__).parent
HEART = """\
LIMIT = 3


def over(x: int) -> bool:
    while x > 100:
        x -= 1
    return x > LIMIT
"""
TESTS = """\
from heart.law import over


def test_over() -> None:
    assert over(7)
    assert not over(2)
    assert over(101)
"""
TRY = """\
import json, sys
from pathlib import Path
import pytest
from mutation_mutants import mutants_of, unchanged
from mutation_record import Record
from mutation_trial import Trial

root = Path.cwd()
mutants = mutants_of(root / "heart/law.py", "heart.law")
trial = Trial(Record(root, ("heart",)), ("heart",), [unchanged(mutants[0]), *mutants], frozenset(), 2, print, cpu_s=0.3)
assert pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:asyncio", "--capture=no", "tests"], plugins=[trial.record, trial]) == 0
(root / "verdicts.json").write_text(json.dumps({change: verdict for (_, change), verdict in trial.verdicts.items()}))
"""


ONCE = """\
import os
from heart.law import over


def test_only_once() -> None:
    over(7)
    assert "TRIED" not in os.environ
    os.environ["TRIED"] = "yes"
"""


def tried(root: Path, tests: str, more: str = "") -> tuple[dict[str, str], str]:
    """The verdicts on the small heart with these tests, and what was said on standard error."""
    for name, text in {
        "heart/__init__.py": "",
        "heart/law.py": HEART,
        "tests/test_over.py": tests,
        "try.py": TRY.replace("cpu_s=0.3", f"cpu_s=0.3{more}"),
    }.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-B", "try.py"],
        cwd=root,
        env={"PYTHONPATH": f"{HERE}:{root}", "PYTHONHASHSEED": "0"},
        check=True,
        timeout=50,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    return json.loads((root / "verdicts.json").read_text(encoding="utf-8")), done.stderr


def test_tests_that_do_not_pass_twice_end_it_and_are_named(tmp_path: Path) -> None:
    verdicts, said = tried(tmp_path, ONCE)
    assert verdicts["nothing"] == "failed"
    assert len(verdicts) < 11, "those that wait are not tried"
    assert "tests/test_over.py::test_only_once" in said
    assert "assert 'TRIED' not in" in said


def test_when_the_time_is_over_no_more_are_begun(tmp_path: Path) -> None:
    verdicts, _ = tried(tmp_path, TESTS, ", begin_within_s=0.0")
    assert list(verdicts) in (["nothing", "3 -> 4"], ["3 -> 4", "nothing"])


def test_a_trial_that_goes_wrong_itself_says_why(tmp_path: Path) -> None:
    gone = "from pathlib import Path\nfrom heart.law import over\n\n\ndef test_over() -> None:\n    Path(__file__).unlink()\n"
    verdicts, said = tried(tmp_path, gone)
    assert verdicts["nothing"] == "crashed"
    assert "file or directory not found" in said


def test_a_small_heart_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    verdicts, said = tried(tmp_path, TESTS)
    assert said == ""
    assert verdicts == {
        "nothing": "survived",
        "3 -> 4": "survived",
        "3 -> 2": "survived",
        "x > 100 -> x >= 100": "survived",
        "x > 100 -> x <= 100": "endless",
        "x > 100 -> x > 101": "survived",
        "x > 100 -> x > 99": "survived",
        "x -= 1 -> x += 1": "endless",
        "x -= 1 -> x -= 2": "survived",
        "x -= 1 -> x -= 0": "endless",
        "return x > LIMIT -> return x >= LIMIT": "survived",
        "return x > LIMIT -> return x <= LIMIT": "failed",
    }
    assert (tmp_path / "heart/law.py").read_text(encoding="utf-8") == HEART


@pytest.fixture
def mutants(tmp_path: Path) -> list[Mutant]:
    """The mutants of the small heart."""
    (tmp_path / "law.py").write_text(HEART, encoding="utf-8")
    return mutants_of(tmp_path / "law.py", "heart.law")


def test_only_what_survives_with_a_reason_or_is_killed_without_passes(mutants: list[Mutant]) -> None:
    one, other = mutants[:2]
    killed: Verdicts = {one.key: "failed"}
    survived: Verdicts = {one.key: "survived"}
    at = "heart/law.py:1: heart.law.LIMIT: 3 -> 4"
    assert list(faults_of(mutants, killed, {})) == []
    assert list(faults_of(mutants, survived, {one.key: "why"})) == []
    assert list(faults_of(mutants, survived, {other.key: "why"})) == [f"survived: {at}"]
    assert list(faults_of(mutants, killed, {one.key: "why"})) == [f"killed, so it needs no reason: {at}"]
    assert list(faults_of(mutants, {one.key: "crashed"}, {})) == [f"crashed: {at}"]
    assert list(faults_of(mutants, {}, {("heart.law.gone", "1 -> 2"): "why"})) == [
        "a reason without its mutant: heart.law.gone: 1 -> 2"
    ]


def test_the_report_counts(mutants: list[Mutant]) -> None:
    verdicts: Verdicts = {mutant.key: "failed" for mutant in mutants}
    verdicts[mutants[0].key] = "survived"
    verdicts[mutants[2].key] = "endless"
    assert list(report(mutants, verdicts, {mutants[0].key: "why"})) == [
        "1 functions and 3 numbers (1 of them constants and defaults) in 1 modules make 11 mutants",
        "11 tried, 10 killed (0 at import, 1 endless), 1 survived with a reason, 0 without",
    ]


def test_the_order_is_the_same_for_the_same_tree_and_leaves_out_what_has_a_reason(
    mutants: list[Mutant],
) -> None:
    order = drawn(mutants, {mutants[0].key: "why"})
    assert order == drawn(mutants, {mutants[0].key: "why"})
    assert order != mutants[1:]
    assert sorted(order, key=mutants.index) == mutants[1:]


@pytest.mark.parametrize(
    "text",
    [
        '[[equivalent]]\nfunction = "a.f"\nchanges = ["1 -> 2"]\n',
        '[[equivalent]]\nfunction = "a.f"\nchanges = ["1 -> 2"]\nreason = " "\n',
        '[[equivalent]]\nfunction = "a.f"\nchanges = ["1 -> 2"]\nreason = "r"\nline = 1\n',
        '[[equivalent]]\nfunction = "a.f"\nchanges = ["1 -> 2", "1 -> 2"]\nreason = "r"\n',
    ],
)
def test_a_reason_that_is_not_one_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "equivalent.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit, match=r"equivalent\.toml"):
        load_reasons(tmp_path / "equivalent.toml")
