"""The picture: what a person must be able to read off it, in eighty columns."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from cli.picture import History, picture
from contract.status import LimitStatus, Shown, Status

GOOD: dict[str, Any] = {"value": 24_000.0, "age_s": 0.1, "quality": "good"}
ABSENT: dict[str, Any] = {"value": None, "age_s": None, "quality": "absent"}


def status(**changes: Any) -> Status:
    content: dict[str, Any] = {
        "pids": {"agent": 1, "link": None},
        "site": "Demo site",
        "mode": "regulating",
        "export_limit_w": 25_000.0,
        "target_w": 24_300.0,
        "image": {
            "scan": 3,
            "at_s": 100.0,
            "pcc": {"export_w": GOOD, "v_pu": GOOD, "f_hz": GOOD},
            "ders": [
                {
                    "name": "inverter-1",
                    "nameplate_w": 100_000.0,
                    "output_w": {**GOOD, "value": 69_000.0},
                    "limit_w": {**GOOD, "value": 69_300.0},
                    "reachable": True,
                    "refused": False,
                }
            ],
            "outputs": [{"name": "coil-2", "commanded_closed": True, "closed": {**GOOD, "value": 1.0}}],
        },
        "limits": [{"limit_w": 69_300.0, "by": "32-dropout"}, {"limit_w": 100_000.0, "by": "nameplate"}],
        "elements": [
            {
                "name": "32",
                "pickup_w": 25_000.0,
                "dropout_w": 24_500.0,
                "delay_s": 1.25,
                "picked_up": False,
                "elapsed_s": 0.0,
                "operated": False,
                "blocked": False,
            }
        ],
        "trip": {
            "tripped": False,
            "target": None,
            "service": "in-service",
            "remaining_s": None,
            "trips_24h": 0,
            "lockout": False,
        },
        "scan": {"period_s": 0.2, "count": 3, "late": 0, "p99_s": 0.002},
        "writes": {"sent": 5, "verified": 5, "refused": 0},
        "fallbacks": 0,
        "trips": 0,
        "link": {"alive": True, "pending": 3},
        "overrides": [],
    }
    return Status.model_validate(content | changes)


def drawn(shown: Status, history: History | None = None, width: int = 80) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(picture(shown, history))
    return console.export_text()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_a_healthy_site(width: int) -> None:
    text = drawn(status(), width=width)
    assert all(len(line) <= width for line in text.splitlines())
    for wanted in (
        "host load",
        "45.0 kW",
        "24.0 kW",
        "1.0 kW below limit",
        "regulating",
        "quiet",
        "3 records",
    ):
        assert wanted in " ".join(text.split()) or width == 60, wanted


def test_an_excursion_and_its_minute() -> None:
    history = History()
    for second in range(70):
        history.take(float(second), 61_000.0 if second > 60 else 20_000.0)
    assert history.points[0][0] == 9.0
    shown = status()
    above = shown.image.pcc.model_copy(
        update={"export_w": shown.image.pcc.export_w.model_copy(update={"value": 61_000.0})}
    )
    shown = shown.model_copy(update={"image": shown.image.model_copy(update={"pcc": above})})
    text = drawn(shown, history)
    assert "36.0 kW ABOVE the limit" in text
    assert "█" in text
    assert "0.0 kW to 61.0 kW" in text


def test_what_is_not_seen_is_not_drawn_as_zero() -> None:
    shown = status()
    blind = shown.image.pcc.model_copy(update={"export_w": shown.image.pcc.export_w.model_validate(ABSENT)})
    image = shown.image.model_copy(update={"pcc": blind})
    text = drawn(shown.model_copy(update={"image": image, "mode": "fallback"}))
    assert "the meter is not seen" in text
    assert "unknown" in text
    assert "fallback" in text


def test_a_trip_and_a_contact_that_disagrees() -> None:
    shown = status()
    trip = shown.trip.model_copy(
        update={"tripped": True, "target": "32", "lockout": True, "service": "lockout"}
    )
    output = shown.image.outputs[0].model_copy(update={"commanded_closed": False})
    image = shown.image.model_copy(update={"outputs": (output,)})
    text = drawn(
        shown.model_copy(update={"trip": trip, "mode": "tripped", "image": image, "overrides": ("a test",)})
    )
    assert "TRIPPED by 32, locked out" in text
    assert "closed (commanded open)" in text
    assert "a test" in text


def test_a_limit_on_one_phase_is_not_said_of_all_output() -> None:
    limits = (
        LimitStatus(limit_w=19_900.0, by="32-b-dropout"),
        LimitStatus(limit_w=20_000.0, by="export-limit-c"),
        LimitStatus(limit_w=69_300.0, by="volt-watt"),
    )
    text = drawn(status().model_copy(update={"limits": limits}))
    assert "phase b at most 19.9 kW: export limit, clear of element 32-b" in text
    assert "phase c at most 20.0 kW: export limit" in text
    assert "all output at most 69.3 kW: volt-watt, run by the gateway" in text


def test_every_state_of_an_element_and_a_der() -> None:
    shown = status()
    element, der = shown.elements[0], shown.image.ders[0]
    elements = tuple(element.model_copy(update={flag: True}) for flag in ("picked_up", "operated", "blocked"))
    ders = (der.model_copy(update={"reachable": False}), der.model_copy(update={"refused": True}))
    image = shown.image.model_copy(update={"ders": ders, "outputs": ()})
    text = drawn(shown.model_copy(update={"elements": elements, "image": image, "limits": ()}))
    for wanted in (
        "timing 0.0 of 1.2 s",
        "operated",
        "blocked",
        "does not answer",
        "does not take its limit",
    ):
        assert wanted in text
    assert "nothing is commanded yet" in text


def test_storage_shows_both_ends_of_its_band_and_its_charge() -> None:
    def der(**more: Any) -> str:
        shown = status()
        (known,) = shown.image.ders
        ders = (known.model_copy(update=more),)
        return " ".join(
            drawn(
                shown.model_copy(update={"image": shown.image.model_copy(update={"ders": ders})}), width=120
            ).split()
        )

    floor = Shown(value=-10_000.0, age_s=0.1, quality="good")
    charge = Shown(value=0.425, age_s=0.1, quality="good")
    absent = Shown(value=None, age_s=None, quality="absent")
    assert "limit 69.3 kW of 100.0 kW" in der()
    assert "from -10.0 kW to 69.3 kW of 100.0 kW, 42 % full" in der(floor_w=floor, soc_pu=charge)
    assert "from -10.0 kW to 69.3 kW of 100.0 kW " in der(floor_w=floor, soc_pu=absent)
