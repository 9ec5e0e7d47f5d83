"""How a simulated device is reached: what every table of a sim file that is served has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from edge.model.site import Strict

Port = Annotated[int, Field(ge=1, le=65_535)]
UnitId = Annotated[int, Field(ge=1, le=247)]


class Served(Strict):
    """A device on a port of its own."""

    port: Port
    unit_id: UnitId = 1


class DiagnosticFile(Served):
    """Where the truth can be read: a unit that no real site has."""
