"""`dergate`: one command for installers, gateways and utilities."""

from __future__ import annotations

import errno
import os
import sys

import click
import typer

from cli import exits


def build() -> typer.Typer:
    """The command tree. Each module imports what it runs only when it runs."""
    from cli import (
        capture,
        check,
        commission,
        demo,
        events,
        portal,
        read,
        report,
        reset,
        run,
        scan,
        sim,
        status,
        tiir,
        watch,
    )

    app = typer.Typer(
        name="dergate",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        help="Keep the export of a site at or below its limit, prove it, and report it."
        " Not a certified relay or power control system.",
    )
    app.command("demo")(demo.demo)
    app.command("run")(run.run)
    app.command("check")(check.check)
    app.command("scan")(scan.scan)
    app.command("read")(read.read)
    app.command("status")(status.status)
    app.command("watch")(watch.watch)
    app.command("events")(events.events)
    app.command("capture")(capture.capture)
    app.command("reset")(reset.reset)
    app.command("commission")(commission.commission)
    app.add_typer(report.app, name="report")
    app.add_typer(tiir.app, name="tiir")
    app.add_typer(sim.app, name="sim")
    app.add_typer(portal.app, name="portal")
    return app


def main() -> None:
    """Run the command; whatever goes wrong, the user gets a sentence and a status, not a traceback."""
    try:
        build()()
    except OSError as error:
        _end(error, _status_of(error), error.strerror or str(error))
    except Exception as error:  # noqa: BLE001 - the last stop before the user
        _end(error, exits.PROBLEM, f"unexpected {type(error).__name__}: {error}")


def _status_of(error: OSError) -> int:
    return (
        exits.UNREACHABLE
        if error.errno in {errno.ENOSPC, errno.EADDRINUSE, errno.ECONNREFUSED}
        else exits.PROBLEM
    )


def _end(error: BaseException, status: int, sentence: str) -> None:
    if os.environ.get("DERGATE_TRACEBACK"):
        raise error
    named = f" ({error.filename})" if isinstance(error, OSError) and error.filename else ""
    click.echo(f"dergate: {sentence}{named}; set DERGATE_TRACEBACK=1 to see where", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
