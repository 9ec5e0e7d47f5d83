"""`dergate status`: how a site stands."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.agents import SiteArgument, ask


def status(
    site_file: SiteArgument = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object for machines.")] = False,
) -> None:
    """Show how a running site stands."""
    found = ask(site_file, lambda agent: agent.status())
    if as_json:
        print(found.model_dump_json())
        return
    from rich.console import Console

    from cli.picture import picture

    Console().print(picture(found))
