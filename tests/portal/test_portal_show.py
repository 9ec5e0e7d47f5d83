"""How an event reads on a page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import httpx
import pytest
from portal_samples import event
from test_portal_intake import message

from contract.records import EventType
from portal import show
from portal.app import make_app
from portal.database import open_database
from portal.intake import Intake
from portal.service import Service


@pytest.mark.parametrize(
    ("kind", "label", "tone"),
    [
        ("trip", "trip", "bad"),
        ("write-unverified", "write unverified", "bad"),
        ("isolation", "DERs isolated", "bad"),
        ("out-of-service", "out of service", "warn"),
        ("in-service", "back in service", "good"),
        ("fallback-end", "fallback end", "plain"),
        ("unheard-of", "unheard of", "plain"),
    ],
)
def test_labels_and_tones(kind: str, label: str, tone: str) -> None:
    assert (show.event_label(kind), show.event_tone(kind)) == (label, tone)


def test_no_tone_is_for_a_type_the_contract_does_not_know() -> None:
    assert set(show.TONES) | set(show.LABELS) <= set(get_args(EventType))


async def test_the_page_of_a_site_shows_them(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "portal.db")
    kinds = ("isolation", "out-of-service", "in-service")
    Intake(engine).store([message(event(k), i) for i, k in enumerate(kinds, 1)], datetime.now(UTC))
    transport = httpx.ASGITransport(make_app(Service(engine)))
    async with httpx.AsyncClient(transport=transport, base_url="http://portal") as client:
        page = (await client.get("/sites/gw-1")).text
    engine.dispose()
    for kind in kinds:
        item = page.split(f'<li class="{show.event_tone(kind)}">')[1].split("</b>")[0]
        assert item.endswith(f"<b>{show.event_label(kind)}")
