"""Writes `asyncapi.yaml` from the topics and models: `python -m contract.asyncapi`. A test holds the two equal."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from contract.envelope import MAX_RECORD_BYTES, Envelope
from contract.records import SCHEMAS, Receipt
from contract.topics import GATEWAY_PATTERN, SHARED_UP, UP_KINDS, down, up

FILE = Path(__file__).with_name("asyncapi.yaml")
_SECTIONS = "#/components/schemas/{model}"


def document() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of the link."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "dergate link",
            "version": "1.0.0",
            "description": (
                "Records from gateways to the portal, and receipts back, over MQTT 5 with QoS 1. A gateway keeps "
                "each record until its receipt; the portal stores each record once by its id. The retained message "
                "on up/status, and the will, are presence/1 without seq. One message is at most "
                f"{MAX_RECORD_BYTES} bytes."
            ),
        },
        "channels": {kind: _up_channel(kind) for kind in UP_KINDS} | {"receipt": _receipt_channel()},
        "operations": {"receive" + kind.capitalize(): _operation("receive", kind) for kind in UP_KINDS}
        | {"sendReceipt": _operation("send", "receipt")},
        "components": {"schemas": _schemas()},
    }


def _parameters() -> dict[str, Any]:
    return {"gateway": {"description": f"the common name of the gateway's certificate, {GATEWAY_PATTERN}"}}


def _up_channel(kind: Any) -> dict[str, Any]:
    names = [name for name, (its_kind, _) in SCHEMAS.items() if its_kind == kind]
    return {
        "address": _address(up("GATEWAY", kind)),
        "description": f"portal workers share it as {SHARED_UP}",
        "parameters": _parameters(),
        "messages": {name.replace("/", "-"): {"payload": _enveloped(name)} for name in names},
    }


def _receipt_channel() -> dict[str, Any]:
    return {
        "address": _address(down("GATEWAY", "receipt")),
        "parameters": _parameters(),
        "messages": {"receipt": {"payload": {"$ref": _SECTIONS.format(model="Receipt")}}},
    }


def _address(topic: str) -> str:
    return topic.replace("GATEWAY", "{gateway}")


def _operation(action: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def _enveloped(schema: str) -> dict[str, Any]:
    model = SCHEMAS[schema][1].__name__
    content = {
        "schema": {"const": schema},
        "payload": {"$ref": _SECTIONS.format(model=model)},
    }
    return {"allOf": [{"$ref": _SECTIONS.format(model="Envelope")}, {"properties": content}]}


def _schemas() -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    models: list[type[BaseModel]] = [Envelope, Receipt, *(model for _, model in SCHEMAS.values())]
    for model in models:
        schema = model.model_json_schema(mode="serialization", ref_template=_SECTIONS)
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
    return dict(sorted(schemas.items()))


def to_yaml(node: Any, indent: int = 0) -> str:
    """Block style for objects and lists; scalars and what is empty as JSON, which YAML contains."""
    pad = "  " * indent
    match node:
        case dict() if node:
            return "".join(f"{pad}{_key(key)}:{_child(value, indent + 1)}" for key, value in node.items())
        case list() if node:
            return "".join(f"{pad}-{_child(value, indent + 1)}" for value in node)
    return f"{pad}{json.dumps(node, ensure_ascii=False)}\n"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key) else json.dumps(key)


def _child(value: Any, indent: int) -> str:
    nested = isinstance(value, dict | list) and value
    return "\n" + to_yaml(value, indent) if nested else " " + to_yaml(value)


if __name__ == "__main__":
    FILE.write_text(to_yaml(document()), encoding="utf-8")
