"""Everybody on the same cases: the limiter with its margin varied, each peer at its defaults and as tuned."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from benchmarks.peers import tuning
from benchmarks.peers.judge import Point, at_least, challenger, dominates, point
from benchmarks.peers.law import Tuning
from benchmarks.peers.plants import Case, cases, classes
from benchmarks.peers.run import Contender, Ours, Outcome, SeesTheLoad, outcome

TEST_SEED, TRAINING_SEED = 1, 5_001
THIN, FULL_THIN, TRAINING_THIN = 150, 25, 75
"""One plant of the grid out of so many: in `make bench`, in the full run, in the search."""
SCREENED = 9
"""Training cases that candidates are screened on."""
CANDIDATES = 20
"""Random ones, and as many neighbours of the best at most, for each peer."""

OURS = "ours"
MARGINS = {
    "no margin": Ours(cap_pct=0.0),
    "at most 0.5 %": Ours(cap_pct=0.5),
    "at most 1 %": Ours(cap_pct=1.0),
    "at most 2 %": Ours(cap_pct=2.0),
    "default": Ours(),
    "at least 1 %": Ours(floor_pct=1.0),
    "at least 2 %": Ours(floor_pct=2.0),
    "at least 4 %": Ours(floor_pct=4.0),
}
"""The limiter's margin: three sigma between a floor and a cap, in % of nameplate."""
FEW_MARGINS = ("no margin", "at most 1 %", "default", "at least 2 %")
FEW_TUNINGS = 3
REFERENCE = "sees the load"


@dataclass(frozen=True, slots=True)
class Result:
    """One contender on all cases; `variant` is "default", the margin's or the tuning's words."""

    name: str
    variant: str
    runs: tuple[Outcome, ...]

    @property
    def total(self) -> Point:
        """All cases together."""
        return point(self.runs)


@dataclass(frozen=True, slots=True)
class Win:
    """A class of cases in which a peer's point dominates ours at its default."""

    where: str
    peer: Result
    theirs: Point
    ours: Point


@dataclass(frozen=True, slots=True)
class Study:
    """Every contender on the same cases."""

    cases: tuple[Case, ...]
    results: tuple[Result, ...]

    def of(self, name: str) -> list[Result]:
        """All variants of one contender, its default first."""
        return sorted(
            (one for one in self.results if one.name == name), key=lambda one: one.variant != "default"
        )

    def at_noise(self, result: Result, noise_pu: float) -> Point | None:
        """The cases of one noise together; None without any."""
        here = [index for index, case in enumerate(self.cases) if case.noise_pu == noise_pu]
        return _part(result, here) if here else None

    @property
    def ours(self) -> Result:
        """The limiter at its defaults."""
        return self.of(OURS)[0]

    def tuned(self, name: str) -> list[Result]:
        """The tunings of a peer."""
        return [one for one in self.of(name) if one.variant != "default"]

    def against_ours(self, name: str) -> Result:
        """The tuning of a peer that comes closest to dominating ours; its default where there is none."""
        variants = self.tuned(name) or self.of(name)
        totals = [one.total for one in variants]
        return variants[totals.index(challenger(totals, self.ours.total.harvest))]

    def wins(self) -> Iterator[Win]:
        """Where a point of a peer dominates ours at its default, class by class."""
        for where in classes(self.cases):
            here = [index for index, case in enumerate(self.cases) if where in case.classes()]
            ours = _part(self.ours, here)
            for peer in tuning.PEERS:
                for one in self.of(peer.name):
                    theirs = _part(one, here)
                    if dominates(theirs, ours):
                        yield Win(where, one, theirs, ours)

    def unmatched(self, result: Result) -> bool:
        """Whether no margin of ours is as good as `result` in both."""
        return not any(at_least(one.total, result.total) for one in self.of(OURS))


def _part(result: Result, indices: Sequence[int]) -> Point:
    return point([result.runs[index] for index in indices])


def contenders(*, few: bool = False) -> Iterator[tuple[str, str, Contender]]:
    """Name, variant and contender of everybody; a `few` of the margins and of the tunings if so wished."""
    yield REFERENCE, "default", SeesTheLoad()
    for margin, ours in MARGINS.items():
        if margin in FEW_MARGINS or not few:
            yield OURS, margin, ours
    found = tuning.read()
    for peer in tuning.PEERS:
        yield peer.name, "default", peer.default
        for one in tuning.thinned_front(found[peer.name], FEW_TUNINGS) if few else found[peer.name]:
            if one != peer.default:
                yield peer.name, told(peer, one), one


def told(peer: tuning.Peer, one: Tuning) -> str:
    """A tuning in words: the parameters that the search may change."""
    return ", ".join(f"{key} {getattr(one, key):g}" for key in peer.space)


def study(thin: int, jobs: int | None = None, *, few: bool = False) -> Study:
    """Run everybody on one plant out of `thin` and on the days. It is virtual time: all cores may help."""
    of = cases(thin, TEST_SEED)
    everybody = list(contenders(few=few))
    with _pool(jobs) as pool:
        runs = on_all(pool, [contender for _, _, contender in everybody], of)
    results = [
        Result(name, variant, found) for (name, variant, _), found in zip(everybody, runs, strict=True)
    ]
    return Study(tuple(of), tuple(results))


def tune(jobs: int | None = None, count: int = CANDIDATES) -> dict[str, list[Tuning]]:
    """Search the space of every peer on the training seeds."""
    training = cases(TRAINING_THIN, TRAINING_SEED)
    screening = random.Random(TRAINING_SEED).sample(training, SCREENED)
    with _pool(jobs) as pool:

        def judged(tunings: Sequence[Tuning], of: Sequence[Case]) -> list[Point]:
            return [point(runs) for runs in on_all(pool, tunings, of)]

        return {
            peer.name: tuning.search(
                peer, lambda some: judged(some, screening), lambda some: judged(some, training), count=count
            )
            for peer in tuning.PEERS
        }


def on_all(pool: Executor, of: Sequence[Contender], on: Sequence[Case]) -> list[tuple[Outcome, ...]]:
    """Each contender on each case."""
    flat = list(pool.map(outcome, [one for one in of for _ in on], list(on) * len(of), chunksize=4))
    return [tuple(flat[start : start + len(on)]) for start in range(0, len(flat), len(on))]


def _pool(jobs: int | None) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, get_context("spawn"))
