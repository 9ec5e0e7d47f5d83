"""What happens in the demo, and when: settle, a load drop, or a fault in the middle."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cli.demo.observer import Observer
from cli.demo.stage import Stage
from cli.demo.verdict import REVERSION_BOUND_S, FaultRecord
from sim.truthlog import Follower

LOAD_STEP_W = 36_000.0
SETTLE_S = 30.0
CLOSE_TO_TARGET_W = 1_500.0
SAFE_W = 5_000.0 + 100.0

FAULTS = ("meter-loss", "inverter-loss", "agent-kill", "agent-stop", "broker-kill", "write-ignored")


@dataclass
class Story:
    """Plays on a stage and says what it is doing; all times are monotonic s."""

    stage: Stage
    observer: Observer
    duration_s: float
    fault_name: str | None
    zero_s: float
    limit_w: float
    nameplate_w: float
    settled: bool = False
    now_doing: str = "starting: the meter, the inverters and the trip contact are being read"
    load_drop_s: float | None = None
    fault: FaultRecord | None = None

    async def play(self) -> None:
        """From the agent's start to the end of the demo."""
        await self._settle()
        await self._until(0.5)
        if self.fault_name is None:
            await self._load_drop()
        else:
            self.fault = FaultRecord(self.fault_name, time.monotonic())
            await self._faults()[self.fault_name](self.fault)
        await self._until(1.0)

    def _faults(self) -> dict[str, Callable[[FaultRecord], Awaitable[None]]]:
        return {
            "meter-loss": self._meter_loss,
            "inverter-loss": self._inverter_loss,
            "agent-kill": self._agent_kill,
            "agent-stop": self._agent_stop,
            "broker-kill": self._broker_kill,
            "write-ignored": self._write_ignored,
        }

    async def _settle(self) -> None:
        """Wait until the limiter holds the export at its target."""
        deadline_s = time.monotonic() + SETTLE_S
        held_s: float | None = None
        while time.monotonic() < deadline_s:
            self.stage.expect_site()
            status = self.observer.status
            export_w = status.image.pcc.export_w.value if status else None
            if status and status.mode == "entering-service":
                self.now_doing = "entering service: the trip contact is closed, output comes up by ramp"
            near = (
                status is not None
                and status.mode == "regulating"
                and export_w is not None
                and abs(export_w - status.target_w) < CLOSE_TO_TARGET_W
            )
            held_s = (held_s or time.monotonic()) if near else None
            if held_s is not None and time.monotonic() - held_s > 1.0:
                break
            await asyncio.sleep(0.05)
        self.settled = True
        self.now_doing = "holding: export stays just under the limit, sun to spare is curtailed"

    async def _until(self, part: float) -> None:
        """Wait until that part of the duration is over."""
        at_s = self.zero_s + part * self.duration_s
        while (left_s := at_s - time.monotonic()) > 0:
            self.stage.expect_site()
            await asyncio.sleep(min(left_s, 0.5))

    def _drop(self) -> None:
        self.now_doing = f"the host load drops by {LOAD_STEP_W / 1000:g} kW: watch the export"
        self.load_drop_s = self.stage.order(load_step_w=-LOAD_STEP_W)

    def _restore(self) -> None:
        self.now_doing = "the host load is back: output follows by ramp"
        self.stage.order(load_step_w=LOAD_STEP_W)

    async def _load_drop(self) -> None:
        self._drop()
        await self._until(0.8)
        self._restore()

    async def _meter_loss(self, fault: FaultRecord) -> None:
        self.now_doing = "fault: the PCC meter stops answering"
        fault.at_s = self.stage.order(fault="meter-loss")
        await self._until(0.75)
        self.now_doing = "the PCC meter answers again"
        fault.cleared_at_s = self.stage.order(fault="clear")

    async def _inverter_loss(self, fault: FaultRecord) -> None:
        self.now_doing = "fault: inverter one stops answering; it counts at the most it may be making"
        fault.at_s = self.stage.order(fault="inverter-loss")
        await asyncio.sleep(4.0)
        self._drop()
        await self._until(0.8)
        fault.cleared_at_s = self.stage.order(fault="clear")
        self._restore()

    async def _agent_kill(self, fault: FaultRecord) -> None:
        self.now_doing = "fault: the agent is killed; the trip contact and inverter one are on their own"
        fault.at_s = self.stage.signal_agent(signal.SIGKILL)
        await self._devices_safe(fault)
        self.now_doing = "the agent is started again and enters service anew"
        fault.cleared_at_s = time.monotonic()
        self.stage.start_agent()

    async def _agent_stop(self, fault: FaultRecord) -> None:
        self.now_doing = (
            "fault: the agent is stopped (hung); the trip contact and inverter one are on their own"
        )
        fault.at_s = self.stage.signal_agent(signal.SIGSTOP)
        await self._devices_safe(fault)
        self.now_doing = "the agent wakes up and must not close before enter service"
        fault.cleared_at_s = self.stage.signal_agent(signal.SIGCONT)

    async def _devices_safe(self, fault: FaultRecord) -> None:
        """Until the contact is open and inverter one is at its safe cap, or the bound has passed."""
        truth = Follower(self.stage.truth_file)
        while time.monotonic() - fault.at_s < REVERSION_BOUND_S:
            if any(
                not row.coil_closed and row.inverter_w[0] <= SAFE_W
                for row in truth.rows()
                if row.t_s > fault.at_s
            ):
                return
            await asyncio.sleep(0.2)

    async def _broker_kill(self, fault: FaultRecord) -> None:
        self.now_doing = "fault: the broker is killed; control does not need it, records wait in the spool"
        fault.at_s = time.monotonic()
        await asyncio.to_thread(self.stage.broker.kill)
        await asyncio.sleep(1.0)
        self._drop()
        await self._until(0.7)
        self.now_doing = "the broker is back: what waited is sent"
        await asyncio.to_thread(self.stage.broker.start)
        fault.cleared_at_s = time.monotonic()
        await self._until(0.8)
        self._restore()

    async def _write_ignored(self, fault: FaultRecord) -> None:
        self.now_doing = "fault: both inverters acknowledge limits and ignore them"
        fault.at_s = self.stage.order(fault="write-ignored")
        await asyncio.sleep(1.0)
        self._drop()
        await self._until(0.75)
        fault.cleared_at_s = self.stage.order(fault="clear")
        await self._until(0.8)
        self._restore()
