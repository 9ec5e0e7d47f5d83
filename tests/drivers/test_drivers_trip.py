"""What every trip output must do, on a module with a coil, a feedback input and a watchdog register."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.simulator import DataType, SimData, SimDevice
from served_map import serve

from drivers.bus import Bus
from drivers.errors import DriverError, TooLate
from drivers.protocol import TripOutput
from drivers.trip_coil import TripCoil


class Module:
    """A relay module whose feedback follows its coil; it counts what feeds its watchdog."""

    def __init__(self, watchdog_ms: int = 500, *, stuck: bool | None = None) -> None:
        self.watchdog_ms = watchdog_ms
        self.stuck = stuck
        self.closed = False
        self.fed = 0

    async def action(
        self,
        code: int,
        _start: int,
        _address: int,
        _count: int,
        current: list[int],
        new: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if code == 5 and new is not None:
            self.closed = bool(new[0])
            self.fed += 1
        if code == 2:
            current[0] = int(self.closed if self.stuck is None else self.stuck)
        return None

    def device(self) -> SimDevice:
        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        words = [SimData(0, values=[self.watchdog_ms], datatype=DataType.REGISTERS)]
        return SimDevice(1, (bits, bits, words, words), action=self.action)


@asynccontextmanager
async def over(
    module: Module, feedback: int | None = 0, register: int | None = 0
) -> AsyncIterator[TripOutput]:
    async with serve(module.device()) as uri:
        bus = Bus(uri, timeout_s=2)
        yield TripCoil(bus, 1, 0, feedback=feedback, watchdog_register=register, dead_man_s=0.55)
        bus.close()


async def test_hold_closes_and_open_opens() -> None:
    module = Module()
    async with over(module) as output:
        assert await output.read() is False
        await output.hold()
        assert await output.read() is True
        await output.open()
        assert await output.read() is False


async def test_every_hold_feeds_the_watchdog_and_reading_does_not() -> None:
    module = Module()
    async with over(module) as output:
        for _ in range(3):
            await output.hold()
        await output.read()
        await output.read_watchdog_s()
    assert module.fed == 3


async def test_a_hold_whose_time_is_past_feeds_nothing() -> None:
    module = Module()
    async with over(module) as output:
        await output.hold(not_after_s=time.monotonic() + 1.0)
        with pytest.raises(TooLate):
            await output.hold(not_after_s=time.monotonic() - 0.001)
    assert module.fed == 1


async def test_feedback_tells_a_welded_contact() -> None:
    async with over(Module(stuck=True)) as output:
        await output.open()
        assert await output.read() is True


async def test_without_feedback_the_contact_is_unknown() -> None:
    async with over(Module(), feedback=None) as output:
        await output.hold()
        assert await output.read() is None


@pytest.mark.parametrize(
    ("watchdog_ms", "register", "expected"),
    [(500, 0, 0.5), (1250, 0, 1.25), (0, 0, None), (500, 7, None), (500, None, None)],
)
async def test_the_watchdog_is_read_back(
    watchdog_ms: int, register: int | None, expected: float | None
) -> None:
    async with over(Module(watchdog_ms), register=register) as output:
        assert await output.read_watchdog_s() == expected
        assert output.dead_man_s == 0.55


async def test_a_lost_module_is_an_error() -> None:
    async with over(Module()) as output:
        await output.hold()
    with pytest.raises(DriverError):
        await output.hold()
