"""`dergate sim harvest`: what is generated within the limit on named days, against a clairvoyant."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from typing import Annotated

import typer


def harvest(
    noise: Annotated[
        float, typer.Option(min=0.0001, max=0.1, help="Host-load noise over nameplate.")
    ] = 0.002,
    minutes: Annotated[float, typer.Option(min=1.0, max=720.0, help="Length of each stretch.")] = 30.0,
    jobs: Annotated[int, typer.Option(min=1, help="Worker processes.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Three skies over three plants: energy over a clairvoyant's with the same margin, and that margin."""
    from sim.stability import harvest as days
    from sim.stability.bench import Case

    wanted = [(Case(cell, noise), sky) for cell in days.PLANTS for sky in days.SKIES]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        run = partial(days.harvest, duration_s=60.0 * minutes)
        found = list(pool.map(run, *zip(*wanted, strict=True)))
    if as_json:
        print(json.dumps({"noise_pu": noise, "minutes": minutes, "days": [asdict(day) for day in found]}))
        return
    print(
        f"{minutes:g} minutes each, noise {noise:.1%}; goals: energy at least {days.SHARE_GOAL:.0%}, margin at most "
        f"{found[0].margin_goal_pu:.1%} of nameplate"
    )
    for day in found:
        judged = "" if day.curtailed >= days.CURTAILED else "  (too little is curtailed to judge)"
        parts = ", ".join(f"{part_pu:.2%} {name}" for name, part_pu in day.margin_parts_pu.items())
        print(
            f"  {day.share:7.2%} energy ({day.undelayed_share:.2%} of one without delay or slope), {day.curtailed:4.0%} "
            f"curtailed: {day.sky}, {day.case.cell}{judged}\n"
            f"          {day.margin_pu:.2%} margin, {day.distance_pu:.2%} away from the limit: {parts}"
        )
