"""The agent's writer: a thread behind a bounded queue, so that control never waits for the disk.

When the queue overflows, telemetry gives way first, then events; evidence is never evicted and may take the
queue past its bound. Every overflow is counted, and the count is an alarm.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from contract.envelope import EnvelopeError, RecordClass, TimeQuality
from contract.records import Payload
from edge.spool.clock import WallClock
from edge.spool.spool import DEFAULT_QUOTA_BYTES, Draft, Signer, Spool, SpoolError, SpoolFull

BOUND = 4096
_BATCH = 64
_RETRY_S = 1.0


class EvictedError(Exception):
    """The record gave way in an overflow of the queue, and is not stored."""


@dataclass
class WriterState:
    """What the agent shows and alarms on.

    Attributes:
        stored: Records that reached the disk.
        overflow: Puts that found the queue full; each growth is an alarm.
        evicted: Records that gave way in an overflow, and are lost; each growth is an alarm.
        refused: Records that are none, or too large; `refusal` says why the last one was.
        fault: Why records wait in memory, None as soon as none has to. A refusal is no fault and hides none.
        full: The fault is a full disk.
        running: The thread lives; False before `close` is an alarm.
    """

    stored: int = 0
    overflow: int = 0
    evicted: int = 0
    refused: int = 0
    refusal: str | None = None
    full: bool = False
    fault: str | None = None
    running: bool = True


@dataclass
class _Item:
    ticket: int
    record_class: RecordClass
    kind: str
    payload: Payload | dict[str, JsonValue]
    mono_s: float
    result: Future[int] = field(default_factory=Future)


class Clock(Protocol):
    """Turns monotonic time into wall time, and says how far that can be trusted."""

    def quality(self) -> TimeQuality:
        """How far the wall clock can be trusted now."""

    def at(self, mono_s: float) -> datetime:
        """The UTC time of a monotonic moment."""


class SpoolWriter:
    """The one object the agent puts records into. `put` never blocks and never raises.

    Raises:
        SpoolError: At construction, when the spool cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        gateway: str,
        *,
        quota_bytes: int = DEFAULT_QUOTA_BYTES,
        signer: Signer | None = None,
        bound: int = BOUND,
        clock: Clock | None = None,
    ) -> None:
        self.state = WriterState()
        self._spool = Spool(path, gateway, quota_bytes=quota_bytes, signer=signer)
        self._clock = clock or WallClock()
        self._bound = bound
        self._tickets = count()
        self._queues: dict[RecordClass, deque[_Item]] = {name: deque() for name in RecordClass}
        self._wake = threading.Condition()
        self._closing = False
        self._fill = self._spool.fill()
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
        self._thread.start()

    def put(
        self,
        kind: str,
        record_class: RecordClass,
        payload: Payload | dict[str, JsonValue],
        mono_s: float,
    ) -> Future[int]:
        """Queue a record. The future gives its `seq` once it is on the disk, or why it never will be."""
        item = _Item(next(self._tickets), record_class, kind, payload, mono_s)
        item.result.set_running_or_notify_cancel()  # from here on a caller who gives up cannot cancel it
        with self._wake:
            if self._waiting() >= self._bound:
                self.state.overflow += 1
                if not self._give_way_to(item):
                    return item.result
            self._queues[record_class].append(item)
            self._wake.notify()
        return item.result

    def fill(self) -> float:
        """Evidence as a share of the quota, as of the last write; from 0.9 new test runs are to be refused."""
        return self._fill

    def close(self, timeout_s: float = 5.0) -> int:
        """Write what waits, then end the thread; returns how many records could not be written in time."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._spool.close()
        return self._waiting()

    def _waiting(self) -> int:
        return sum(map(len, self._queues.values()))

    def _give_way_to(self, item: _Item) -> bool:
        """Evict the oldest record of the least class, at most `item`'s own; False when it is `item` itself."""
        for name in (RecordClass.TELEMETRY, RecordClass.EVENT):
            if self._queues[name]:
                self._evict(self._queues[name].popleft())
                return True
            if item.record_class is name:
                self._evict(item)
                return False
        return True

    def _evict(self, item: _Item) -> None:
        self.state.evicted += 1
        item.result.set_exception(EvictedError("the queue to the spool overflowed"))

    def _run(self) -> None:
        try:
            self._serve()
        except BaseException as error:
            self.state.fault = f"the spool's writer has ended: {_sentence(error)}"
            raise
        finally:
            self.state.running = False

    def _serve(self) -> None:
        while True:
            with self._wake:
                while not self._waiting() and not self._closing:
                    self._wake.wait()
                batch = self._take()
                closing = self._closing
            if not batch:
                return
            left = self._store(batch)
            self._put_back(left)
            if not left:
                self.state.full, self.state.fault = False, None
            else:
                if closing:
                    return
                time.sleep(_RETRY_S)

    def _take(self) -> list[_Item]:
        """Oldest first over all classes."""
        batch: list[_Item] = []
        while len(batch) < _BATCH and self._waiting():
            queue = min((q for q in self._queues.values() if q), key=lambda q: q[0].ticket)
            batch.append(queue.popleft())
        return batch

    def _put_back(self, items: list[_Item]) -> None:
        with self._wake:
            for item in reversed(items):
                self._queues[item.record_class].appendleft(item)

    def _store(self, batch: list[_Item]) -> list[_Item]:
        """Store a batch in one commit; if that fails, one by one. Returns what has to wait."""
        try:
            seqs = self._spool.append_all([self._draft(item) for item in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread must outlive it and say so
            return self._store_alone(batch[0], error) if len(batch) == 1 else self._store_each(batch)
        self._done(batch, seqs)
        return []

    def _store_each(self, batch: list[_Item]) -> list[_Item]:
        return [left for item in batch for left in self._store([item])]

    def _store_alone(self, item: _Item, error: Exception) -> list[_Item]:
        if isinstance(error, EnvelopeError):
            self.state.refused += 1
            self.state.refusal = str(error)
            item.result.set_exception(error)
            return []
        self.state.fault = _sentence(error)
        self.state.full = isinstance(error, SpoolFull)
        return [item]

    def _done(self, batch: list[_Item], seqs: list[int]) -> None:
        self.state.stored += len(batch)
        for item, seq in zip(batch, seqs, strict=True):
            item.result.set_result(seq)
        with suppress(SpoolError):  # the records are stored; their share of the quota is told the next time
            self._fill = self._spool.fill()

    def _draft(self, item: _Item) -> Draft:
        quality = self._clock.quality()
        return Draft(
            item.record_class, item.payload, self._clock.at(item.mono_s), quality, item.mono_s, item.kind
        )


def _sentence(error: BaseException) -> str:
    """Our own errors are sentences; others need their name to be understood."""
    return str(error) if isinstance(error, SpoolError) else f"{type(error).__name__}: {error}"
