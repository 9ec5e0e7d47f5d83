"""The demo's screen: what is happening now, the agent's picture, and where to look further."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from cli.demo.excursion_watch import ExcursionWatch
from cli.picture import History, picture
from sim.truth import BAND_PU
from sim.truthlog import Follower

if TYPE_CHECKING:
    from cli.demo.story import Story

STARTING_S = 3.0


class Screen:
    """Draws the story. Use as a context manager around playing it."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._history = History()
        self._truth = Follower(story.stage.truth_file)
        self._watch = ExcursionWatch(story.limit_w, story.limit_w + BAND_PU * story.nameplate_w)
        self._live = Live(console=Console(), screen=False, auto_refresh=False, transient=False)

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def draw(self) -> None:
        """Draw what is known now."""
        self._live.update(self._picture(), refresh=True)

    def _picture(self) -> RenderableType:
        story = self._story
        gone_s = time.monotonic() - story.zero_s
        left_s = max(0.0, story.duration_s - gone_s)
        headline = Text.assemble(
            (f"{gone_s:5.1f} s  ", "bold"),
            (story.now_doing, "bold cyan"),
            (f"   ({left_s:.0f} s to go)", "dim"),
        )
        self._watch.armed = story.settled
        self._watch.take(self._truth.rows())
        excursion = self._watch.sentence()
        if excursion is not None:
            headline.append(
                f"\n         {excursion}", "bold green" if self._watch.over else "bold reverse red"
            )
        status = story.observer.status
        body: RenderableType = Text("the agent does not answer", style="bold red")
        if status is not None:
            self._history.take(status.image.at_s, status.image.pcc.export_w.value)
            body = picture(status, self._history)
        elif gone_s < STARTING_S:
            body = Text("the agent is starting", style="yellow")
        foot = Text(f"The utility's page: {story.stage.portal_url}    Ctrl-C ends the demo.", style="dim")
        return Group(Panel(headline, title="dergate demo", border_style="cyan"), body, foot)


def print_result(result: dict[str, Any]) -> None:
    """Say in words what the simulator's truth showed."""
    console = Console()
    limit_kw = result["limit_w"] / 1000
    for one in result["excursions"]:
        console.print(
            f"Export was above {limit_kw:g} kW for [bold]{one['duration_s']:.2f} s[/], with a peak of"
            f" {one['peak_w'] / 1000:.1f} kW and {one['energy_wh']:.2f} Wh above the limit."
        )
    if result["response_ratio"] is not None:
        console.print(
            f"That took {result['response_ratio']:.2f} times as long as a controller that knew the drop beforehand"
            " would have needed with the same meter and inverters."
        )
    for fault in result["faults"]:
        console.print(f"Fault {fault['name']}: {fault['effect']}.")
    console.print(
        f"Trips {result['trips']}, fallbacks {result['fallbacks']},"
        f" writes verified {result['writes']['verified']} of {result['writes']['sent']}."
    )
    if result["passed"]:
        console.print("[bold green]The bounds held.[/]")
    else:
        console.print(f"[bold red]The bounds did not hold:[/] {result['reason']}")
    console.print("dergate is not a certified relay or power control system.", style="dim")
