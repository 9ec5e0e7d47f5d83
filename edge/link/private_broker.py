"""A private Mosquitto on loopback, for the demo and for tests: own configuration, folder and port."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.link.orphan import end_with_parent

_READY_S = 10.0
_STOP_S = 10.0
_CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 30
max_packet_size 16777216
max_queued_messages 100000
log_dest file {folder}/mosquitto.log
log_type error
log_type warning
log_type notice
"""


class PrivateBrokerError(Exception):
    """Mosquitto is missing or does not start; one sentence."""


def find_mosquitto() -> str:
    """Debian keeps it in /usr/sbin, which an ordinary user's PATH lacks; raises PrivateBrokerError."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
    found = shutil.which("mosquitto", path=path)
    if found is None:
        raise PrivateBrokerError("Mosquitto is not installed: apt-get install mosquitto")
    return found


def free_port() -> int:
    """A port on loopback that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PrivateBroker:
    """Starts, kills and restarts a Mosquitto whose state lives in `folder`. Use as a context manager.

    Started by root it stays root (`user root`): it would otherwise drop to its own user, and could then not
    write into a folder it does not own. It ends with the thread that started it, even if that is killed.

    Args:
        folder: Configuration, log and persistence; made when missing.
        port: 0 chooses a free one, kept across restarts.
        configuration: The text of another configuration to run, with its own listener on `port`.
    """

    def __init__(self, folder: Path, port: int = 0, configuration: str | None = None) -> None:
        self.port = port or free_port()
        self._folder = folder.resolve()
        self._configuration = configuration
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """For `--broker`."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The running broker's process id."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it and wait until it accepts connections; raises PrivateBrokerError."""
        mosquitto = find_mosquitto()
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._port_is_taken():
            raise PrivateBrokerError(f"port {self.port} on 127.0.0.1 is in use")
        file = self._folder / "mosquitto.conf"
        file.write_text(self._text(), encoding="utf-8")
        self._process = subprocess.Popen(
            [mosquitto, "-c", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=end_with_parent(),  # noqa: PLW1509 - it calls nothing that takes a lock
        )
        self._wait_until_ready()

    def kill(self) -> None:
        """As a power cut would: nothing is saved."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it; it saves its state first."""
        self._end(signal.SIGTERM)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _text(self) -> str:
        text = self._configuration or _CONFIGURATION.format(port=self.port, folder=self._folder)
        return text + ("user root\n" if os.geteuid() == 0 else "")

    def _port_is_taken(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _READY_S
        while not self._port_is_taken():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise PrivateBrokerError(f"Mosquitto did not start: {self._last_words()}")
            time.sleep(0.02)

    def _last_words(self) -> str:
        log = self._folder / "mosquitto.log"
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        return lines[-1] if lines else "it left no log"

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
