"""`dergate demo`: a simulated site, the real agent, broker and portal, and a picture of what happens."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import exits
from cli.told import until_told

if TYPE_CHECKING:
    from cli.demo.stage import Stage
    from cli.demo.story import Story

FAULT_NAMES = ("meter-loss", "inverter-loss", "agent-kill", "agent-stop", "broker-kill", "write-ignored")
LEAST_S, MOST_S = 20.0, 86_400.0


def demo(
    duration_s: Annotated[
        float, typer.Option("--duration", metavar="S", help="Seconds to play, at least 20.")
    ] = 60.0,
    fault: Annotated[
        str | None, typer.Option(help=f"Play a fault in the middle: {', '.join(FAULT_NAMES)}.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="End with one JSON object, draw nothing.")] = False,
    keep: Annotated[Path | None, typer.Option(help="Keep truth, logs and databases in this folder.")] = None,
) -> None:
    """Show a site holding its export limit while the host load drops, or while something fails."""
    import tempfile

    from cli.demo.stage import Stage, StageError

    if fault is not None and fault not in FAULT_NAMES:
        exits.fail(exits.REFUSED, f"--fault {fault}: unknown; allowed: {', '.join(FAULT_NAMES)}")
    if not LEAST_S <= duration_s <= MOST_S:
        exits.fail(
            exits.REFUSED,
            f"--duration {duration_s:g}: must be from {LEAST_S:g} s, to see it through, to {MOST_S:g} s",
        )
    _end_on_signals()
    with tempfile.TemporaryDirectory(prefix="dergate-demo-") as scratch:
        folder = keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with Stage(folder) as stage:
                result = asyncio.run(until_told(_perform(stage, duration_s, fault, drawn=not as_json)))
        except StageError as error:
            exits.fail(exits.UNREACHABLE, str(error))
        except (KeyboardInterrupt, asyncio.CancelledError):
            exits.fail(exits.PROBLEM, "stopped before the end")
    if as_json:
        print(json.dumps(result))
    else:
        from cli.demo.screen import print_result

        print_result(result)
    raise typer.Exit(exits.FINE if result["passed"] else exits.PROBLEM)


def _end_on_signals() -> None:
    """Before the story plays, too: whatever it was told by, what it started is ended."""
    import signal

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


async def _perform(stage: Stage, duration_s: float, fault: str | None, *, drawn: bool) -> dict[str, Any]:
    import contextlib
    import time

    from cli.demo.observer import Observer
    from cli.demo.screen import Screen
    from cli.demo.story import Story
    from sim.simfile import DEMO, load_simfile

    stage.start_agent(new_site=True)
    observer = Observer(stage.site_file, lambda: None)
    nameplate_w = load_simfile(DEMO).nameplate_w
    story = Story(stage, observer, duration_s, fault, time.monotonic(), stage.limit_w, nameplate_w)
    with Screen(story) if drawn else contextlib.nullcontext() as screen:
        if screen is not None:
            observer.shown = screen.draw
        watching = asyncio.create_task(observer.watch())
        try:
            await story.play()
            waiting = await _arrived(stage, story) if fault == "broker-kill" else None
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
    return _judged(stage, story, waiting)


async def _arrived(stage: Stage, story: Story) -> str | None:
    """After a broker kill: wait until the portal has every record, and say what is missing."""
    import time

    from cli.demo.judge import portal_problem
    from contract.client import state_dir

    story.now_doing = "waiting until the portal has every record"
    deadline_s = time.monotonic() + 20.0
    while (
        problem := portal_problem(state_dir(stage.site_file) / "spool.sqlite", stage.portal_db)
    ) is not None:
        if time.monotonic() > deadline_s:
            return problem
        await asyncio.sleep(0.5)
    return None


def _judged(stage: Stage, story: Story, waiting: str | None) -> dict[str, Any]:
    from cli.demo.judge import judge
    from cli.demo.verdict import Played, verdict
    from sim.simfile import DEMO, load_simfile
    from sim.truth import BAND_PU, settled_s
    from sim.truthlog import read_truth

    sim, truth = load_simfile(DEMO), read_truth(stage.truth_file)
    counts = story.observer.counts()
    limit_w = story.limit_w
    if story.fault is not None:
        band_w = limit_w + BAND_PU * sim.nameplate_w
        judge(story.fault, counts, truth, band_w, story.load_drop_s)
        story.fault.problem = story.fault.problem or waiting
    settled = settled_s(truth, limit_w, sim.nameplate_w)
    played = Played(
        story.zero_s, settled, story.load_drop_s, story.fault, counts, agent_ended=stage.agent_ended()
    )
    return verdict(played, truth, sim, limit_w)
