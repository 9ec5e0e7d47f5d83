"""What can be done to a served site while it runs: faults, load changes, holding the script (JSON lines)."""

from __future__ import annotations

import difflib
import json
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Name, Strict
from edge.model.strict_toml import FileRefusedError, validated
from sim.files.fault import OF_THE_GATEWAY, Fault, FaultKind
from sim.files.script import ScriptEvent
from sim.live import LivePlant
from sim.wire.injector import Injector

_OF_A_FAULT = ("for_s", "rate", "delay_s", "code", "swap_with")
_FAULTS = ("meter-loss", "inverter-loss", "clear", *(str(kind) for kind in FaultKind))
_NAME = "order"
_CALLED = {"target": "role"}
"""How an order calls what a fault calls otherwise."""

M = TypeVar("M", bound=Strict)


def _known(fault: str) -> str:
    if fault not in _FAULTS:
        close = difflib.get_close_matches(fault, _FAULTS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(_FAULTS)}"
        raise PydanticCustomError("fault", "no such fault; {hint}", {"hint": hint})
    return fault


FaultName = Annotated[str, AfterValidator(_known)]


class Order(Strict):
    """One line of the control channel: exactly one of its orders; `role` and what a fault takes go with a fault.

    Beside the kinds of faults there are `meter-loss` (its silence), `inverter-loss` (the silence of `role`, or of
    the first inverter), `write-ignored` without a role (every inverter takes limits, shows them, and does not
    follow) and `clear`, which ends every fault.
    """

    fault: FaultName | None = None
    role: Name | None = None
    for_s: float | None = Field(None, gt=0)
    rate: float | None = None
    delay_s: float | None = None
    code: int | None = None
    swap_with: Name | None = None
    load_step_w: float | None = None
    load_w: float | None = None
    script: Literal["hold", "run"] | None = None

    @model_validator(mode="after")
    def _one_order(self) -> Self:
        orders = (self.fault, self.load_step_w, self.load_w, self.script)
        if sum(order is not None for order in orders) != 1:
            raise PydanticCustomError("order", "give exactly one of fault, load_step_w, load_w, script")
        return self

    def as_fault(self, kind: FaultKind, role: str | None, now_s: float) -> Fault:
        """The fault that is ordered, from now on.

        Raises:
            OrderRefusedError: When it does not take what it is given, or needs more.
        """
        given = {name: getattr(self, name) for name in _OF_A_FAULT if getattr(self, name) is not None}
        return _as(Fault, {"kind": kind, "target": role, "at_s": now_s, **given})


class OrderRefusedError(Exception):
    """An order that cannot be carried out; the message says why."""


class Control:
    """Carries out orders on a live plant and the faults of the devices before it."""

    def __init__(self, live: LivePlant, injector: Injector) -> None:
        self._live = live
        self._injector = injector

    def handle(self, line: str) -> dict[str, Any]:
        """Carry out one line: `{"event", "t_s"}` with the monotonic time of effect, or `{"error"}`."""
        try:
            order = _as(Order, _parsed(line))
            self._live.advance()
            event = self._carry_out(order)
        except OrderRefusedError as error:
            return {"error": str(error)}
        return {"event": event, "t_s": self._live.next_row_s()}

    def reply(self, line: str) -> str:
        """`handle` with its answer as a line of JSON."""
        return json.dumps(self.handle(line))

    def _carry_out(self, order: Order) -> str:
        plant = self._live.plant
        if order.script:
            plant.script.held = order.script == "hold"
            return f"script {order.script}"
        if order.fault:
            self._fault(order, order.fault)
            return f"fault {order.fault}"
        effect = {name: getattr(order, name) for name in ("load_step_w", "load_w")}
        asked = {name: watts for name, watts in effect.items() if watts is not None}
        return plant.apply(_as(ScriptEvent, {"at_s": 0.0, **asked}))

    def _fault(self, order: Order, fault: str) -> None:
        plant = self._live.plant
        if fault == "clear":
            plant.fleet.deaf[:] = False
            plant.note("faults cleared")
            self._injector.clear()
        elif fault == FaultKind.WRITE_IGNORED and order.role is None:
            plant.fleet.deaf[:] = True
            plant.note("fault write-ignored")
        elif fault in OF_THE_GATEWAY:
            raise OrderRefusedError(f"fault: no device can show {fault}: it is the gateway's own")
        elif fault == "meter-loss":
            self._begin(order.as_fault(FaultKind.SILENCE, "meter", plant.t_s))
        elif fault == "inverter-loss":
            role = order.role or plant.sim.inverter[0].role
            self._begin(order.as_fault(FaultKind.SILENCE, role, plant.t_s))
        elif order.role is None:
            roles = ", ".join(plant.sim.devices())
            raise OrderRefusedError(f"role: {fault} needs the role of a device; there are {roles}")
        else:
            self._begin(order.as_fault(FaultKind(fault), order.role, plant.t_s))

    def _begin(self, fault: Fault) -> None:
        misfit = self._live.plant.sim.fault_misfit(fault)
        if misfit:
            raise OrderRefusedError(f"{_CALLED.get(misfit[0], misfit[0])}: {misfit[1]}")
        self._injector.add(fault)
        self._injector.step(self._live.plant.t_s)


def _parsed(line: str) -> dict[str, Any]:
    """One line of JSON as a table.

    Raises:
        OrderRefusedError: When it is none.
    """
    try:
        order = json.loads(line)
    except ValueError:
        order = None
    if not isinstance(order, dict):
        raise OrderRefusedError('an order is one line of JSON like {"load_w": 12000}')
    return order


def _as(model: type[M], data: dict[str, Any]) -> M:
    """`data` as a `model`.

    Raises:
        OrderRefusedError: With one sentence for each key that is wrong.
    """
    try:
        return validated(model, data, _NAME, {})
    except FileRefusedError as error:
        raise OrderRefusedError(
            "; ".join(each.removeprefix(f"{_NAME}: ") for each in error.problems)
        ) from error
