"""The command lines of the units are ones that the real commands take."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"


def exec_start(unit: str) -> str:
    """The command line of a unit, its continued lines joined."""
    text = (FOLDER / f"dergate-{unit}.service").read_text(encoding="utf-8")
    (line,) = re.findall(r"(?m)^ExecStart=(.+)$", re.sub(r"\\\n\s*", "", text))
    return str(line)


def test_the_agent_takes_the_units_command_line(tmp_path: Path) -> None:
    command = shlex.split(exec_start("agent"))
    assert command[0] == "/opt/dergate/bin/dergate"
    assert "--no-link" in command, "the link has its own unit"
    missing = str(tmp_path / "site.toml")
    arguments = [missing if word == "/etc/dergate/site.toml" else word for word in command[1:]]
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    assert done.returncode == 2
    assert missing in done.stderr, "refused for the file, not for an option"
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_link_takes_the_units_command_line(tmp_path: Path) -> None:
    line = exec_start("link")
    given = {"${DERGATE_GATEWAY}": "gw-1", "${DERGATE_BROKER}": "mqtts://127.0.0.1:1", "%d": str(tmp_path)}
    for name, value in given.items():
        assert name in line
        line = line.replace(name, value)
    (tmp_path / "file").touch()
    no_folder = str(tmp_path / "file" / "spool.sqlite")
    command = shlex.split(line.replace("/var/lib/dergate/spool.sqlite", no_folder))
    assert command[0] == "/opt/dergate/bin/python"
    done = subprocess.run(
        [sys.executable, *command[1:]], capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
