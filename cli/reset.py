"""`dergate reset`: reset the trip latch of a running site by hand."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from cli.agents import SiteArgument, ask


def reset(
    site_file: SiteArgument = None,
    by: Annotated[
        str | None, typer.Option(help="Who resets it; kept as evidence. Default: your login.")
    ] = None,
) -> None:
    """Reset the trip latch, its target and a lockout; refused while the cause stands.

    The site comes back by enter service: its delay, then its ramp.
    """
    from contract.socket import Accepted, ResetRequest

    who = by or getpass.getuser()
    ask(site_file, lambda agent: agent.ask(ResetRequest(by=who), Accepted))
    print("The trip latch is reset; the site comes back by enter service.")
