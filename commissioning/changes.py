"""Writing to devices through the journal, and putting back what was written."""

from __future__ import annotations

from datetime import UTC, datetime

from commissioning.agent import Agent
from commissioning.journal import Change, Journal
from contract.client import AgentRefusedError
from contract.socket import WritePointsRequest, Written

_WRITE_TIMEOUT_S = 30.0


class UnrestoredError(Exception):
    """Something that a test changed could not be put back; one line for each."""


def now_text() -> str:
    """The time in UTC, as reports and journals give it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Changes:
    """Changes one run makes in devices; none is made that is not in the journal."""

    def __init__(self, agent: Agent, journal: Journal) -> None:
        self._agent = agent
        self._journal = journal

    async def write(
        self,
        test: str,
        device: str,
        model: int,
        before: dict[str, int | float],
        after: dict[str, int | float],
    ) -> Written:
        """Write `after` in place of `before` (real units) and read it back."""
        self._journal.change(now_text(), test, device, model, before, after)
        return await self._ask(device, model, after)

    async def restore(self) -> list[str]:
        """Put back every open change, newest first; what could not be, one sentence each."""
        problems = [await self._put_back(change) for change in self._journal.open_changes]
        return [problem for problem in problems if problem]

    async def _put_back(self, change: Change) -> str | None:
        try:
            written = await self._ask(change.device, change.model, change.before)
        except AgentRefusedError as error:
            written = Written(outcome="refused", reason=str(error))
        if written.outcome == "verified":
            self._journal.close(change, now_text())
            return None
        values = ", ".join(f"{point} = {value:g}" for point, value in change.before.items())
        why = written.reason or f"it reads back {written.found}"
        return f"{change.device}, model {change.model}: {values} could not be put back: {why}"

    async def _ask(self, device: str, model: int, values: dict[str, int | float]) -> Written:
        request = WritePointsRequest(device=device, model=model, values=values)
        return await self._agent.ask(request, Written, _WRITE_TIMEOUT_S)
