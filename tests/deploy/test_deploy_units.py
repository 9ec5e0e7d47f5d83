"""The systemd units: accepted by systemd, as tight as stated, and true to the commands that they start."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.priority import PRIORITY
from edge.model.site import Control

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
AGENT, LINK = FOLDER / "dergate-agent.service", FOLDER / "dergate-link.service"
UNITS = [AGENT, LINK]

EXPOSURE = {AGENT.name: 1.5, LINK.name: 1.3}
"""The most that `systemd-analyze security` may say, on its scale from 0 to 10."""

ANALYZE = shutil.which("systemd-analyze")


# A strict reader: what these units use, each with the form its value must have.

TIME = r"\d+(ms|s|min)"
SIZE = r"\d+[KMG]"
FLAG = r"yes|no"
NUMBER = r"-?\d+"
PATH = r"/\S+"

FORMS = {
    "Unit": {
        "Description": r".+",
        "After": r"[\w.@ -]+",
        "Wants": r"[\w.@ -]+",
        "StartLimitIntervalSec": r"0|" + TIME,
    },
    "Install": {"WantedBy": r"multi-user\.target"},
    "Service": {
        **dict.fromkeys(
            [
                "CPUSchedulingResetOnFork",
                "LockPersonality",
                "MemoryDenyWriteExecute",
                "NoNewPrivileges",
                "PrivateDevices",
                "PrivateMounts",
                "PrivateTmp",
                "ProtectClock",
                "ProtectControlGroups",
                "ProtectHome",
                "ProtectHostname",
                "ProtectKernelLogs",
                "ProtectKernelModules",
                "ProtectKernelTunables",
                "RemoveIPC",
                "RestrictNamespaces",
                "RestrictRealtime",
                "RestrictSUIDSGID",
            ],
            FLAG,
        ),
        **dict.fromkeys(
            ["WatchdogSec", "TimeoutStartSec", "TimeoutStopSec", "RestartSec", "LimitRTTIME"], TIME
        ),
        **dict.fromkeys(["MemoryMax"], SIZE),
        **dict.fromkeys(
            [
                "CPUSchedulingPriority",
                "CPUWeight",
                "IOSchedulingPriority",
                "LimitCORE",
                "LimitNOFILE",
                "Nice",
                "OOMScoreAdjust",
                "RestartPreventExitStatus",
                "TasksMax",
            ],
            NUMBER,
        ),
        **dict.fromkeys(["StateDirectoryMode", "RuntimeDirectoryMode", "UMask"], r"0[0-7]{3}"),
        **dict.fromkeys(["User", "Group", "StateDirectory", "RuntimeDirectory"], r"dergate"),
        "Type": r"notify",
        "NotifyAccess": r"main",
        "ExecStart": PATH + r"( \S+)*",
        "EnvironmentFile": PATH,
        "Environment": r"(\w+=\S+ ?)+",
        "LoadCredential": r"[\w.]+:" + PATH,
        "WatchdogSignal": r"SIGKILL",
        "KillMode": r"mixed|control-group",
        "Restart": r"always",
        "SupplementaryGroups": r"[\w ]+",
        "CPUSchedulingPolicy": r"rr|fifo|other",
        "IOSchedulingClass": r"best-effort|idle",
        "DevicePolicy": r"closed",
        "DeviceAllow": r"char-\w+ rw?",
        "RestrictAddressFamilies": r"(AF_\w+ ?)+",
        "IPAddressDeny": r"any",
        "IPAddressAllow": r"((localhost|link-local|[0-9a-f.:]+/\d+) ?)+",
        "CapabilityBoundingSet": r"",
        "AmbientCapabilities": r"",
        "ProtectSystem": r"strict",
        "ProtectProc": r"invisible",
        "KeyringMode": r"private",
        "SystemCallArchitectures": r"native",
        "SystemCallFilter": r"~?(@[\w-]+ ?)+",
        "SystemCallErrorNumber": r"E[A-Z]+",
    },
}
REPEATED = {"DeviceAllow", "SystemCallFilter", "Environment"}


class BadUnitError(Exception):
    """A line that systemd would ignore or refuse."""


Unit = dict[str, dict[str, list[str]]]


def read_unit(path: Path) -> Unit:
    """Sections, keys and their values in order.

    Raises:
        BadUnitError: an unknown section or key, a value of another form, a key given twice.
    """
    unit: Unit = {}
    section = ""
    text = re.sub(r"\\\n\s*", "", path.read_text(encoding="utf-8"))
    for line in text.splitlines():
        if not line or line[0] in "#;":
            continue
        if found := re.fullmatch(r"\[(\w+)\]", line):
            section = found[1]
            if section not in FORMS or section in unit:
                raise BadUnitError(f"{path.name}: section {section}")
            unit[section] = {}
            continue
        key, equals, value = line.partition("=")
        form = FORMS.get(section, {}).get(key)
        if form is None or not equals or not re.fullmatch(form, value):
            raise BadUnitError(f"{path.name}: {line}")
        values = unit[section].setdefault(key, [])
        if values and key not in REPEATED:
            raise BadUnitError(f"{path.name}: {key} is given twice")
        values.append(value)
    return unit


def seconds(text: str) -> float:
    """A time as the units write it."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|min)", text).groups()  # type: ignore[union-attr] # read_unit has matched it
    return float(number) * {"ms": 0.001, "s": 1.0, "min": 60.0}[unit]


