"""The limit registers of one DER as the driver uses them, in virtual time: written, read back, reversion kept with it."""

from __future__ import annotations

from edge.model.site import Der
from sim.files.fault import FaultKind
from sim.limit import LimitWrite
from sim.plant import Plant
from sim.virtual_faults import Reply, VirtualWire


class LimitRegisters:
    """One device's limit. Watts outside, fractions of nameplate in the device."""

    def __init__(self, der: Der, plant: Plant, wire: VirtualWire) -> None:
        self._der = der
        self._plant = plant
        self._wire = wire
        self._units = {unit.role: index for index, unit in enumerate(plant.sim.inverter)}
        self._unit = self._units[der.name]
        self.can_revert = 704 in plant.sim.inverter[self._unit].chain()
        self._safe = LimitWrite()
        self._shown_w = der.nameplate_w

    def unit(self, now_s: float) -> int:
        """The unit that answers: another one while addresses are swapped."""
        return self._units.get(self._wire.answers(now_s), self._unit)

    def write(self, reply: Reply, limit_w: float, now_s: float) -> bool:
        """Send a limit, with the reversion that goes with each; False when the device refuses it."""
        safe = self._safe
        change = LimitWrite(
            enabled=True,
            cap_pu=limit_w / self._der.nameplate_w,
            revert_enabled=safe.revert_enabled,
            revert_cap_pu=safe.revert_cap_pu,
            revert_after_s=safe.revert_after_s,
        )
        taken = self._send(reply, change, now_s)
        if taken and self._der.told_zero == "keeps_minimum" and self._heard(reply, now_s):
            self._plant.fleet.connect[self.unit(now_s)] = limit_w > 0
        return taken

    def read(self, reply: Reply, now_s: float) -> float:
        """The limit in force as the registers show it, nameplate when none is."""
        if reply.spoilt is FaultKind.ZEROS:
            return self._der.nameplate_w
        if reply.spoilt is not FaultKind.FROZEN:
            limit, unit = self._plant.fleet.limit, self.unit(now_s)
            cap_pu = float(limit.cap_pu[unit]) if limit.enabled[unit] else 1.0
            self._shown_w = cap_pu * self._der.nameplate_w
        return self._shown_w

    def set_reversion(self, reply: Reply, now_s: float) -> bool:
        """Whether the device, as far as it can, holds the reversion of the site file."""
        wanted = self._der.reversion
        if wanted is None or not self.can_revert:
            return False
        safe = LimitWrite(
            revert_enabled=True,
            revert_cap_pu=wanted.safe_w / self._der.nameplate_w,
            revert_after_s=float(wanted.timer_s),
        )
        if not self._send(reply, safe, now_s):
            return False
        limit, unit = self._plant.fleet.limit, self.unit(now_s)
        held = bool(limit.revert_enabled[unit]) and float(limit.revert_after_s[unit]) == wanted.timer_s
        if held:
            self._safe = safe
        return held

    def _send(self, reply: Reply, change: LimitWrite, now_s: float) -> bool:
        if self._wire.suffers(FaultKind.WRITE_REFUSED, now_s):
            return False
        if self._heard(reply, now_s):
            self._plant.fleet.limit.write(self.unit(now_s), change)
        return True

    def _heard(self, reply: Reply, now_s: float) -> bool:
        return reply.reached and not self._wire.suffers(FaultKind.WRITE_IGNORED, now_s)
