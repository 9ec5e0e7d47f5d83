"""What several devices share: the common model, and how written values are judged."""

from __future__ import annotations

from sim.devices.sunspec import Changes, Model, RefusedWriteError, Value


def common(model_name: str, serial: str) -> Model:
    """Model 1, with its pad: 66 registers."""
    values: dict[str, Value] = {
        "Mn": "Dergate",
        "Md": model_name,
        "Opt": "simulated",
        "Vr": "0.1.0",
        "SN": serial,
        "DA": 1,
    }
    return Model(1, {**values, "Pad": 0})


def flag(changes: Changes, path: str) -> bool | None:
    """A written 0 or 1; None when the point was not written."""
    if path not in changes:
        return None
    if changes[path] not in (0, 1):
        raise RefusedWriteError
    return bool(changes[path])


def fraction(changes: Changes, path: str, low: float = 0.0) -> float | None:
    """A written percentage from `low` to 100 as a fraction; None when the point was not written."""
    if path not in changes:
        return None
    if not low <= changes[path] <= 100:
        raise RefusedWriteError
    return changes[path] / 100.0
