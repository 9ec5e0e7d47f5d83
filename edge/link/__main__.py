"""`python -m edge.link`: the link as a process of its own. Control goes on without it."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import sys
import time
from pathlib import Path

from contract.mqtt import BadUriError, BrokerUri, TlsFiles
from contract.topics import GATEWAY_PATTERN
from edge.link.claim import Claim
from edge.link.main import log_to_stderr, run_link
from edge.link.uplink import LOG
from edge.spool import SpoolError

DRAIN_S = 60.0
_WATCH_S = 0.5


def _gateway(text: str) -> str:
    if not re.match(GATEWAY_PATTERN, text):
        raise argparse.ArgumentTypeError(f"{text!r} is no gateway identity")
    return text


def _broker(text: str) -> BrokerUri:
    try:
        return BrokerUri.parse(text)
    except BadUriError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m edge.link", description="carry the spool to the portal")
    parser.add_argument("--spool", type=Path, required=True)
    parser.add_argument("--gateway", type=_gateway, required=True, help="identity, as in the certificate")
    parser.add_argument("--broker", type=_broker, required=True, help="mqtt://host:port or mqtts://host:port")
    parser.add_argument("--ca", type=Path, help="PEM file of the broker's certificate authority")
    parser.add_argument("--cert", type=Path, help="PEM file of this gateway's certificate")
    parser.add_argument("--key", type=Path, help="PEM file of this gateway's key")
    parser.add_argument(
        "--parent", type=int, default=os.getppid(), help="end, after a drain, when this process has gone"
    )
    return parser.parse_args()


async def _run(arguments: argparse.Namespace) -> None:
    stop, drain = asyncio.Event(), asyncio.Event()
    claim = Claim(arguments.spool)
    claim.take()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watch = asyncio.create_task(_watch_parent(arguments.parent, claim, stop, drain))
    try:
        await run_link(
            arguments.spool,
            arguments.gateway,
            arguments.broker,
            tls=TlsFiles(arguments.ca, arguments.cert, arguments.key),
            stop=stop,
            drain=drain,
        )
    finally:
        watch.cancel()


async def _watch_parent(parent: int, claim: Claim, stop: asyncio.Event, drain: asyncio.Event) -> None:
    """When the parent dies we are adopted; what is in the spool then gets a minute to leave.

    A restarted agent brings a link of its own. Two under one identity would throw each other out of the broker,
    so this one leaves as soon as it sees the other's claim.
    """
    while os.getppid() == parent:  # noqa: ASYNC110 - the kernel has no event for it that outlives the parent
        await asyncio.sleep(_WATCH_S)
    LOG.info("the process that started the link has gone; draining for at most %.0f s", DRAIN_S)
    drain.set()
    deadline_s = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline_s and claim.is_ours():  # noqa: ASYNC110 - a file has no event
        await asyncio.sleep(_WATCH_S)
    stop.set()


def main() -> int:
    """Run until told to stop; 2 for bad usage, 3 when the spool cannot be used."""
    arguments = _arguments()
    log_to_stderr()
    try:
        asyncio.run(_run(arguments))
    except SpoolError as error:
        LOG.error("%s", error)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
