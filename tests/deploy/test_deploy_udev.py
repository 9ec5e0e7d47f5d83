"""The udev rules, read by a small evaluator: which adapters get which names, and nothing else gets any."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

RULES = Path(__file__).parents[2] / "deploy" / "udev" / "70-dergate-rs485.rules"

PAIR = re.compile(r'([A-Z_]+)(?:\{(\w+)\})?(==|!=|\+=|=)"([^"]*)"')
MATCHED = {"ACTION", "SUBSYSTEM", "KERNEL", "DRIVER"}
SET = {"GROUP", "MODE"}

Pair = tuple[str, str, str, str]


@dataclass
class Outcome:
    """What the rules do to a device."""

    links: list[str] = field(default_factory=list)
    assigned: dict[str, str] = field(default_factory=dict)


def read_rules() -> list[list[Pair]]:
    """Every rule as its pairs; the whole line must consist of them."""
    rules = []
    for line in RULES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            parts = line.split(", ")
            pairs = [PAIR.fullmatch(part) for part in parts]
            assert all(pairs), line
            rules.append([(found[1], found[2] or "", found[3], found[4]) for found in pairs if found])
    return rules


def apply(device: dict[str, str], env: dict[str, str]) -> Outcome:
    """Run the rules on a device, as udev(7) says."""
    rules = read_rules()
    outcome = Outcome()
    index = 0
    while index < len(rules):
        goto = _run(rules[index], device, env, outcome)
        index = index + 1 if goto is None else _label(rules, goto)
    return outcome


def _run(rule: list[Pair], device: dict[str, str], env: dict[str, str], outcome: Outcome) -> str | None:
    for key, name, operator, value in rule:
        if operator in ("==", "!="):
            actual = env.get(name, "") if key == "ENV" else device.get(key, "")
            matches = any(fnmatchcase(actual, pattern) for pattern in value.split("|"))
            if matches != (operator == "=="):
                return None
    for key, name, operator, value in rule:
        if key == "GOTO":
            return value
        if key == "SYMLINK" and operator == "+=":
            outcome.links.append(re.sub(r"\$env\{(\w+)\}", lambda found: env.get(found[1], ""), value))
        elif operator == "=" and key != "LABEL":
            outcome.assigned[f"{key}{{{name}}}" if name else key] = value
    return None


def _label(rules: list[list[Pair]], name: str) -> int:
    return next(index for index, rule in enumerate(rules) if ("LABEL", "", "=", name) in rule)


def adapter(
    vendor: str, model: str, serial: str = "", interface: str = "00", kernel: str = "ttyUSB0"
) -> Outcome:
    """The rules on the tty of a USB adapter."""
    env = {
        "ID_BUS": "usb",
        "ID_VENDOR_ID": vendor,
        "ID_MODEL_ID": model,
        "ID_SERIAL_SHORT": serial,
        "ID_PATH_TAG": "pci-0000_00_14_0-usb-0_2_1_0",
        "ID_USB_INTERFACE_NUM": interface,
    }
    return apply({"ACTION": "add", "SUBSYSTEM": "tty", "KERNEL": kernel}, env)


AT = "rs485-at-pci-0000_00_14_0-usb-0_2_1_0"


def test_every_rule_uses_keys_and_operators_that_udev_knows() -> None:
    labels = {value for rule in read_rules() for key, _, _, value in rule if key == "LABEL"}
    for rule in read_rules():
        for key, name, operator, value in rule:
            if key in MATCHED:
                assert operator in ("==", "!="), rule
            elif key in SET or key == "LABEL":
                assert operator == "=", rule
            elif key == "GOTO":
                assert value in labels, rule
            elif key == "SYMLINK":
                assert operator == "+=", rule
            else:
                assert key in {"ENV", "ATTR"}, rule
                assert name, rule


def test_ids_are_four_lower_case_hex_digits() -> None:
    ids = [
        value
        for rule in read_rules()
        for key, name, _, value in rule
        if key == "ENV" and name in ("ID_VENDOR_ID", "ID_MODEL_ID")
    ]
    assert len(ids) == 8
    for value in ids:
        assert all(re.fullmatch(r"[0-9a-f]{4}", one) for one in value.split("|")), value


@pytest.mark.parametrize(
    ("vendor", "model"),
    [
        ("0403", "6001"),
        ("0403", "6015"),
        ("1a86", "7523"),
        ("10c4", "ea60"),
        ("067b", "2303"),
        ("067b", "23a3"),
    ],
)
def test_common_adapters_get_both_names_and_the_group(vendor: str, model: str) -> None:
    done = adapter(vendor, model, "A50285BI")
    assert done.links == [AT, "rs485-A50285BI"]
    assert done.assigned == {"GROUP": "dialout", "MODE": "0660", "ENV{ID_MM_DEVICE_IGNORE}": "1"}


def test_an_adapter_without_a_serial_number_of_its_own_goes_by_its_socket() -> None:
    for serial in ("", "0001", "0"):
        assert adapter("10c4", "ea60", serial).links == [AT]


def test_further_ports_of_one_adapter_have_names_of_their_own() -> None:
    assert adapter("0403", "6011", "FT4", "02").links == [AT, "rs485-FT4-if02"]
    assert adapter("0403", "6011", "FT4", "").links == [AT, "rs485-FT4"]


def test_ch343_comes_as_a_modem_device_and_counts_too() -> None:
    assert adapter("1a86", "55d3", "X1", kernel="ttyACM0").links == [AT, "rs485-X1"]


@pytest.mark.parametrize(
    ("vendor", "model", "kernel"),
    [("12d1", "1506", "ttyUSB0"), ("0403", "ffff", "ttyUSB0"), ("0403", "6001", "ttyS0")],
)
def test_nothing_else_is_touched(vendor: str, model: str, kernel: str) -> None:
    assert adapter(vendor, model, "S1", kernel=kernel) == Outcome()


def test_ftdi_answers_without_waiting_sixteen_milliseconds() -> None:
    port = {"ACTION": "add", "SUBSYSTEM": "usb-serial", "DRIVER": "ftdi_sio"}
    assert apply(port, {}).assigned == {"ATTR{latency_timer}": "1"}
    assert apply(port | {"DRIVER": "ch341-uart"}, {}) == Outcome()


def test_udev_itself_accepts_the_rules_where_it_can_judge() -> None:
    """`udevadm verify` came with version 254; before that the reading above is all there is."""
    version = 0
    if shutil.which("udevadm"):
        version = int(subprocess.run(["udevadm", "--version"], capture_output=True, check=True).stdout)
        known = subprocess.run(["udevadm", "verify", "--help"], capture_output=True, check=False, timeout=20)
        assert (known.returncode == 0) is (version >= 254)
    if version >= 254:
        done = subprocess.run(
            ["udevadm", "verify", str(RULES)], capture_output=True, text=True, check=False, timeout=20
        )
        assert done.returncode == 0, done.stdout + done.stderr
