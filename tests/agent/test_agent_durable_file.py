"""The protective state: whole or not at all, checked when read, created once."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edge.agent import durable_file
from edge.agent.durable_file import DurableFile, DurableFileError
from edge.agent.keeper import Keeper
from edge.agent.tell import Happening
from edge.agent.wall import Wall
from edge.model.durable import NEW_SITE, STATE_LOST, Durable

TRIPPED = Durable(tripped=True, target="32", lockout=True, trips_s=(90.0, 99.5), in_service=False)


def test_what_was_saved_comes_back_on_the_new_process_axis(tmp_path: Path) -> None:
    file = DurableFile(tmp_path / "state" / "durable.json")
    file.save(TRIPPED, offset_s=1_000_000.0, highest_wall_s=1_000_100.0)
    # The next process starts 500 s later, and its monotonic clock began anew.
    restored = file.load(now_s=7.0, wall_s=1_000_600.0)
    assert restored.durable.trips_s == pytest.approx((7.0 - 510.0, 7.0 - 500.5))
    assert (restored.durable.target, restored.durable.lockout) == ("32", True)
    assert restored.highest_wall_s == 1_000_100.0


def test_time_never_runs_below_the_highest_seen(tmp_path: Path) -> None:
    file = DurableFile(tmp_path / "durable.json")
    file.save(TRIPPED, offset_s=1_000_000.0, highest_wall_s=1_000_100.0)
    restored = file.load(now_s=7.0, wall_s=0.0)  # no RTC: the clock starts in 1970
    assert restored.durable.trips_s == pytest.approx((-3.0, 6.5))


def test_missing_state_is_tripped(tmp_path: Path) -> None:
    restored = DurableFile(tmp_path / "durable.json").load(1.0, 2.0)
    assert restored.durable == STATE_LOST
    assert "missing" in str(restored.problem)


def test_every_damage_is_tripped(tmp_path: Path) -> None:
    path = tmp_path / "durable.json"
    file = DurableFile(path)
    file.save(NEW_SITE, 0.0, 100.0)
    whole = path.read_bytes()
    assert file.load(1.0, 200.0).durable == NEW_SITE
    for cut in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:cut])
        assert file.load(1.0, 200.0).durable == STATE_LOST, cut
    for place in range(0, len(whole), 5):
        flipped = bytearray(whole)
        flipped[place] ^= 0x10
        path.write_bytes(bytes(flipped))
        found = file.load(1.0, 200.0)
        assert found.durable in (STATE_LOST, NEW_SITE), place
        assert found.durable == STATE_LOST or json.loads(bytes(flipped)) == json.loads(whole)
    path.write_bytes(b"\x00" * 4096)
    assert file.load(1.0, 200.0).durable == STATE_LOST


def test_a_forged_latch_does_not_pass_the_checksum(tmp_path: Path) -> None:
    path = tmp_path / "durable.json"
    DurableFile(path).save(TRIPPED, 0.0, 100.0)
    path.write_text(path.read_text().replace('"tripped": true', '"tripped": false'))
    assert DurableFile(path).load(1.0, 2.0).durable == STATE_LOST


def test_state_is_created_once(tmp_path: Path) -> None:
    file = DurableFile(tmp_path / "durable.json")
    file.create(100.0)
    file.save(TRIPPED, 0.0, 100.0)
    with pytest.raises(DurableFileError, match="exists already"):
        file.create(100.0)
    assert file.load(1.0, 200.0).durable.tripped


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder")
    with pytest.raises(DurableFileError, match="cannot be written"):
        DurableFile(tmp_path / "state" / "durable.json").save(NEW_SITE, 0.0, 1.0)


WRITER = """
import sys
from pathlib import Path
from edge.agent.durable_file import DurableFile
from edge.model.durable import Durable
file, number = DurableFile(Path(sys.argv[1])), 0
while True:
    number += 1
    trips = tuple(float(n) for n in range(number % 200))
    file.save(Durable(tripped=True, target=f"t{number}", trips_s=trips), 0.0, float(number))
    print(number, flush=True)
"""


def test_kill_in_the_middle_of_writing_leaves_the_last_or_the_next(tmp_path: Path) -> None:
    path = tmp_path / "durable.json"
    root = Path(__file__).parents[2]
    for delay_s in (0.05, 0.11, 0.17, 0.02):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=root
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        said = [1, *(int(line) for line in process.stdout.read().split())]
        process.stdout.close()
        process.wait()
        restored = DurableFile(path).load(1.0, 0.0)
        assert restored.problem is None
        assert restored.durable.target in (f"t{said[-1]}", f"t{said[-1] + 1}")


class StubbornFile(DurableFile):
    """A state file on a disk that is full at times."""

    full = False

    def save(self, durable: Durable, offset_s: float, highest_wall_s: float) -> None:
        if self.full:
            raise DurableFileError("the disk is full")
        super().save(durable, offset_s, highest_wall_s)


async def test_the_keeper_says_for_how_long_the_disk_has_been_behind(tmp_path: Path) -> None:
    file, told = StubbornFile(tmp_path / "durable.json"), list[Happening]()
    keeper = Keeper(file, Wall(), told.append)
    assert keeper.keep(NEW_SITE) >= 0.0
    assert await keeper.flush()
    assert keeper.keep(NEW_SITE) == 0.0
    file.full = True
    keeper.keep(TRIPPED)
    await asyncio.sleep(0.05)
    assert not await keeper.flush()
    assert keeper.keep(TRIPPED) >= 0.05
    assert keeper.keep(STATE_LOST) >= 0.05, "another change does not start it anew"
    assert [happening.kind for happening in told] == ["alarm"]
    file.full = False
    assert await keeper.flush()
    assert keeper.keep(STATE_LOST) == 0.0


def test_savings_never_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running, most = 0, 0
    real = durable_file.replace_file

    def replace(path: Path, data: bytes) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        time.sleep(0.02)
        real(path, data)
        running -= 1

    monkeypatch.setattr(durable_file, "replace_file", replace)
    file = DurableFile(tmp_path / "durable.json")
    with ThreadPoolExecutor(4) as pool:
        for number in range(8):
            pool.submit(file.save, TRIPPED, 0.0, float(number))
    assert most == 1
    assert file.load(1.0, 2.0).durable.tripped
