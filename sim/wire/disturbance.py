"""What may stand between a unit and its client: one thing that goes wrong, at one of three places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from sim.wire.pdu import Request

Handler = Callable[[Request], Sequence[int]]
"""What answers a request: registers or bits of a read, nothing for a write; or ModbusRefusal, Unanswered."""


class Unanswered(Exception):  # noqa: N818 # it is what a client sees, not an error of the simulator
    """The client gets no answer."""


class Dropped(Unanswered):
    """The connection is reset; a serial line has none, there it is silence."""


@dataclass(slots=True)
class Reply:
    """An answer on its way: its ids, its PDU, and how much later than at once it is sent.

    `first` is the first one on a connection.
    """

    unit_id: int
    transaction_id: int
    pdu: bytes
    serial: bool = False
    first: bool = False
    after_s: float = 0.0


def always() -> bool:
    """A disturbance that strikes every time."""
    return True


def sometimes(rate: float | None, random: Random) -> Callable[[], bool]:
    """A disturbance that strikes a share of the times, drawn one by one; None is always."""
    return always if rate is None else lambda: random.random() < rate


@dataclass(frozen=True, slots=True)
class Disturbance:
    """One thing that goes wrong, whenever it `strikes`.

    Attributes:
        answer: stands in for the unit, or changes what `Handler` says; may raise ModbusRefusal or Unanswered.
        reply: changes the ids or the PDU, or delays; may raise Unanswered.
        frames: changes the bytes; each frame is sent by itself, on a serial line with a silence between.
    """

    answer: Callable[[Request, Handler], Sequence[int]] | None = None
    reply: Callable[[Reply], None] | None = None
    frames: Callable[[list[bytes], Reply], list[bytes]] | None = None
    strikes: Callable[[], bool] = always

    def around(self, inner: Handler) -> Handler:
        """`inner` with this in front of it."""
        answer, strikes = self.answer, self.strikes
        if answer is None:
            return inner
        return lambda request: answer(request, inner) if strikes() else inner(request)

    def on_reply(self, reply: Reply) -> None:
        """Change a reply."""
        if self.reply is not None and self.strikes():
            self.reply(reply)

    def on_frames(self, frames: list[bytes], reply: Reply) -> list[bytes]:
        """Change the frames of a reply."""
        return self.frames(frames, reply) if self.frames is not None and self.strikes() else frames
