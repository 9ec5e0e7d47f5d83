"""Drivers for the devices of a site file; devices at one endpoint share its line."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.bus import Bus, Buses
from drivers.errors import DriverError
from drivers.inverter_sunspec import SunSpecInverter
from drivers.meter_sunspec import SunSpecMeter
from drivers.profile import load_profile
from drivers.protocol import Inverter, Meter, TripOutput
from drivers.storage_sunspec import SunSpecStorage
from drivers.trip_coil import TripCoil
from drivers.trip_permit import TripPermit
from drivers.trip_pulse import TripPulse
from drivers.uri import ModbusUri
from edge.model import site


def make_meter(buses: Buses, meter: site.Meter, *, reactive: bool = False) -> Meter:
    """The PCC meter's driver; `reactive`: reactive power is needed too."""
    bus, unit = _open(buses, meter.uri, meter.timeout_s, meter.retries)
    _expect(meter.profile, "meter")
    return SunSpecMeter(bus, unit, meter.sign, meter.profile, reactive=reactive)


def make_inverter(buses: Buses, der: site.Der) -> Inverter:
    """An inverter's driver."""
    bus, unit = _open(buses, der.uri, der.timeout_s, der.retries)
    _expect(der.profile, "inverter")
    if der.kind == "storage":
        return SunSpecStorage(bus, unit, der.operation)
    return SunSpecInverter(bus, unit, keeps_minimum=der.told_zero == "keeps_minimum")


def make_trip_output(buses: Buses, output: site.TripOutput, ders: Sequence[site.Der]) -> TripOutput:
    """A trip output's driver; it never retries, its next scan does.

    Raises:
        DriverError: A URI or profile that cannot be used, or a GPIO line where libgpiod is not installed.
    """
    if isinstance(output, site.GpioPulse):
        return _pulse(output)
    if isinstance(output, site.PermitService):
        der = next(der for der in ders if der.name == output.der)
        bus, unit = _open(buses, der.uri, output.timeout_s, 0)
        return TripPermit(bus, unit, der.nameplate_w)
    bus, unit = _open(buses, output.uri, output.timeout_s, 0)
    _expect(output.profile, "trip_output")
    return TripCoil(
        bus,
        unit,
        output.coil,
        feedback=output.feedback,
        watchdog_register=output.watchdog_register,
        dead_man_s=output.dead_man_s,
    )


def _pulse(output: site.GpioPulse) -> TripOutput:
    try:
        from drivers.gpio import GpioLine  # noqa: PLC0415 - only a site with GPIO needs the package
    except ImportError as error:
        raise DriverError(f"{output.name} needs the package gpiod: install dergate[gpio]") from error
    feedback = None
    if output.feedback is not None:
        feedback = GpioLine(output.chip, output.feedback, output=False, active_low=output.feedback_active_low)
    line = GpioLine(output.chip, output.line, output=True, active_low=output.active_low)
    return TripPulse(line, feedback, pulse_s=output.pulse_s, dead_man_s=output.dead_man_s)


def _open(buses: Buses, uri: str, timeout_s: float, retries: int) -> tuple[Bus, int]:
    parsed = ModbusUri.parse(uri)
    return buses.open(parsed, timeout_s=timeout_s, retries=retries), parsed.unit_or_1


def _expect(profile: str, role: str) -> None:
    found = load_profile(profile).role
    if found != role:
        raise DriverError(f"profile {profile} describes a {found}, not a {role}")
