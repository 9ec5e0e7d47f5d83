"""Who shares a wire: devices behind one endpoint wait for each other, so one that is dead delays the rest."""

from __future__ import annotations

from edge.model.site import ModbusCoil, PermitService, Site

_MODBUS_PORT = 502


def wire(uri: str) -> str:
    """The endpoint in a device's URI, without its unit id and the settings of the port."""
    address = uri.partition("?")[0].rstrip("/")
    scheme, _, place = address.partition("://")
    if scheme != "tcp":
        return address
    host, colon, port = place.rpartition(":")
    named = colon and port.isdigit()
    return f"tcp://{(host if named else place).lower()}:{int(port) if named else _MODBUS_PORT}"


def sharers(site: Site, path: str) -> dict[str, float]:
    """The other devices on the wire of the one at `path` (`meter`, `der[0]`, `trip_output[0]`).

    By name, with the longest that what they may have waiting can hold the wire, in s; none where it is on no wire.
    """
    devices = {"meter": ("the meter", site.meter.uri, site.meter.timeout_s)}
    for index, der in enumerate(site.der):
        # What sets its reactive power asks on its own, so that two requests of one DER may stand in the queue.
        asking = 2 if "volt_var" in der.gateway_functions else 1
        devices[f"der[{index}]"] = (der.name, der.uri, asking * der.timeout_s)
    for index, output in enumerate(site.trip_output):
        if isinstance(output, ModbusCoil):
            devices[f"trip_output[{index}]"] = (output.name, output.uri, output.timeout_s)
        if isinstance(output, PermitService):
            uri = next(der.uri for der in site.der if der.name == output.der)
            devices[f"trip_output[{index}]"] = (output.name, uri, output.timeout_s)
    if path not in devices:
        return {}
    mine = wire(devices[path][1])
    return {
        name: timeout_s for at, (name, uri, timeout_s) in devices.items() if at != path and wire(uri) == mine
    }
