"""Tables of a sim file for tests, and the file that they make."""

from __future__ import annotations

import json
from typing import Any

from sim.simfile import SimFile


def inverter(number: int, **changes: Any) -> dict[str, Any]:
    unit = {"role": f"pv-{number}", "models": "der", "port": 2000 + number, "nameplate_w": 20_000.0}
    return unit | changes


def battery(number: int, **changes: Any) -> dict[str, Any]:
    storage = {"capacity_wh": 10_000.0, "soc_pu": 0.5, "efficiency": 1.0}
    plain = {"role": f"battery-{number}", "port": 3000 + number, "kind": "storage", "storage": storage}
    return inverter(number, **plain | changes)


def site_of(*units: dict[str, Any], **tables: Any) -> SimFile:
    """A quiet site of 480 V without impedance and load, but for what is given."""
    plain = {
        "name": "site",
        "grid": {"nominal_v": 480.0},
        "load": {"base_w": 0.0},
        "meter": {"port": 1000, "period_s": 0.2},
        "inverter": list(units) or [inverter(1)],
        "diagnostic": {"port": 1001},
    }
    return SimFile.model_validate_json(json.dumps(plain | tables))
