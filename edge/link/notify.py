"""Telling systemd that the link is ready and alive (sd_notify(3)). Never raises, never blocks."""

from __future__ import annotations

import os
import socket


class Rounds:
    """Says READY=1 after the first completed round and WATCHDOG=1 after each.

    A round is complete when the spool was looked at and what was sent is confirmed by the broker, or when an attempt
    to reach the broker has ended: being offline is no fault of the link.
    """

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        # An abstract address is written with a leading @ in the environment.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._ready = False

    def completed(self) -> None:
        """A round was completed."""
        self._send("WATCHDOG=1" if self._ready else "READY=1\nWATCHDOG=1")
        self._ready = True

    def _send(self, text: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(0)
                sender.sendto(text.encode(), self._address)
        except OSError:
            return
