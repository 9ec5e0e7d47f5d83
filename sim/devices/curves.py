"""Models 705 (volt-var) and 706 (volt-watt): stored curves, and the adoption that makes one active.

Set 1 is read-only and shows the active curve. A write of k to AdptCrvReq asks for set k; the result is
IN_PROGRESS for a moment, then COMPLETED, or FAILED when set k is not consistent. Single points may therefore
be written in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from sim.curve import CurveBank
from sim.devices.common import Inverter, flag
from sim.devices.sunspec import Changes, Live, Model, RefusedWriteError

ADOPTION_S = 0.3
"""How long an adoption takes, in s of the plant."""

SETS = 3


class Result(IntEnum):
    """AdptCrvRslt."""

    IN_PROGRESS = 0
    COMPLETED = 1
    FAILED = 2


@dataclass(frozen=True)
class CurveKind:
    """What differs between 705 and 706: names, first curve (percent), and what a percent of y is of."""

    model_id: int
    y_name: str
    points: Sequence[tuple[float, float]]
    settings: dict[str, float]
    bank: CurveBank
    base_of_y: Callable[[int], float | None]
    y_range: tuple[float, float]


class CurveModel:
    """The firmware behind 705 or 706 of one inverter."""

    def __init__(self, inverter: Inverter, kind: CurveKind) -> None:
        self._inverter = inverter
        self._kind = kind
        self._stored: dict[str, float] = {}
        self._request = 0
        self._result = Result.COMPLETED
        self._due_s: float | None = None
        for number in range(1, SETS + 1):
            self._store_first(number)
        self._activate(1)
        inverter.plant.firmware.append(self.run)

    def model(self) -> Model:
        """The model as it is served."""
        live: dict[str, Live] = {path: self._reader(path) for path in self._stored}
        live["Ena"] = lambda: bool(self._kind.bank.enabled[self._inverter.unit])
        live["AdptCrvReq"] = lambda: self._request
        live["AdptCrvRslt"] = lambda: self._result
        scales = {"V_SF": -2, "DeptRef_SF": -2, "RspTms_SF": -1}
        counts = {"NPt": len(self._kind.points), "NCrv": SETS}
        locked = [path for path in self._stored if path.startswith("Crv.1.")]
        return Model(self._kind.model_id, scales, live, self._write, counts, locked)

    def run(self) -> None:
        """Finish an adoption whose time has come; runs in every step of the plant."""
        if self._due_s is None or self._inverter.plant.t_s < self._due_s:
            return
        self._due_s = None
        self._result = Result.COMPLETED if self._activate(self._request) else Result.FAILED

    def _store_first(self, number: int) -> None:
        kind = self._kind
        prefix = f"Crv.{number}."
        given = {"ActPt": float(len(kind.points)), "ReadOnly": float(number == 1), **kind.settings}
        self._stored |= {prefix + name: value for name, value in given.items()}
        for index, (volts, y) in enumerate(kind.points, start=1):
            self._stored |= {f"{prefix}Pt.{index}.V": volts, f"{prefix}Pt.{index}.{kind.y_name}": y}

    def _reader(self, path: str) -> Live:
        return lambda: self._stored[path]

    def _write(self, changes: Changes) -> None:
        enable = flag(changes, "Ena")
        if "AdptCrvReq" in changes and self._due_s is not None:
            raise RefusedWriteError
        self._stored |= {path: value for path, value in changes.items() if path in self._stored}
        if enable is not None:
            self._kind.bank.enabled[self._inverter.unit] = enable
        if "AdptCrvReq" in changes:
            self._request = int(changes["AdptCrvReq"])
            self._result = Result.IN_PROGRESS
            self._due_s = self._inverter.plant.t_s + ADOPTION_S

    def _activate(self, number: int) -> bool:
        """Put set `number` to work and show it in set 1; False when it cannot be."""
        curve = self._curve(number)
        if curve is None:
            return False
        prefix, shown = f"Crv.{number}.", "Crv.1."
        for path, value in list(self._stored.items()):
            if path.startswith(prefix) and not path.endswith("ReadOnly"):
                self._stored[shown + path.removeprefix(prefix)] = value
        self._kind.bank.set(self._inverter.unit, curve, self._stored[prefix + "RspTms"])
        if prefix + "Pri" in self._stored:
            self._inverter.plant.fleet.var_priority[self._inverter.unit] = self._stored[prefix + "Pri"] == 1
        return True

    def _curve(self, number: int) -> list[tuple[float, float]] | None:
        """Set `number` in per unit, or None when it is not consistent or asks for what is not there."""
        if not 1 <= number <= SETS:
            return None
        prefix = f"Crv.{number}."
        count = int(self._stored[prefix + "ActPt"])
        base = self._kind.base_of_y(int(self._stored[prefix + "DeptRef"]))
        asks_auto = self._stored.get(prefix + "VRefAutoEna", 0.0) != 0
        asks_vendor = self._stored.get(prefix + "Pri", 1.0) > 1
        if base is None or asks_auto or asks_vendor or not 2 <= count <= len(self._kind.points):
            return None
        shift = self._stored.get(prefix + "VRef", 100.0) - 100.0
        points = [self._point(f"{prefix}Pt.{index}.") for index in range(1, count + 1)]
        low, high = self._kind.y_range
        ascending = all(left[0] < right[0] for left, right in pairwise(points))
        if not ascending or not all(low <= y <= high for _, y in points):
            return None
        return [((volts + shift) / 100.0, y / 100.0 * base) for volts, y in points]

    def _point(self, prefix: str) -> tuple[float, float]:
        return self._stored[prefix + "V"], self._stored[prefix + self._kind.y_name]


def volt_var(inverter: Inverter) -> Model:
    """705, with the default curve of category B (IEEE 1547-2018 table 8); VRef shifts it, not automatic."""
    fleet, unit = inverter.plant.fleet, inverter.unit

    def base_of_y(reference: int) -> float | None:
        bases = {0: fleet.limit.wmax_pu, 1: fleet.var_max_pu, 3: fleet.va_pu}
        return float(bases[reference][unit]) if reference in bases else None

    settings = {"DeptRef": 3.0, "Pri": 1.0, "VRef": 100.0, "VRefAutoEna": 0.0, "VRefAutoTms": 300.0}
    kind = CurveKind(
        model_id=705,
        y_name="Var",
        points=((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)),
        settings={**settings, "RspTms": 5.0},
        bank=fleet.volt_var,
        base_of_y=base_of_y,
        y_range=(-100.0, 100.0),
    )
    return CurveModel(inverter, kind).model()


def volt_watt(inverter: Inverter) -> Model:
    """706, with the default curve of IEEE 1547-2018 table 10."""
    fleet, unit = inverter.plant.fleet, inverter.unit

    def base_of_y(reference: int) -> float | None:
        return float(fleet.limit.wmax_pu[unit]) if reference == 0 else None

    kind = CurveKind(
        model_id=706,
        y_name="W",
        points=((106.0, 100.0), (110.0, 20.0)),
        settings={"DeptRef": 0.0, "RspTms": 10.0},
        bank=fleet.volt_watt,
        base_of_y=base_of_y,
        y_range=(0.0, 100.0),
    )
    return CurveModel(inverter, kind).model()