def _service(path: Path) -> dict[str, list[str]]:
    return read_unit(path)["Service"]


def _here(path: Path, folder: Path) -> Path:
    """The unit with a command that exists on this machine."""
    text, changed = re.subn(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(encoding="utf-8"))
    assert changed == 1
    copy = folder / path.name
    copy.write_text(text, encoding="utf-8")
    return copy


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_every_line_is_one_that_systemd_knows(path: Path) -> None:
    unit: Unit = read_unit(path)
    assert set(unit) == {"Unit", "Service", "Install"}


@pytest.mark.parametrize("line", ["WatchdogSecs=5s", "WatchdogSec=5 fortnights", "User=root", "Type=notify"])
def test_the_reader_refuses_what_systemd_would_ignore(line: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.service"
    bad.write_text(
        AGENT.read_text(encoding="utf-8").replace("[Install]", f"{line}\n[Install]"), encoding="utf-8"
    )
    with pytest.raises(BadUnitError):
        read_unit(bad)


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not here; the strict reader has checked the units")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    copies = [str(_here(path, tmp_path)) for path in UNITS]
    done = _analyze("verify", "--man=no", *copies)
    assert done.returncode == 0, done.stderr
    assert ".service" not in done.stderr, done.stderr


@pytest.mark.skipif(
    ANALYZE is None, reason="systemd is not here; the hardening is checked line by line below"
)
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_exposure_stays_below_the_stated_figure(path: Path, tmp_path: Path) -> None:
    done = _analyze("security", "--offline=true", "--no-pager", str(_here(path, tmp_path)))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSURE[path.name]


def _analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    return subprocess.run([ANALYZE, *arguments], capture_output=True, text=True, check=False, timeout=50)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_no_more_rights_than_needed(path: Path) -> None:
    service = _service(path)
    for key in (
        "NoNewPrivileges",
        "MemoryDenyWriteExecute",
        "RestrictNamespaces",
        "RestrictSUIDSGID",
        "PrivateTmp",
    ):
        assert service[key] == ["yes"], key
    assert service["User"] == ["dergate"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["CapabilityBoundingSet"] == [""]
    assert service["RestrictAddressFamilies"] == ["AF_UNIX AF_INET AF_INET6"]
    assert service["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]


def test_the_agent_may_open_serial_and_gpio_lines_and_the_link_none() -> None:
    agent, link = _service(AGENT), _service(LINK)
    assert {line.split()[0] for line in agent["DeviceAllow"]} == {
        "char-ttyUSB", "char-ttyACM", "char-ttyS", "char-ttyAMA", "char-gpiochip",
    }  # fmt: skip
    assert "PrivateDevices" not in agent
    assert link["PrivateDevices"] == ["yes"]
    assert "DeviceAllow" not in link


def test_the_agent_reaches_the_plant_only_and_the_link_the_outside() -> None:
    assert _service(AGENT)["IPAddressDeny"] == ["any"]
    assert "IPAddressDeny" not in _service(LINK)


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_hung_process_is_killed_and_started_again_without_end(path: Path) -> None:
    unit = read_unit(path)
    service = unit["Service"]
    assert service["Type"] == ["notify"]
    assert service["NotifyAccess"] == ["main"], "a child must not feed the watchdog"
    assert service["WatchdogSignal"] == ["SIGKILL"], "a stopped process takes no other"
    assert service["Restart"] == ["always"]
    assert service["RestartPreventExitStatus"] == ["2"]
    assert unit["Unit"]["StartLimitIntervalSec"] == ["0"]


def test_the_watchdog_outlasts_two_of_the_longest_scans() -> None:
    bounds = [limit.le for limit in Control.model_fields["scan_s"].metadata if hasattr(limit, "le")]
    assert len(bounds) == 1
    assert seconds(_service(AGENT)["WatchdogSec"][0]) > 2 * bounds[0]


def test_the_benchmark_measures_at_the_priority_of_the_unit() -> None:
    service = _service(AGENT)
    assert service["CPUSchedulingPolicy"] == ["rr"]
    assert service["CPUSchedulingPriority"] == [str(PRIORITY)]


def test_users_and_folders_are_the_units() -> None:
    users = (FOLDER / "dergate.sysusers").read_text(encoding="utf-8").splitlines()
    assert 'u dergate - "dergate gateway" /var/lib/dergate' in users
    assert "m dergate dialout" in users
    folders = (FOLDER / "dergate.tmpfiles").read_text(encoding="utf-8").splitlines()
    assert "d /etc/dergate 0750 root dergate" in folders
