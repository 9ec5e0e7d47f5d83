"""`dergate portal`: the utility's side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="The utility's side: ingest, settings, reports, web pages.", no_args_is_help=True)


@app.callback()
def portal() -> None:
    """The utility's side: ingest, settings, reports, web pages."""


@app.command()
def serve(
    db: Annotated[Path, typer.Option(help="SQLite file; made when missing.")] = Path("portal.db"),
    broker: Annotated[str, typer.Option(help="mqtt://host:port or mqtts://host:port")] = "mqtt://127.0.0.1",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of the pages; 0 takes a free one.")
    ] = 8080,
    ca: Annotated[Path | None, typer.Option(help="PEM of the broker's certificate authority.")] = None,
    cert: Annotated[Path | None, typer.Option(help="PEM of the portal's certificate.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM of the portal's key.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON line when ready.")] = False,
) -> None:
    """Take in the gateways' records and serve the pages, until stopped."""
    import asyncio
    import json
    import logging
    import os

    from contract.mqtt import BadUriError, BrokerError, BrokerUri, TlsFiles
    from portal.database import PortalDatabaseError
    from portal.serve import IntakeEndedError, Options, UnreachableError
    from portal.serve import serve as run

    def ready(url: str) -> None:
        line = json.dumps({"pid": os.getpid(), "url": url})
        typer.echo(line if as_json else f"The portal is at {url} (stop it with Ctrl-C)")

    logging.basicConfig(level=logging.WARNING, format="dergate portal: %(message)s")
    logging.getLogger("mqtt").setLevel(logging.ERROR)
    try:
        uri, tls = BrokerUri.parse(broker), TlsFiles(ca, cert, key)
        if uri.tls:
            tls.context()  # files that cannot be used are a mistake of usage, found before anything starts
        asyncio.run(run(Options(db, uri, host, port, tls), ready))
    except (BadUriError, BrokerError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except (UnreachableError, PortalDatabaseError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(3) from error
    except IntakeEndedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


if __name__ == "__main__":
    app()
