"""Watches that the DERs still hold the settings that the utility requires, and records what was found."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import asdict

from contract import records
from contract.envelope import RecordClass
from drivers.errors import DriverError
from edge.agent.devices import SiteDevices
from edge.agent.tell import Happening, Tell
from edge.model.required import device_requires
from edge.model.site import Der, PermitService, Site
from edge.spool.writer import SpoolWriter
from tiir.compare import Finding, Verdict, verified
from tiir.held import held_against
from tiir.setting import TiirError

_FIRST_S = 10.0
_EVERY_S = 300.0
_PERMIT = "ES_PERMIT_SERVICE"
_SETTLE_S = 2.0
"""After a write: more may follow, and an adoption takes a moment."""


class SettingsWatch:
    """Looks at every DER every five minutes and soon after each write; a change is recorded, once."""

    def __init__(self, site: Site, devices: SiteDevices, writer: SpoolWriter, tell: Tell) -> None:
        self._site = site
        self._devices = devices
        self._writer = writer
        self._tell = tell
        self._ceasing = {each.der for each in site.trip_output if isinstance(each, PermitService)}
        self._known: dict[str, tuple[Finding, ...]] = {}
        self._changed = asyncio.Event()

    def written(self) -> None:
        """Somebody wrote a setting: look again soon."""
        self._changed.set()

    async def run(self) -> None:
        """Watch for ever."""
        await asyncio.sleep(_FIRST_S)
        while True:
            for der in self._site.der:
                await self._look(der)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._changed.wait()
                    await asyncio.sleep(_SETTLE_S)
            self._changed.clear()

    async def _look(self, der: Der) -> None:
        """One DER; one that does not answer is looked at next time, its loss is told elsewhere."""
        try:
            required = device_requires(self._site, der)
            findings = held_against(required, await self._devices.read_models(der.name, ()))
            if der.name in self._ceasing:
                findings = tuple(finding for finding in findings if not _is_the_guards(finding))
        except TiirError as error:
            self._tell(
                Happening("alarm", time.monotonic(), f"settings cannot be verified: {error}", der.name)
            )
            return
        except DriverError:
            return
        before = self._known.get(der.name)
        if findings == before:
            return
        self._known[der.name] = findings
        self._record(der.name, findings)
        if before is not None and verified(before) and verified(findings) is False:
            differs = ", ".join(finding.setting for finding in findings if finding.verdict == "differs")
            detail = f"settings drifted from {self._site.tiir_profile}: {differs}"
            self._tell(Happening("settings-change", time.monotonic(), detail, der.name))

    def _record(self, name: str, findings: tuple[Finding, ...]) -> None:
        payload = records.Settings(
            der=name,
            profile=self._site.tiir_profile,
            verified=verified(findings),
            findings=tuple(
                records.Finding(**(asdict(finding) | {"verdict": finding.verdict.value}))
                for finding in findings
            ),
        )
        self._writer.put("settings", RecordClass.EVIDENCE, payload, time.monotonic())


def _is_the_guards(finding: Finding) -> bool:
    """A permit that is taken away is a trip, told elsewhere, and no drift."""
    return finding.setting == _PERMIT and finding.verdict is Verdict.DIFFERS
