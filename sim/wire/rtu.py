"""A Modbus RTU line as a pseudo-terminal, with the time that characters take at its baud rate."""

from __future__ import annotations

import asyncio
import contextlib
import os
import termios
import tty
from collections.abc import Sequence
from pathlib import Path

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU

from sim.files.line import LineFile
from sim.wire.disturbance import Unanswered
from sim.wire.station import Station
from sim.wire.tcp import PortInUseError

_CHUNK = 14
"""Characters that reach the client at a time, as from the queue of a serial port."""

_READ_BYTES = 4096
_FRAMER = FramerRTU(DecodePDU(is_server=True))


class RtuLine:
    """Serves the stations on a pseudo-terminal; whoever opens it is the master.

    A pseudo-terminal hands over at once what a line would carry character by character, so the time of request,
    silence, turnaround and answer is spent here. A master at another baud rate is not understood. A unit id that
    nobody has gets no answer.
    """

    def __init__(self, file: LineFile, stations: Sequence[Station]) -> None:
        self.file = file
        self.stations = {station.unit_id: station for station in stations}
        self.device = ""
        self._ends: tuple[int, int] | None = None
        self._received = b""
        self._cut: asyncio.TimerHandle | None = None

    def uri(self, station: Station) -> str:
        """Where the station is reached."""
        # Linux refuses PARENB on a pseudo-terminal: whatever the line's parity, only N can be opened.
        file = self.file
        return (
            f"rtu://{self.device}?baud={file.baud}&parity=N&stopbits={file.stopbits}&unit={station.unit_id}"
        )

    async def start(self) -> None:
        """Open the pseudo-terminal, and make the link to it that the file asks for.

        Raises:
            PortInUseError: When the link cannot be made.
        """
        ours, theirs = os.openpty()
        self.device = os.ttyname(theirs)
        if self.file.path:
            try:
                self.device = _linked(Path(self.file.path), self.device, self.file.name)
            except PortInUseError:
                os.close(ours)
                os.close(theirs)
                raise
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._ends = (ours, theirs)
        asyncio.get_running_loop().add_reader(ours, self._arrived)

    async def stop(self) -> None:
        """Close the line; its link goes too."""
        if self._ends is None:
            return
        asyncio.get_running_loop().remove_reader(self._ends[0])
        if self.file.path:
            os.unlink(self.file.path)  # noqa: PTH108 # a link of our own, gone in no time
        for end in self._ends:
            os.close(end)
        self._ends = None

    def reset(self) -> None:
        """A line has no connections that could be reset."""

    def _arrived(self) -> None:
        assert self._ends is not None
        data = os.read(self._ends[0], _READ_BYTES)
        if _BAUDS[termios.tcgetattr(self._ends[0])[5]] != self.file.baud:
            return
        loop = asyncio.get_running_loop()
        self._received += data
        if self._cut:
            self._cut.cancel()
        _, unit_id, _, pdu = _FRAMER.decode(self._received)
        if pdu:
            self._received = b""
            self._answer(unit_id, pdu, loop.time() + len(data) * self.file.char_s + self.file.gap_s)
        else:
            # What does not become a frame until the line falls silent is no frame.
            wait_s = len(data) * self.file.char_s + self.file.gap_s
            self._cut = loop.call_later(wait_s, self._forget)

    def _forget(self) -> None:
        self._received = b""

    def _answer(self, unit_id: int, pdu: bytes, heard_s: float) -> None:
        """Put the answer to a request that ended at `heard_s` on the line."""
        station = self.stations.get(unit_id)
        if station is None:
            return
        try:
            reply = station.reply(pdu, serial=True)
        except Unanswered:
            return
        frame = _FRAMER.encode(reply.pdu, reply.unit_id, 0)
        at_s = heard_s + self.file.turnaround_s + reply.after_s
        for each in station.frames(frame, reply):
            at_s = self._send(each, at_s) + self.file.gap_s

    def _send(self, frame: bytes, at_s: float) -> float:
        """Send from `at_s` on, character by character; when the last one is out."""
        loop, char_s = asyncio.get_running_loop(), self.file.char_s
        for begin in range(0, len(frame), _CHUNK):
            chunk = frame[begin : begin + _CHUNK]
            at_s += len(chunk) * char_s
            loop.call_at(at_s, self._put, chunk)
        return at_s

    def _put(self, chunk: bytes) -> None:
        if self._ends is None:
            return
        # Where nobody reads, what does not fit is lost, as on a wire.
        with contextlib.suppress(BlockingIOError):
            os.write(self._ends[0], chunk)


_BAUDS = {
    getattr(termios, f"B{baud}"): baud for baud in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
}


def _linked(path: Path, device: str, name: str) -> str:
    """A link at `path` to `device`; one that was left behind is replaced, anything else is not."""
    try:
        if path.is_symlink():
            path.unlink()
        path.symlink_to(device)
    except OSError as error:
        raise PortInUseError(f"{path} for line {name} cannot be made: {error.strerror}") from error
    return str(path.absolute())
