"""The reference of the latency measure: a bare asyncio socket loop that reads the meter, subtracts, writes limits.

`python -m benchmarks.bare_loop PLAN`, where PLAN is JSON: the meter's port, the register of its power, the poll
period in s, and the port and limit register of each inverter. It knows no models, checks nothing, verifies nothing.
It runs until it is ended.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from contextlib import suppress
from typing import TypedDict

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Plan(TypedDict):
    """What the loop is told."""

    meter_port: int
    power: int
    poll_s: float
    inverters: list[tuple[int, int]]


async def loop(plan: Plan) -> None:
    """Poll; at each new sample write every limit, then take the answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", plan["meter_port"])
    inverters: list[tuple[Streams, int]] = [
        (await asyncio.open_connection("127.0.0.1", port), limit) for port, limit in plan["inverters"]
    ]
    question = struct.pack(">HHHBBHH", 1, 0, 6, 1, 3, plan["power"], 1)
    before = None
    while True:
        writer.write(question)
        (power,) = struct.unpack_from(">h", await reader.readexactly(11), 9)
        if power != before:
            before = power
            share = (2_500 - power) % 10_000
            for (_, inverter), limit in inverters:
                inverter.write(struct.pack(">HHHBBHHBH", 1, 0, 9, 1, 16, limit, 1, 2, share))
            for (answer, _), _ in inverters:
                await answer.readexactly(12)
        await asyncio.sleep(plan["poll_s"])


if __name__ == "__main__":
    with suppress(KeyboardInterrupt, ConnectionError, asyncio.IncompleteReadError):
        asyncio.run(loop(json.loads(sys.argv[1])))
