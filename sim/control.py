"""What can be done to a served site while it runs: faults, load changes, holding the script (JSON lines)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Name, Strict
from sim.devices.server import DeviceServer
from sim.files.script import ScriptEvent
from sim.live import LivePlant


class Order(Strict):
    """One line of the control channel: exactly one of its orders, `role` only with a loss."""

    fault: Literal["meter-loss", "inverter-loss", "write-ignored", "clear"] | None = None
    role: Name | None = None
    load_step_w: float | None = None
    load_w: float | None = None
    script: Literal["hold", "run"] | None = None

    @model_validator(mode="after")
    def _one_order(self) -> Self:
        orders = (self.fault, self.load_step_w, self.load_w, self.script)
        if sum(order is not None for order in orders) != 1:
            raise PydanticCustomError("order", "give exactly one of fault, load_step_w, load_w, script")
        return self


class Control:
    """Carries out orders on a live plant and the servers in front of it."""

    def __init__(self, live: LivePlant, servers: Mapping[str, DeviceServer]) -> None:
        self._live = live
        self._servers = servers

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
            self._fault(order.fault, order.role)
            event = f"fault {order.fault}"
            plant.note(event)
            return event
        now = ScriptEvent(at_s=0.0, load_step_w=order.load_step_w, load_w=order.load_w)
        return plant.apply(now)

    def _fault(self, fault: str, role: str | None) -> None:
        plant = self._live.plant
        if fault == "meter-loss":
            self._servers["meter"].silent = True
        elif fault == "inverter-loss":
            self._servers[role or plant.sim.inverter[0].role].silent = True
        elif fault == "write-ignored":
            plant.fleet.deaf[:] = True
        else:
            plant.fleet.deaf[:] = False
            for server in self._servers.values():
                server.silent = False
