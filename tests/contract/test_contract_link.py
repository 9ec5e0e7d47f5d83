"""The contract of the link: envelope, topics, payloads, and the document that describes them."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from contract import asyncapi, topics
from contract.envelope import MAX_RECORD_BYTES, Envelope, EnvelopeError, new_id
from contract.records import (
    MAX_PDF_BYTES,
    SCHEMAS,
    Audit,
    Event,
    Presence,
    Receipt,
    Settings,
    Test,
    kind_of,
    read_payload,
    schema_of,
)

NOW = datetime(2026, 5, 1, 12, 30, 15, 678_901, tzinfo=UTC)


def content(**changes: Any) -> dict[str, Any]:
    base = {
        "id": new_id(),
        "gateway": "gw-1",
        "kind": "event",
        "seq": 7,
        "time": NOW,
        "time_quality": "synchronised",
        "mono_s": 12.5,
        "boot": "b",
        "schema": "event/1",
        "payload": {"detail": "Zähler verloren", "figures": [1, 2.5, None, True]},
    }
    return base | changes


def envelope(**changes: Any) -> Envelope:
    return Envelope.model_validate(content(**changes))


def test_an_envelope_survives_the_wire_unchanged() -> None:
    one = envelope()
    data = one.to_bytes()
    again = Envelope.from_bytes(data)
    assert again == one
    assert again.to_bytes() == data
    assert json.loads(data)["time"] == "2026-05-01T12:30:15.678Z"


def test_times_become_utc_whatever_zone_they_came_in() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert envelope(time=local, id=new_id()).time == NOW.replace(microsecond=678_000)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "e9f3c0de-0000-4000-8000-000000000000"),  # version 4
        ("gateway", "a/b"),
        ("gateway", "+"),
        ("gateway", ""),
        ("kind", "command"),
        ("seq", 0),
        ("seq", 2**63),
        ("seq", "7"),
        ("time", "2026-05-01T12:30:15"),  # no zone
        ("time_quality", "good"),
        ("mono_s", -1.0),
        ("mono_s", float("nan")),
        ("schema", "event"),
        ("payload", []),
        ("extra", 1),
    ],
)
def test_what_is_no_envelope_is_refused_by_name(field: str, value: Any) -> None:
    data = json.loads(envelope().to_bytes()) | {field: value}
    with pytest.raises(EnvelopeError, match=field):
        Envelope.from_bytes(json.dumps(data).encode())


def test_garbage_and_giants_are_refused() -> None:
    with pytest.raises(EnvelopeError, match="Invalid JSON"):
        Envelope.from_bytes(b"\xff{")
    with pytest.raises(EnvelopeError, match="over the limit"):
        Envelope.from_bytes(b"x" * (MAX_RECORD_BYTES + 1))
    with pytest.raises(EnvelopeError, match="12 MiB"):
        envelope(payload={"x": "y" * MAX_RECORD_BYTES}).to_bytes()
    with pytest.raises(ValidationError, match="finite number"):
        envelope(payload={"x": float("inf")})


def test_a_signature_covers_everything() -> None:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    one = envelope()
    assert not one.is_signed_by(key.public_key())
    signed = Envelope.from_bytes(one.signed(key).to_bytes())
    assert signed.is_signed_by(key.public_key())
    assert not signed.is_signed_by(other.public_key())
    changes: list[dict[str, Any]] = [
        {"seq": 8},
        {"gateway": "gw-2"},
        {"payload": {"detail": "nothing happened"}},
        {"time_quality": "unknown"},
        {"sig": base64.b64encode(b"0" * 64).decode()},
        {"sig": "no base64"},
    ]
    for change in changes:
        assert not signed.model_copy(update=change).is_signed_by(key.public_key()), change


def test_topics_come_apart_as_they_were_made() -> None:
    assert topics.parse(topics.up("gw-1", "settings")) == ("gw-1", "up", "settings")
    assert topics.parse(topics.down("gw-1", "receipt")) == ("gw-1", "down", "receipt")


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "dx/v1/gw-1/up",
        "dx/v1/gw-1/up/receipt",
        "dx/v1/gw-1/down/event",
        "dx/v2/gw-1/up/event",
        "dx/v1/gw-1/up/event/x",
        "dx/v1/gw 1/up/event",
        "$SYS/broker/version",
    ],
)
def test_other_topics_are_not_ours(topic: str) -> None:
    assert topics.parse(topic) is None


def test_payloads_find_their_schema_and_back() -> None:
    event = Event(type="restart", at=NOW, detail="x")
    assert (kind_of(event), schema_of(event)) == ("event", "event/1")
    assert read_payload("event/1", event.model_dump(mode="json")) == event
    audit = Audit(at=NOW, by="installer", action="reset")
    assert read_payload(schema_of(audit), audit.model_dump(mode="json")) == audit


def test_what_is_not_understood_is_a_sentence() -> None:
    assert read_payload("event/2", {}) == "this portal does not know the schema event/2"
    told = read_payload("presence/1", {"online": "yes", "connection": "c"})
    assert isinstance(told, str)
    assert told.startswith("presence/1: online:")


def test_an_excursion_is_complete_or_refused() -> None:
    with pytest.raises(ValidationError, match="an excursion carries start"):
        Event(type="excursion", at=NOW, detail="x", peak_w=1.0, duration_s=1.0, energy_wh=1.0)
    Event(type="excursion", at=NOW, detail="x", start=NOW, peak_w=1.0, duration_s=1.0, energy_wh=1.0)


def test_settings_may_be_neither_verified_nor_drifted() -> None:
    assert Settings(der="inverter-2", profile="p", verified=None, findings=()).verified is None


def test_a_report_carries_a_pdf_and_the_largest_one_fits() -> None:
    with pytest.raises(ValidationError, match="not base64"):
        Test(report={}, pdf_base64="%PDF-")
    with pytest.raises(ValidationError, match="not a PDF"):
        Test(report={}, pdf_base64=base64.b64encode(b"PK").decode())
    largest = b"%PDF-".ljust(MAX_PDF_BYTES, b"x")
    test = Test(report={"verdict": "pass"}, pdf_base64=base64.b64encode(largest).decode())
    assert test.pdf() == largest
    assert (
        len(envelope(kind="test", schema="test/1", payload=test.model_dump()).to_bytes()) < MAX_RECORD_BYTES
    )


def test_a_receipt_lists_ids() -> None:
    receipt = Receipt(ids=("a", "b"), time=NOW)
    assert Receipt.model_validate_json(receipt.model_dump_json()) == receipt


def test_presence_names_its_connection() -> None:
    with pytest.raises(ValidationError):
        Presence(online=True, connection="")


def test_the_document_on_file_is_the_one_the_models_make() -> None:
    told = "run `python -m contract.asyncapi` and read the difference"
    assert asyncapi.FILE.read_text(encoding="utf-8") == asyncapi.to_yaml(asyncapi.document()), told


def test_the_document_has_every_topic_and_every_schema() -> None:
    document = asyncapi.document()
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {f"dx/v1/{{gateway}}/up/{kind}" for kind in topics.UP_KINDS} | {
        "dx/v1/{gateway}/down/receipt"
    }
    messages = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert messages == {name.replace("/", "-") for name in SCHEMAS} | {"receipt"}
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert reference in document["components"]["schemas"]


def test_yaml_is_block_style_with_json_scalars() -> None:
    node = {"a": {"b": [1, {"c": None}], "d": {}}, "$e": "x: y"}
    expected = 'a:\n  b:\n    - 1\n    -\n      c: null\n  d: {}\n"$e": "x: y"\n'
    assert asyncapi.to_yaml(node) == expected
