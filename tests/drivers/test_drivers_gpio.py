"""The adapter to libgpiod on a chip of the kernel's own simulator; without a chip, what it says of its absence."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Iterator

import pytest
from gpio_sim import SimChip, sim_chip, why_not

from drivers.bus import Buses
from drivers.errors import DriverError, Unreachable
from drivers.factory import make_trip_output
from edge.model.site import GpioPulse

gpio = pytest.importorskip("drivers.gpio", reason="the package gpiod is not installed here")
on_a_chip = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


@pytest.fixture
def chip() -> Iterator[SimChip]:
    with sim_chip() as made:
        yield made


def declared(chip: str, **keys: object) -> GpioPulse:
    return GpioPulse.model_validate(
        {"name": "relay", "kind": "gpio-pulse", "chip": chip, "line": 0, "watchdog_s": 0.5, "pulse_s": 0.05}
        | keys
    )


class TestWithoutAChip:
    async def test_a_chip_that_is_not_there_is_unreachable_by_its_name(self) -> None:
        output = make_trip_output(Buses(), declared("/dev/no-such-chip", feedback=1), ())
        for ask in (output.open(), output.hold(), output.read()):
            with pytest.raises(Unreachable, match=r"of /dev/no-such-chip: .*No such file"):
                await ask

    async def test_a_file_that_is_no_chip_is_unreachable(self) -> None:
        with pytest.raises(Unreachable, match="of /dev/null"):
            await make_trip_output(Buses(), declared("/dev/null"), ()).open()

    def test_without_the_package_the_output_is_refused_with_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "drivers.gpio", None)
        with pytest.raises(DriverError, match=r"relay needs the package gpiod: install dergate\[gpio\]"):
            make_trip_output(Buses(), declared("/dev/gpiochip0"), ())


@on_a_chip
class TestOnAChip:
    @pytest.mark.parametrize(("line", "active_low"), [(0, False), ("TRIP", False), (0, True), ("TRIP", True)])
    async def test_a_hold_is_one_pulse_and_the_line_rests_inactive(
        self, chip: SimChip, line: int | str, active_low: bool
    ) -> None:
        output = make_trip_output(Buses(), declared(chip.path, line=line, active_low=active_low), ())
        await output.open()
        assert chip.level(0) is active_low, "asked for, it rests"
        seen = gpio.GpioLine(chip.path, 0, output=True)
        with pytest.raises(Unreachable, match="busy"):
            seen.get()
        for _ in range(3):
            assert await levels_during(chip, output.hold()) == [active_low, not active_low, active_low]
        output._line.close()  # type: ignore[attr-defined]  # the pulse's own line, so that the chip can go

    async def test_feedback_is_what_the_input_is_at(self, chip: SimChip) -> None:
        for inverted in (False, True):
            line = gpio.GpioLine(chip.path, "AUX", output=False, active_low=inverted)
            for up in (True, False):
                chip.pull(1, up=up)
                assert line.get() is (up is not inverted)
            with pytest.raises(Unreachable):
                line.set(active=True)
            line.close()

    async def test_a_line_that_is_not_there_is_unreachable(self, chip: SimChip) -> None:
        for line in (4, "NONE"):
            with pytest.raises(Unreachable, match=f"line {line} of"):
                gpio.GpioLine(chip.path, line, output=True).set(active=False)

    @pytest.mark.parametrize("last", [signal.SIGKILL, signal.SIGTERM])
    def test_the_kernel_takes_the_line_back_from_a_process_that_died(
        self, chip: SimChip, last: signal.Signals
    ) -> None:
        script = (
            "import time; from drivers.gpio import GpioLine;"
            f"line = GpioLine({chip.path!r}, 0, output=True); line.set(active=True); print('up', flush=True);"
            "time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            assert chip.level(0)
            os.kill(process.pid, last)
            process.wait(10)
        mine = gpio.GpioLine(chip.path, 0, output=True)
        mine.set(active=False)
        assert not chip.level(0), "and the next one has it, at rest"
        mine.close()


async def levels_during(chip: SimChip, pulse: Coroutine[None, None, None]) -> list[bool]:
    """What the line is at while a pulse goes on, each change once."""
    task = asyncio.ensure_future(pulse)
    levels = [chip.level(0)]
    while not task.done():
        level = chip.level(0)
        if level is not levels[-1]:
            levels.append(level)
        await asyncio.sleep(0.001)
    return levels if levels[-1] is chip.level(0) else [*levels, chip.level(0)]
