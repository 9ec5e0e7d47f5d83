"""The demo site for the agent's tests: moved to ports of one's own, in a folder of one's own."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

from edge.agent.requests import SiteFile
from edge.model.site import Site
from edge.model.strict_toml import load

DEMO = Path(__file__).parents[2] / "sim" / "sites" / "demo.site.toml"
ROLES = ("meter", "inverter-1", "inverter-2", "coil-2")


def demo_text(ports: dict[str, int]) -> str:
    """The demo site's text with other ports, by role."""
    text = DEMO.read_text(encoding="utf-8")
    for offset, role in enumerate(ROLES):
        text = text.replace(f":{15021 + offset}?", f":{ports[role]}?")
    return text


def write_site(folder: Path, ports: dict[str, int], extra: str = "") -> SiteFile:
    """A site file in `folder`, and what the agent knows of it."""
    path = folder / "here.site.toml"
    text = demo_text(ports) + extra
    path.write_text(text, encoding="utf-8")
    return SiteFile(path, text, hashlib.sha256(text.encode()).hexdigest())


def site_of(text: str) -> Site:
    """A site file's text, checked."""
    return load(Site, text, "test")


def closed_ports() -> dict[str, int]:
    """Ports where nobody listens."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in ROLES]
    ports = [listener.getsockname()[1] for listener in held]
    for listener in held:
        listener.close()
    return dict(zip(ROLES, ports, strict=True))


def demo_site() -> Site:
    """The demo site as it is."""
    return site_of(DEMO.read_text(encoding="utf-8"))
