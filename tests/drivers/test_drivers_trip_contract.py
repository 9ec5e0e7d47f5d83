"""What every trip output must do, whatever it acts on: a coil and a permit over real sockets, pulses on a relay model.

Each bench brings one output and what stands behind it; the rules are the same for all. What has no dead-man must say
so, and then nothing happens by itself.
"""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from gpio_bench import FeedbackLine, Relay, TriggerLine
from pymodbus.constants import ExcCodes
from pymodbus.simulator import DataType, SimData, SimDevice
from served_map import chain, common, model, runs, serve

from drivers.bus import Bus
from drivers.errors import BadData, DriverError, TooLate
from drivers.protocol import TripOutput
from drivers.trip_coil import TripCoil
from drivers.trip_permit import TripPermit
from drivers.trip_pulse import TripPulse

DEAD_MAN_S = 0.5
PULSE_S = 0.01


class Plant(ABC):
    """What stands behind an output; time is real."""

    output: TripOutput

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether the DER is held to the grid, in truth."""

    @property
    @abstractmethod
    def fed(self) -> int:
        """How often it was told to stay closed."""

    @abstractmethod
    def lose(self) -> None:
        """The device is gone."""


class CoilPlant(Plant):
    """A relay module whose coil opens by itself when it is no longer written."""

    def __init__(self) -> None:
        self.coil, self.writes, self.written_s, self.lost = False, 0, 0.0, False

    @property
    def closed(self) -> bool:
        return self.coil and time.monotonic() - self.written_s < DEAD_MAN_S

    @property
    def fed(self) -> int:
        return self.writes

    def lose(self) -> None:
        self.lost = True

    async def action(
        self,
        code: int,
        _start: int,
        _at: int,
        _count: int,
        current: list[int],
        new: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if self.lost:
            return ExcCodes.DEVICE_FAILURE
        if code == 5 and new is not None:
            self.coil, self.written_s = bool(new[0]), time.monotonic()
            self.writes += self.coil
        if code == 2:
            current[0] = int(self.closed)
        return None

    def device(self) -> SimDevice:
        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        words = [SimData(0, values=[round(1000 * DEAD_MAN_S)], datatype=DataType.REGISTERS)]
        return SimDevice(1, (bits, bits, words, words), action=self.action)


class PulsePlant(Plant):
    """A retriggerable watchdog relay behind a GPIO line."""

    def __init__(self) -> None:
        self.relay = Relay(DEAD_MAN_S)
        self.line = TriggerLine(self.relay)

    @property
    def closed(self) -> bool:
        return self.relay.closed

    @property
    def fed(self) -> int:
        return len(self.relay.edges)

    def lose(self) -> None:
        self.line.gone = True


class PermitPlant(Plant):
    """An inverter that ceases when it loses its permit, and makes all its power when it has it."""

    REGISTERS = chain(
        common(),
        model(701, {"W": 0, "W_SF": 0}),
        model(703, {"ES": 0, "ESVHi": 10500, "ESVLo": 9170, "V_SF": -2, "Hz_SF": -2}),
    )
    W_AT = 40_000 + 2 + 68 + 10
    ES_AT = 40_000 + 2 + 68 + 155 + 2

    def __init__(self, *, obeys: bool = True, takes: bool = True) -> None:
        self.permit, self.reads, self.lost, self.obeys, self.takes = 0, 0, False, obeys, takes
        self.writes: list[int] = []

    @property
    def closed(self) -> bool:
        return bool(self.permit)

    @property
    def fed(self) -> int:
        return self.writes.count(1)

    def lose(self) -> None:
        self.lost = True

    async def action(
        self,
        code: int,
        start: int,
        at: int,
        count: int,
        current: list[int],
        new: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if self.lost:
            return ExcCodes.DEVICE_FAILURE
        if code == 16 and new is not None:
            assert (at, count) == (self.ES_AT, 1), "nothing but the permit is written"
            self.writes.append(int(new[0]))
            if self.takes:
                self.permit = int(new[0])
        if code == 3:
            self.reads += 1
            current[self.ES_AT - start] = self.permit
            current[self.W_AT - start] = 9_000 if self.permit or not self.obeys else 40
        return None

    def device(self) -> SimDevice:
        return SimDevice(1, runs(self.REGISTERS), action=self.action)


@asynccontextmanager
async def a_coil() -> AsyncIterator[Plant]:
    plant = CoilPlant()
    async with serve(plant.device()) as uri:
        bus = Bus(uri, timeout_s=2)
        plant.output = TripCoil(bus, 1, 0, feedback=0, watchdog_register=0, dead_man_s=DEAD_MAN_S)
        yield plant
        bus.close()


@asynccontextmanager
async def a_pulse() -> AsyncIterator[Plant]:
    plant = PulsePlant()
    plant.output = TripPulse(plant.line, FeedbackLine(plant.relay), pulse_s=PULSE_S, dead_man_s=DEAD_MAN_S)
    yield plant


@asynccontextmanager
async def a_permit(plant: PermitPlant | None = None) -> AsyncIterator[PermitPlant]:
    plant = plant or PermitPlant()
    async with serve(plant.device()) as uri:
        bus = Bus(uri, timeout_s=2)
        plant.output = TripPermit(bus, 1, nameplate_w=10_000.0)
        yield plant
        bus.close()


Bench = Callable[[], AbstractAsyncContextManager[Plant]]
ALL = pytest.mark.parametrize("bench", [a_coil, a_pulse, a_permit], ids=["coil", "pulse", "permit"])


async def until(condition: Callable[[], bool]) -> None:
    """Within the dead-man time and some."""
    deadline_s = time.monotonic() + DEAD_MAN_S + 5.0
    while not condition():
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.005)


@ALL
async def test_held_it_closes_and_shows_it_opened_it_opens_and_shows_that(bench: Bench) -> None:
    async with bench() as plant:
        await plant.output.open()
        assert (plant.closed, await plant.output.read()) == (False, False)
        await plant.output.hold()
        assert (plant.closed, await plant.output.read()) == (True, True)
        await plant.output.open()
        await until(lambda: not plant.closed)
        assert await plant.output.read() is False


@ALL
async def test_opening_and_reading_never_feed(bench: Bench) -> None:
    async with bench() as plant:
        for _ in range(3):
            await plant.output.open()
            await plant.output.read()
            await plant.output.read_watchdog_s()
        assert (plant.fed, plant.closed) == (0, False)
        await plant.output.hold()
        assert plant.fed == 1
        for _ in range(3):
            await plant.output.read()
            await plant.output.open()
        assert plant.fed == 1


@ALL
async def test_a_hold_whose_time_is_past_feeds_nothing(bench: Bench) -> None:
    async with bench() as plant:
        with pytest.raises(TooLate):
            await plant.output.hold(not_after_s=time.monotonic() - 0.001)
        assert (plant.fed, plant.closed) == (0, False)
        await plant.output.hold(not_after_s=time.monotonic() + 2.0)
        assert plant.fed == 1


@ALL
async def test_silence_opens_what_says_it_has_a_dead_man_and_nothing_else(bench: Bench) -> None:
    async with bench() as plant:
        await plant.output.hold()
        if plant.output.dead_man_s is None:
            await asyncio.sleep(DEAD_MAN_S)
            assert plant.closed
        else:
            held_s = time.monotonic()
            await until(lambda: not plant.closed)
            assert time.monotonic() - held_s <= plant.output.dead_man_s + 5.0
            assert await plant.output.read() is False


@ALL
async def test_held_again_and_again_it_stays_closed(bench: Bench) -> None:
    async with bench() as plant:
        await plant.output.hold()
        until_s = time.monotonic() + 2 * DEAD_MAN_S
        while time.monotonic() < until_s:
            await plant.output.hold()
            assert plant.closed


@ALL
async def test_a_lost_device_is_an_error_of_the_driver(bench: Bench) -> None:
    async with bench() as plant:
        await plant.output.open()
        plant.lose()
        with pytest.raises(DriverError):
            await plant.output.hold()
        with pytest.raises(DriverError):
            await plant.output.open()


class TestPulse:
    """One edge for each hold, by itself at rest again."""

    def output(self, pulse_s: float = PULSE_S) -> tuple[Relay, TriggerLine, TripPulse]:
        relay = Relay(DEAD_MAN_S)
        line = TriggerLine(relay)
        return relay, line, TripPulse(line, None, pulse_s=pulse_s, dead_man_s=DEAD_MAN_S)

    async def test_every_hold_is_one_edge_and_ends_at_rest(self) -> None:
        relay, line, output = self.output()
        for count in range(1, 6):
            await output.hold()
            assert (len(relay.edges), line.told[-1]) == (count, False)
        assert line.told == [True, False] * 5

    async def test_pulses_and_pauses_are_as_long_as_they_were_declared(self) -> None:
        relay, _, output = self.output(pulse_s=0.05)
        for _ in range(3):
            await output.hold()
        gaps_s = [later - sooner for sooner, later in zip(relay.edges, relay.edges[1:], strict=False)]
        assert all(gap_s >= 0.1 - 0.001 for gap_s in gaps_s), gaps_s

    async def test_a_hold_that_had_to_wait_too_long_for_its_pause_is_too_late(self) -> None:
        relay, _, output = self.output(pulse_s=0.1)
        await output.hold()
        with pytest.raises(TooLate):
            await output.hold(not_after_s=time.monotonic() + 0.02)
        assert len(relay.edges) == 1

    async def test_one_that_is_cut_short_leaves_the_line_at_rest(self) -> None:
        relay, line, output = self.output(pulse_s=5.0)
        task = asyncio.ensure_future(output.hold())
        await until(lambda: bool(relay.edges))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert line.told == [True, False]

    async def test_without_feedback_the_contact_is_unknown_and_its_time_is_never_read(self) -> None:
        _, _, output = self.output()
        assert (await output.read(), await output.read_watchdog_s()) == (None, None)

    async def test_a_welded_contact_is_seen_by_its_feedback(self) -> None:
        relay = Relay(DEAD_MAN_S, welded=True)
        output = TripPulse(TriggerLine(relay), FeedbackLine(relay), pulse_s=PULSE_S, dead_man_s=DEAD_MAN_S)
        await output.open()
        assert await output.read() is True


class TestPermit:
    """Written only where it is not so already, read back always, and shown by what the DER does."""

    async def test_it_is_written_once_and_then_only_looked_at(self) -> None:
        async with a_permit() as plant:
            for _ in range(3):
                await plant.output.hold()
            assert plant.writes == [1]
            for _ in range(3):
                await plant.output.open()
            assert plant.writes == [1, 0]

    async def test_the_first_word_is_written_whatever_it_holds(self) -> None:
        async with a_permit() as plant:
            await plant.output.open()
            assert plant.writes == [0]

    async def test_opening_does_not_read_before_it_writes(self) -> None:
        async with a_permit() as plant:
            await plant.output.hold()
            before = plant.reads
            await plant.output.open()
            assert plant.reads == before + 1, "the read-back alone"

    async def test_one_that_somebody_else_gave_is_taken_away_again(self) -> None:
        async with a_permit() as plant:
            await plant.output.open()
            plant.permit = 1
            await plant.output.open()
            assert plant.permit == 0

    async def test_one_that_somebody_else_took_away_is_seen_and_given_again(self) -> None:
        async with a_permit() as plant:
            await plant.output.hold()
            plant.permit = 0
            assert await plant.output.read() is False
            await plant.output.hold()
            assert plant.writes == [1, 1]

    async def test_a_der_that_goes_on_without_its_permit_shows_closed(self) -> None:
        async with a_permit(PermitPlant(obeys=False)) as plant:
            await plant.output.hold()
            await plant.output.open()
            assert (plant.permit, await plant.output.read()) == (0, True)

    async def test_one_that_acknowledges_and_does_not_take_it_is_an_error(self) -> None:
        async with a_permit(PermitPlant(takes=False)) as plant:
            with pytest.raises(BadData, match="took 703 ES = 1 and reads back 0"):
                await plant.output.hold()
            with pytest.raises(BadData, match="took 703 ES = 1"):
                await plant.output.hold()
            assert plant.writes == [1, 1], "what is not so is written again"

    async def test_an_inverter_without_703_is_an_error_that_says_so(self) -> None:
        bare = chain(common(), model(701, {"W": 0, "W_SF": 0}))
        async with serve(SimDevice(1, runs(bare))) as uri:
            bus = Bus(uri, timeout_s=2)
            with pytest.raises(BadData, match="no SunSpec model 703"):
                await TripPermit(bus, 1, nameplate_w=10_000.0).open()
            bus.close()

    async def test_a_permit_that_is_not_implemented_is_an_error(self) -> None:
        async with a_permit() as plant:
            plant.permit, plant.takes = 0xFFFF, False
            with pytest.raises(BadData, match="shows no permit service"):
                await plant.output.read()
