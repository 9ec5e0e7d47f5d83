"""`dergate sim`: the simulated site."""

from __future__ import annotations

import typer

from cli.sim_serve import serve

app = typer.Typer(no_args_is_help=True, help="Simulated sites: served over Modbus TCP on loopback.")


@app.callback()
def _group() -> None:
    """Keep `serve` a sub-command while it is the only one."""


app.command()(serve)
