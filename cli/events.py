"""`dergate events`: what happened on a site."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.agents import SiteArgument, ask


def events(
    site_file: SiteArgument = None,
    last: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False,
) -> None:
    """Show the newest events of a running site, oldest first."""
    from contract.socket import Events, EventsRequest

    found = ask(site_file, lambda agent: agent.ask(EventsRequest(last=last), Events))
    if as_json:
        print(found.model_dump_json())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("when (UTC)", "clock", "kind", "what")
    for event in found.events:
        table.add_row(event.wall, event.time_quality, event.kind, event.detail)
    Console().print(table)
