"""The simulated demo site on free ports, and a site file that points there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge.model.strict_toml import load
from sim.serve import SimServer, serving
from sim.simfile import DEMO, SimFile

SITE = DEMO.parent / "demo.site.toml"


@pytest.fixture
async def plant() -> AsyncIterator[SimServer]:
    async with serving(load(SimFile, DEMO.read_text(), DEMO.name), port_base=0) as server:
        yield server


@pytest.fixture
def site(plant: SimServer, tmp_path: Path) -> str:
    text = SITE.read_text()
    for role, port in zip(plant.servers, plant.sim.ports(), strict=True):
        text = text.replace(f'"tcp://127.0.0.1:{port}?unit=1"', f'"{plant.servers[role].uri}"')
    file = tmp_path / "demo.site.toml"
    file.write_text(text)
    return str(file)
