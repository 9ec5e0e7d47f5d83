"""Telling systemd that the agent is ready and alive (sd_notify(3)): one datagram to `NOTIFY_SOCKET`."""

from __future__ import annotations

import os
import socket


class Notifier:
    """Sends READY=1 once, then WATCHDOG=1, each after a complete and on-time scan. Never raises, never blocks."""

    def __init__(self, address: str | None = None) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
        self._socket: socket.socket | None = None
        self._ready = False
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.settimeout(0)

    def on_time(self) -> None:
        """A scan was complete and on time."""
        self._send("WATCHDOG=1" if self._ready else "READY=1\nWATCHDOG=1")
        self._ready = True

    def stopping(self) -> None:
        """The agent stops because it was asked to."""
        self._send("STOPPING=1")
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, text: str) -> None:
        if self._socket is None:
            return
        # An abstract address is written with a leading @ in the environment.
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        try:
            self._socket.sendto(text.encode(), address)
        except OSError:
            return
