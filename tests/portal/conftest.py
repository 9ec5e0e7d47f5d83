"""A real broker, a real portal process, a real link process: what the tests of the portal share."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from portal_processes import Gateway, PortalProcess

from edge.link.private_broker import PrivateBroker


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[PrivateBroker]:
    with PrivateBroker(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def portal(tmp_path: Path, broker: PrivateBroker) -> Iterator[PortalProcess]:
    process = PortalProcess(tmp_path / "portal.db", broker.uri)
    yield process
    if process.process is not None:
        process.end(signal.SIGKILL)


@pytest.fixture
def gateway(tmp_path: Path, broker: PrivateBroker) -> Iterator[Gateway]:
    one = Gateway(tmp_path, broker.uri)
    yield one
    if one.process is not None:
        one.end(signal.SIGKILL)
    one.spool.close()
