"""The registers of one DER that limit it, as the driver uses them in virtual time: written, read back, with reversion."""

from __future__ import annotations

from edge.model.band import Band
from edge.model.site import Der
from sim.band import CHARGE, DISCHARGE, BandWrite
from sim.files.fault import FaultKind
from sim.limit import LimitWrite
from sim.plant import Plant
from sim.setpoint import SetpointWrite
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
        self._shown = Band.whole(der)

    def unit(self, now_s: float) -> int:
        """The unit that answers: another one while addresses are swapped."""
        return self._units.get(self._wire.answers(now_s), self._unit)

    def write(self, reply: Reply, band: Band, now_s: float) -> bool:
        """Send a limit, with the reversion that goes with each; False when the device refuses it."""
        safe = self._safe
        change = LimitWrite(
            enabled=True,
            cap_pu=band.limit_w / self._der.nameplate_w,
            revert_enabled=safe.revert_enabled,
            revert_cap_pu=safe.revert_cap_pu,
            revert_after_s=safe.revert_after_s,
        )
        taken = self._send(reply, change, now_s)
        if taken and self._der.told_zero == "keeps_minimum" and self._heard(reply, now_s):
            self._plant.fleet.connect[self.unit(now_s)] = band.limit_w > 0
        return taken

    def read(self, reply: Reply, now_s: float) -> Band:
        """The limit in force as the registers show it, nameplate when none is."""
        if reply.spoilt is FaultKind.ZEROS:
            return Band.whole(self._der)
        if reply.spoilt is not FaultKind.FROZEN:
            self._shown = self._held(self.unit(now_s))
        return self._shown

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

    def _held(self, unit: int) -> Band:
        limit = self._plant.fleet.limit
        cap_pu = float(limit.cap_pu[unit]) if limit.enabled[unit] else 1.0
        return Band(cap_pu * self._der.nameplate_w)

    def _send(self, reply: Reply, change: LimitWrite | BandWrite | SetpointWrite, now_s: float) -> bool:
        if self._wire.suffers(FaultKind.WRITE_REFUSED, now_s):
            return False
        if self._heard(reply, now_s):
            unit, fleet = self.unit(now_s), self._plant.fleet
            if isinstance(change, LimitWrite):
                fleet.limit.write(unit, change)
            elif isinstance(change, BandWrite):
                fleet.band.write(unit, change)
            else:
                fleet.setpoint.write(unit, change)
        return True

    def _heard(self, reply: Reply, now_s: float) -> bool:
        return reply.reached and not self._wire.suffers(FaultKind.WRITE_IGNORED, now_s)


class BandRegisters(LimitRegisters):
    """Storage by 124: both rates in force, no reversion."""

    def write(self, reply: Reply, band: Band, now_s: float) -> bool:
        """Send both ends of a band."""
        rated_w = self._der.nameplate_w
        change = BandWrite(CHARGE | DISCHARGE, -band.floor_w / rated_w, band.limit_w / rated_w)
        return self._send(reply, change, now_s)

    def set_reversion(self, reply: Reply, now_s: float) -> bool:
        """It has none."""
        del reply, now_s
        return False

    def _held(self, unit: int) -> Band:
        bank, whole = self._plant.fleet.band, Band.whole(self._der)
        mode, rated_w = int(bank.mode[unit]), self._der.nameplate_w
        floor_w = -float(bank.charge_pu[unit]) * rated_w if mode & CHARGE else whole.floor_w
        limit_w = float(bank.discharge_pu[unit]) * rated_w if mode & DISCHARGE else whole.limit_w
        return Band(limit_w, min(floor_w, 0.0))


class SetpointRegisters(LimitRegisters):
    """Storage by 704 WSet: the upper end of its band is its set-point, and a set-point is what it reverts to."""

    def write(self, reply: Reply, band: Band, now_s: float) -> bool:
        """Send a set-point, with the reversion that goes with each."""
        safe, rated_w = self._safe, self._der.nameplate_w
        change = SetpointWrite(
            enabled=True,
            set_pu=band.limit_w / rated_w,
            revert_enabled=safe.revert_enabled,
            revert_set_pu=safe.revert_cap_pu,
            revert_after_s=safe.revert_after_s,
        )
        return self._send(reply, change, now_s)

    def set_reversion(self, reply: Reply, now_s: float) -> bool:
        """Whether the device holds the reversion of the site file."""
        wanted = self._der.reversion
        if wanted is None or not self.can_revert:
            return False
        safe_pu, after_s = wanted.safe_w / self._der.nameplate_w, float(wanted.timer_s)
        change = SetpointWrite(revert_enabled=True, revert_set_pu=safe_pu, revert_after_s=after_s)
        if not self._send(reply, change, now_s):
            return False
        bank, unit = self._plant.fleet.setpoint, self.unit(now_s)
        held = bool(bank.revert_enabled[unit]) and float(bank.revert_after_s[unit]) == after_s
        if held:
            self._safe = LimitWrite(revert_enabled=True, revert_cap_pu=safe_pu, revert_after_s=after_s)
        return held

    def _held(self, unit: int) -> Band:
        bank = self._plant.fleet.setpoint
        if not bank.enabled[unit]:
            return Band.whole(self._der)
        set_w = float(bank.set_pu[unit]) * self._der.nameplate_w
        return Band(set_w, min(set_w, 0.0))


def registers(der: Der, plant: Plant, wire: VirtualWire) -> LimitRegisters:
    """What limits a DER: a cap, a band, or a set-point."""
    if der.kind != "storage":
        return LimitRegisters(der, plant, wire)
    return (SetpointRegisters if der.operation == "setpoint" else BandRegisters)(der, plant, wire)
