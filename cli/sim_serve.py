"""`dergate sim serve`: a simulated site over Modbus."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.exits import REFUSED, UNREACHABLE, fail


def serve(
    file: Annotated[
        str | None,
        typer.Argument(
            help="A sim file, or a scenario by its name or file; the demo site when left out.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
    truth: Annotated[Path | None, typer.Option(help="Write what really happens to this CSV file.")] = None,
    port_base: Annotated[
        int | None,
        typer.Option(min=0, max=65_000, help="Move the lowest port here, the others with it; 0: free ports."),
    ] = None,
    control: Annotated[
        bool, typer.Option("--control", help="Take orders as lines of JSON on standard input.")
    ] = False,
) -> None:
    """Serve the devices of a site until interrupted, over Modbus TCP and RTU; a scenario with its faults."""
    import asyncio

    from edge.model.strict_toml import FileRefusedError
    from sim.serve import SimServer, serve_until_signal
    from sim.served import load
    from sim.simfile import DEMO
    from sim.wire.tcp import PortInUseError

    try:
        site = load(file or DEMO)
    except FileRefusedError as error:
        fail(REFUSED, *error.problems)
    try:
        server = SimServer(
            site.sim, truth, port_base, faults=site.faults, seed=site.seed, unserved=site.unserved()
        )
    except OSError as error:
        fail(REFUSED, f"{truth}: cannot be written: {error.strerror}")
    try:
        asyncio.run(serve_until_signal(server, as_json=as_json, control=control))
    except PortInUseError as error:
        fail(UNREACHABLE, str(error))
    except OSError as error:
        fail(UNREACHABLE, f"{truth}: cannot be written: {error.strerror}")
