"""Trip outputs: what disconnects DERs, and opens by itself when nobody holds it."""

from __future__ import annotations

from pydantic import Field

from edge.model.site.base import Name, Strict, Uri


class TripOutput(Strict):
    """A Modbus coil whose module opens it by itself when it is no longer written."""

    name: Name
    uri: Uri
    profile: Name = "modbus-coil"
    coil: int = Field(0, ge=0, le=65_535)
    feedback: int | None = Field(None, ge=0, le=65_535, description="discrete input with the 52a contact")
    watchdog_s: float | None = Field(None, gt=0, le=30, description="the module's communication watchdog")
    watchdog_register: int | None = Field(None, ge=0, le=65_535, description="holds the watchdog in ms")
    actuation_s: float = Field(0.05, ge=0, le=2)
    timeout_s: float = Field(0.1, gt=0, le=5)
    backup: tuple[Name, ...] = Field((), description="outputs that open when this one fails to")

    @property
    def dead_man_s(self) -> float | None:
        """From the last write until the contact is open, or None when nothing opens it by itself."""
        return None if self.watchdog_s is None else self.watchdog_s + self.actuation_s
