"""Topics of the link: `dx/v1/{gateway}/up/{kind}` and `dx/v1/{gateway}/down/{kind}`.

`{gateway}` is the identity in the gateway's certificate, and the broker's ACL confines it to its own branch.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import Field

ROOT = "dx/v1"
UpKind = Literal["status", "settings", "test", "event", "telemetry", "audit"]
DownKind = Literal["command", "profile", "receipt"]
UP_KINDS: tuple[UpKind, ...] = get_args(UpKind)
DOWN_KINDS: tuple[DownKind, ...] = get_args(DownKind)

GATEWAY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
Gateway = Annotated[str, Field(pattern=GATEWAY_PATTERN)]

ALL_UP = f"{ROOT}/+/up/#"
ALL_STATUS = f"{ROOT}/+/up/status"
SHARED_UP = f"$share/portal/{ALL_UP}"
"""What portal workers subscribe to: each record goes to one of them."""


class Topic(NamedTuple):
    """A topic taken apart."""

    gateway: str
    direction: Literal["up", "down"]
    kind: str


def up(gateway: str, kind: UpKind) -> str:
    """Where `gateway` publishes records of `kind`."""
    return f"{ROOT}/{gateway}/up/{kind}"


def down(gateway: str, kind: DownKind) -> str:
    """Where `gateway` is told something of `kind`."""
    return f"{ROOT}/{gateway}/down/{kind}"


def parse(topic: str) -> Topic | None:
    """Take a topic apart, or None when it is not one of ours."""
    parts = topic.split("/")
    if len(parts) != 5 or "/".join(parts[:2]) != ROOT or not re.match(GATEWAY_PATTERN, parts[2]):
        return None
    match parts[3], parts[4]:
        case "up", kind if kind in UP_KINDS:
            return Topic(parts[2], "up", kind)
        case "down", kind if kind in DOWN_KINDS:
            return Topic(parts[2], "down", kind)
    return None
