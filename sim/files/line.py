"""A serial line, as a sim file states it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge.model.site import Name, Strict, Text


class LineFile(Strict):
    """A Modbus RTU line, served as a pseudo-terminal; devices join it by `line = "name"` in place of a port."""

    name: Name
    baud: Literal[1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200] = 9600
    parity: Literal["N", "E", "O"] = "N"
    stopbits: Literal[1, 2] = 1
    turnaround_s: float = Field(0.005, ge=0, le=10, description="from a request's end to its answer's start")
    path: Text | None = Field(None, description="a stable path to the pseudo-terminal, made as a link")

    @property
    def char_s(self) -> float:
        """How long one character takes on the line, its start, parity and stop bits with it."""
        return (9 + (self.parity != "N") + self.stopbits) / self.baud

    @property
    def gap_s(self) -> float:
        """The silence that ends a frame: 3.5 characters, 1.75 ms above 19200 baud (serial line 2.5.1.1)."""
        return 0.00175 if self.baud > 19_200 else 3.5 * self.char_s
