"""The comparison as rows, as a table for the documentation, and as one JSON object."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks.peers.judge import Point, dominates
from benchmarks.peers.plants import NOISES_PU
from benchmarks.peers.study import MARGINS, OURS, REFERENCE, Result, Study
from benchmarks.peers.tuning import PEERS
from benchmarks.rows import Row

NO_MARGIN = next(iter(MARGINS))


def shown(study: Study) -> Iterator[tuple[str, Result]]:
    """What the table has: everybody's default, ours without a margin, and the tuning that comes closest to ours."""
    yield "ours", study.ours
    yield "ours, no margin", next(one for one in study.of(OURS) if one.variant == NO_MARGIN)
    for peer in PEERS:
        yield f"{peer.name}, default", study.of(peer.name)[0]
        yield f"{peer.name}, tuned", study.against_ours(peer.name)
    yield "(sees the load)", study.of(REFERENCE)[0]


def rows(study: Study) -> list[Row]:
    """Rows for the table of measures."""
    stepping = sum(case.day is None for case in study.cases)
    said = f"{stepping} of 1,500 plants, {len(study.cases) - stepping} runs of days"
    found = [row for name, result in shown(study) for row in _figures(name, result.total, said)]
    ours, bare = study.ours.total, next(one for name, one in shown(study) if name == "ours, no margin").total
    defaults = [study.of(peer.name)[0].total for peer in PEERS]
    every = [one.total for peer in PEERS for one in study.of(peer.name)]
    tried = f"{len(every)} points of {len(PEERS)} peers"
    return [
        *found,
        Row(
            "peers: points that dominate ours", sum(dominates(one, ours) for one in every), "", tried, goal=0
        ),
        Row(
            "peers: defaults that ours does not dominate",
            sum(not dominates(ours, one) for one in defaults),
            "",
            "excursion energy and harvest",
            goal=0,
        ),
        Row(
            "peers: defaults that ours without margin does not dominate",
            sum(not dominates(bare, one) for one in defaults),
            "",
            "none of them has a margin",
            goal=0,
        ),
    ]


def _figures(name: str, at: Point, said: str) -> list[Row]:
    return [
        Row(f"peers: {name}, excursion energy", at.over_wh_per_h, "Wh/kW/h", said),
        Row(f"peers: {name}, harvest", 100.0 * at.harvest, "%"),
        Row(f"peers: {name}, longest excursion", at.longest_s, "s"),
        Row(f"peers: {name}, writes", at.writes_per_h, "/h"),
    ]


def markdown(study: Study) -> Iterator[str]:
    """Lines for the documentation: the table, what the tunings are, and where a peer wins."""
    quiet, noisy = (f"noise {noise_pu:.1%}" for noise_pu in NOISES_PU)
    yield f"| | excursion, Wh/kW/h; harvest | {quiet} | {noisy} | longest, s | runs above 30 s | writes/h |"
    yield "|---|---|---|---|---|---|---|"
    for name, result in shown(study):
        at = result.total
        parts = " | ".join(_both(study.at_noise(result, noise_pu)) for noise_pu in NOISES_PU)
        yield (
            f"| {name} | {_both(at)} | {parts} | {at.longest_s:.0f} |"
            f" {at.beyond_30:.0%} | {at.writes_per_h:.0f} |"
        )
    yield ""
    for peer in PEERS:
        yield f"- {peer.name}, tuned: {study.against_ours(peer.name).variant}"
    yield ""
    wins = list(study.wins())
    yield f"Classes in which a point of a peer dominates ours: {len({win.where for win in wins})}"
    for win in wins:
        yield (
            f"- {win.where}: {win.peer.name} ({win.peer.variant}): {win.theirs.over_wh_per_h:.2f} Wh/kW/h at"
            f" {win.theirs.harvest:.2%}, ours {win.ours.over_wh_per_h:.2f} at {win.ours.harvest:.2%}"
        )
    unmatched = [one for peer in PEERS for one in study.of(peer.name) if study.unmatched(one)]
    yield f"Points of peers that no margin of ours matches in both, all cases together: {len(unmatched)}"
    for one in unmatched:
        yield f"- {one.name} ({one.variant}): {one.total.over_wh_per_h:.2f} Wh/kW/h at {one.total.harvest:.2%}"


def _both(at: Point | None) -> str:
    return "" if at is None else f"{at.over_wh_per_h:.1f}; {at.harvest:.1%}"


def as_json(study: Study) -> dict[str, Any]:
    """Everything, for machines."""
    return {
        "cases": len(study.cases),
        "results": [{"name": one.name, "variant": one.variant, **asdict(one.total)} for one in study.results],
        "wins": [
            {
                "where": win.where,
                "peer": win.peer.name,
                "variant": win.peer.variant,
                "theirs": asdict(win.theirs),
                "ours": asdict(win.ours),
            }
            for win in study.wins()
        ],
    }
