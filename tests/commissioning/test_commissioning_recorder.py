"""The recorder of the stream: an interruption is never lost, whenever it comes."""

from __future__ import annotations

import asyncio

import pytest

from commissioning.recorder import Recorder


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_a_cancellation_together_with_a_scan_is_kept(turns: int) -> None:
    recorder = Recorder(1.0)
    recorder.scans.append(None)  # type: ignore[arg-type]  # what the scan says does not matter here
    waiting = asyncio.create_task(recorder.next())
    for _ in range(3):
        await asyncio.sleep(0)
    recorder._news.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    if waiting.cancel():
        with pytest.raises(asyncio.CancelledError):
            await waiting
