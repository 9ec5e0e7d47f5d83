"""GPIO lines by libgpiod, for one owner: the kernel lets go of them when the process ends, however it ends."""

from __future__ import annotations

import gpiod
from gpiod.line import Direction, Value

from drivers.errors import Unreachable

CONSUMER = "dergate"


class GpioLine:
    """A line of a chip, asked for at its first use and again after an error.

    An output rests inactive from the moment it is asked for. The calls are as fast as the chip: a few µs on the
    processor's own lines, which is what a trip output needs; those of an expander behind a bus are not.
    """

    def __init__(self, chip: str, line: int | str, *, output: bool, active_low: bool = False) -> None:
        self._chip = chip
        self._line = line
        self._settings = gpiod.LineSettings(
            direction=Direction.OUTPUT if output else Direction.INPUT,
            output_value=Value.INACTIVE,
            active_low=active_low,
        )
        self._request: gpiod.LineRequest | None = None

    def set(self, *, active: bool) -> None:
        """Drive it.

        Raises:
            Unreachable: no such chip or line, or another process has it.
        """
        try:
            self._requested().set_value(self._line, Value.ACTIVE if active else Value.INACTIVE)
        except (OSError, ValueError) as error:
            raise self._lost(error) from error

    def get(self) -> bool:
        """Whether it is active.

        Raises:
            Unreachable: as `set`.
        """
        try:
            return self._requested().get_value(self._line) is Value.ACTIVE
        except (OSError, ValueError) as error:
            raise self._lost(error) from error

    def close(self) -> None:
        """Let go of it."""
        if self._request is not None:
            self._request.release()
            self._request = None

    def _requested(self) -> gpiod.LineRequest:
        if self._request is None:
            self._request = gpiod.request_lines(self._chip, {self._line: self._settings}, consumer=CONSUMER)
        return self._request

    def _lost(self, error: Exception) -> Unreachable:
        self.close()
        return Unreachable(f"line {self._line} of {self._chip}: {error}")
