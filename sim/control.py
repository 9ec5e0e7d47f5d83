"""What can be done to a served site while it runs: faults, load changes, holding the script (JSON lines)."""

from __future__ import annotations

import json
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Name, Strict
from sim.files.fault import OF_THE_GATEWAY, Fault, FaultKind
from sim.files.script import ScriptEvent
from sim.live import LivePlant
from sim.wire.injector import Injector

_OF_A_FAULT = ("for_s", "rate", "delay_s", "code", "swap_with")


class Order(Strict):
    """One line of the control channel: exactly one of its orders; `role` and what a fault takes go with a fault.

    Beside the kinds of faults there are `meter-loss` (its silence), `inverter-loss` (the silence of `role`, or of
    the first inverter), `write-ignored` without a role (every inverter takes limits, shows them, and does not
    follow) and `clear`, which ends every fault.
    """

    fault: Literal["meter-loss", "inverter-loss", "clear"] | FaultKind | None = None
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
            ValidationError: When it does not take what it is given, or needs more.
        """
        given = {name: getattr(self, name) for name in _OF_A_FAULT if getattr(self, name) is not None}
        return Fault.model_validate({"kind": kind, "target": role, "at_s": now_s, **given})


class Control:
    """Carries out orders on a live plant and the faults of the devices before it."""

    def __init__(self, live: LivePlant, injector: Injector) -> None:
        self._live = live
        self._injector = injector

    def handle(self, line: str) -> dict[str, Any]:
        """Carry out one line: `{"event", "t_s"}` with the monotonic time of effect, or `{"error"}`."""
        try:
            order = Order.model_validate_json(line)
            self._live.advance()
            event = self._carry_out(order)
        except ValidationError as error:
            return {"error": "; ".join(str(item["msg"]) for item in error.errors(include_url=False))}
        except KeyError as error:
            return {"error": f"there is no {error.args[0]}"}
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
        now = ScriptEvent(at_s=0.0, load_step_w=order.load_step_w, load_w=order.load_w)
        return plant.apply(now)

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
            raise KeyError(f"device that could show a {fault}: it is the gateway's own")
        elif fault == "meter-loss":
            self._begin(order.as_fault(FaultKind.SILENCE, "meter", plant.t_s))
        elif fault == "inverter-loss":
            role = order.role or plant.sim.inverter[0].role
            self._begin(order.as_fault(FaultKind.SILENCE, role, plant.t_s))
        else:
            self._begin(order.as_fault(FaultKind(fault), order.role, plant.t_s))

    def _begin(self, fault: Fault) -> None:
        self._injector.add(fault)
        self._injector.step(self._live.plant.t_s)
