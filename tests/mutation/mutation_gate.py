"""The mutation gate on the heart: `make mutate` tries every mutant, with `--seconds` as many as there is time for.

A mutant is the heart with one small slip: an operator, a comparison, a condition, a returned value, a call left
out, or a number changed by one count, defaults and constants of modules included. A mutant that passes all
tests fails the gate, unless `equivalent.toml` says why nobody could tell; so does a reason without its mutant.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import random
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from mutation_mutants import Mutant, mutants_of, unchanged
from mutation_record import Record
from mutation_trial import Trial, Verdict

ROOT = Path(__file__).parents[2]
TARGETS = ("edge/core", "edge/guard", "edge/step.py")
HEART = ("tests/core", "tests/guard", "tests/step", "tests/model")
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
OPTIONS = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--capture=no", "--timeout=0")
"""No time-out by the clock: a busy machine fails no test, and processor time ends a mutant that is endless."""
Reasons = dict[tuple[str, str], str]


def main() -> int:
    """Try the mutants, report, and say whether the gate holds."""
    asked = _arguments()
    os.chdir(ROOT)
    # As `python -m pytest` has it: else the folders of tests would stand for the packages of their names.
    sys.path.insert(0, str(ROOT))
    every = [mutant for mutant in all_mutants() if is_asked(mutant.module, asked.only)]
    if not every:
        raise SystemExit(f"mutation gate: nothing of the heart is in {' '.join(asked.only)}")
    reasons = {key: why for key, why in load_reasons(EQUIVALENT).items() if is_asked(key[0], asked.only)}
    todo = every if asked.seconds is None else drawn(every, reasons)
    # Like a constant it meets every test, unless there is little time.
    control = replace(unchanged(every[0]), in_function=asked.seconds is not None)
    began_as = fingerprint()
    trial = Trial(
        Record(ROOT, TARGETS),
        TARGETS,
        [control, *todo],
        frozenset(reasons),
        asked.workers,
        _tell,
        begin_within_s=math.inf if asked.seconds is None else asked.seconds,
    )
    if pytest.main([*OPTIONS, *HEART], plugins=[trial.record, trial]) != 0:
        return 1
    if fingerprint() != began_as:
        _say(["heart or tests were changed while this ran, so it proves nothing"])
        return 1
    verdicts = dict(trial.verdicts)
    if (verdict := verdicts.pop(control.key)) != "survived":
        _say([f"the unchanged heart does not pass its tests when it is imported again: {verdict}, see above"])
        return 1
    faults = list(faults_of(every, verdicts, reasons))
    _say(report(every, verdicts, reasons))
    _say([f"{trial.recorded_s:.0f} s for the tests, {trial.tried_s:.0f} s for the mutants"])
    _say(faults)
    return 1 if faults else 0


def _say(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"mutation gate: {line}\n" for line in lines)


def _tell(mutant: Mutant) -> None:
    if not mutant.is_control:
        sys.stdout.write(f"\n{mutant.place}:{mutant.line}: {mutant.change}\n")
        sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seconds",
        type=float,
        help="begin mutants for so long, in an order drawn anew when heart or tests change; those with a reason are left out",
    )
    parser.add_argument(
        "--only", nargs="+", default=[], help="files or folders of the heart, e.g. edge/guard"
    )
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


def is_asked(name: str, only: Sequence[str]) -> bool:
    """Whether a module, or something in it, is in one of some files or folders; without any, all are."""
    places = [place.rstrip("/").removesuffix(".py").replace("/", ".") for place in only]
    return not places or any(f"{name}.".startswith(f"{place}.") for place in places)


def all_mutants() -> list[Mutant]:
    """Every mutant of the heart."""
    return [
        mutant
        for path in python_files(TARGETS)
        for mutant in mutants_of(path, ".".join(path.relative_to(ROOT).with_suffix("").parts))
    ]


def python_files(places: tuple[str, ...]) -> list[Path]:
    """The source files at and below some places of the tree, sorted."""
    found: list[Path] = []
    for place in places:
        found += [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
    return found


def load_reasons(path: Path) -> Reasons:
    """Reasons by function and change. Each entry needs `function`, `changes` and `reason`, and nothing else."""
    reasons: Reasons = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", []):
        if set(entry) != {"function", "changes", "reason"} or not entry["reason"].strip():
            raise SystemExit(f"{path.name}: an entry needs function, changes and a reason: {entry}")
        for change in entry["changes"]:
            if (entry["function"], change) in reasons:
                raise SystemExit(f"{path.name}: twice: {entry['function']}: {change}")
            reasons[entry["function"], change] = entry["reason"]
    return reasons


def drawn(mutants: list[Mutant], reasons: Reasons) -> list[Mutant]:
    """The mutants without a reason in any order: the same for the same tree, another when heart or tests change."""
    bare = [mutant for mutant in mutants if mutant.key not in reasons]
    random.Random(fingerprint()).shuffle(bare)
    return bare


def fingerprint() -> str:
    """What tells one state of heart and tests from another."""
    texts = b"".join(path.read_bytes() for path in python_files((*TARGETS, *HEART)))
    return hashlib.sha256(texts).hexdigest()


def report(every: list[Mutant], verdicts: dict[tuple[str, str], Verdict], reasons: Reasons) -> Iterator[str]:
    """What was covered, and what became of it."""
    numbers = [mutant for mutant in every if mutant.is_number]
    yield (
        f"{len({mutant.place for mutant in every if mutant.in_function})} functions and"
        f" {len({mutant.site for mutant in numbers})} numbers"
        f" ({len({mutant.site for mutant in numbers if not mutant.in_function})} of them constants and defaults)"
        f" in {len({mutant.module for mutant in every})} modules make {len(every)} mutants"
    )
    count = Counter(verdicts.values())
    excused = sum(verdict == "survived" and key in reasons for key, verdict in verdicts.items())
    killed = count["failed"] + count["broken"] + count["endless"]
    yield (
        f"{len(verdicts)} tried, {killed} killed ({count['broken']} at import, {count['endless']} endless),"
        f" {excused} survived with a reason, {count['survived'] - excused} without"
    )


def faults_of(
    every: list[Mutant], verdicts: dict[tuple[str, str], Verdict], reasons: Reasons
) -> Iterator[str]:
    """Why the gate does not hold: one line each."""
    at = {mutant.key: f"{mutant.module.replace('.', '/')}.py:{mutant.line}" for mutant in every}
    for key, verdict in verdicts.items():
        if verdict == "crashed":
            yield f"crashed: {at[key]}: {key[0]}: {key[1]}"
        elif verdict == "survived" and key not in reasons:
            yield f"survived: {at[key]}: {key[0]}: {key[1]}"
        elif verdict != "survived" and key in reasons:
            yield f"killed, so it needs no reason: {at[key]}: {key[0]}: {key[1]}"
    for function, change in reasons.keys() - at.keys():
        yield f"a reason without its mutant: {function}: {change}"


if __name__ == "__main__":
    sys.exit(main())
