"""`dergate sim`: the simulated site."""

from __future__ import annotations

import typer

from cli import sim_der, sim_harvest, sim_run, sim_stability, sim_study
from cli.sim_serve import serve

app = typer.Typer(no_args_is_help=True, help="Simulated sites: in virtual time, and served over Modbus.")


app.command()(serve)
app.command()(sim_run.run)
app.command()(sim_der.der)
app.command("list")(sim_run.list_scenarios)
app.command()(sim_study.study)
app.command()(sim_stability.stability)
app.command()(sim_harvest.harvest)
