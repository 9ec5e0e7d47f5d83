"""A GPIO chip of the kernel's own simulator (gpio-sim, through configfs), where the machine offers it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIG = Path("/sys/kernel/config/gpio-sim")
LINES = 4
NAMES = {0: "TRIP", 1: "AUX"}


def why_not() -> str | None:
    """Why there can be no simulated chip here; None where there can."""
    if not CONFIG.is_dir():
        return (
            "this kernel has no gpio-sim at /sys/kernel/config: the adapter to libgpiod stays untested here"
        )
    if not os.access(CONFIG, os.W_OK):
        return "gpio-sim is here and may not be used: it takes root"
    return None


class SimChip:
    """The chip's device file, and what is seen and set from outside of it."""

    def __init__(self, device: Path, attributes: Path) -> None:
        self.path = str(device)
        self._attributes = attributes

    def level(self, offset: int) -> bool:
        """What a line is at."""
        return (self._attributes / f"sim_gpio{offset}" / "value").read_text().strip() == "1"

    def pull(self, offset: int, *, up: bool) -> None:
        """What the world does to an input."""
        (self._attributes / f"sim_gpio{offset}" / "pull").write_text("pull-up" if up else "pull-down")


@contextmanager
def sim_chip() -> Iterator[SimChip]:
    """A chip of four lines, two of them named."""
    root = CONFIG / f"dergate-{os.getpid()}"
    bank = root / "bank0"
    bank.mkdir(parents=True)
    made = [bank, root]
    try:
        (bank / "num_lines").write_text(str(LINES))
        for offset, name in NAMES.items():
            line = bank / f"line{offset}"
            line.mkdir()
            made.insert(0, line)
            (line / "name").write_text(name)
        (root / "live").write_text("1")
        chip, device = (bank / "chip_name").read_text().strip(), (root / "dev_name").read_text().strip()
        node = Path("/dev") / chip
        if not node.exists():
            major, minor = (Path("/sys/bus/gpio/devices") / chip / "dev").read_text().split(":")
            node = Path("/run") / f"{chip}-{os.getpid()}"
            os.mknod(node, 0o20600, os.makedev(int(major), int(minor)))
        yield SimChip(node, Path("/sys/devices/platform") / device / chip)
    finally:
        (root / "live").write_text("0")
        for place in made:
            place.rmdir()
