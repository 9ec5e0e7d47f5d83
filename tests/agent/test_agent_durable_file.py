"""The protective state: whole or not at all, checked when read, created once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from edge.agent import durable_file
from edge.agent.durable_file import DurableFile, DurableFileError
from edge.agent.keeper import Keeper
from edge.agent.tell import Happening
from edge.agent.wall import Moment, Wall
from edge.model.durable import NEW_SITE, STATE_LOST, Durable

TRIPPED = Durable(tripped=True, target="32", lockout=True, trips_s=(90.0, 99.5), in_service=False)


def moment(mono_s: float, wall_s: float = 1_000_100.0, boot: str = "this", *, trusted: bool = True) -> Moment:
    return Moment(mono_s, wall_s, boot, trusted)


NOW = moment(1.0)
SAVED = moment(100.0)
"""10 s after the first trip, half a second after the second."""

NEVER_S, CERTAINLY_S = 0.0, 500.0


@pytest.mark.parametrize(
    ("saved", "found", "passed_s"),
    [
        (SAVED, moment(600.0, 1_000_600.0), CERTAINLY_S),
        # Within a boot monotonic time tells, whatever the wall clock shows.
        (SAVED, moment(600.0, 1_086_500.0), CERTAINLY_S),
        (SAVED, moment(600.0, 0.0, trusted=False), CERTAINLY_S),
        (SAVED, moment(99.0, 1_000_600.0), NEVER_S),
        # Over a boot a trusted clock does, and one that cannot be trusted lets nothing pass.
        (SAVED, moment(7.0, 1_000_600.0, "next"), CERTAINLY_S),
        (SAVED, moment(7.0, 1_086_500.0, "next", trusted=False), NEVER_S),
        (moment(100.0, trusted=False), moment(7.0, 1_086_500.0, "next"), NEVER_S),
        # No RTC: the clock starts in 1970; time never runs below the highest seen.
        (SAVED, moment(7.0, 0.0, "next", trusted=False), NEVER_S),
        (SAVED, moment(7.0, 0.0, "next"), NEVER_S),
    ],
)
def test_a_trip_gets_older_by_what_certainly_passed(
    tmp_path: Path, saved: Moment, found: Moment, passed_s: float
) -> None:
    file = DurableFile(tmp_path / "state" / "durable.json")
    file.save(TRIPPED, saved)
    restored = file.load(found)
    ages_s = tuple(found.mono_s - trip_s for trip_s in restored.durable.trips_s)
    assert ages_s == pytest.approx((10.0 + passed_s, 0.5 + passed_s))
    assert (restored.durable.target, restored.durable.lockout) == ("32", True)
    assert restored.highest_wall_s == saved.wall_s


def test_a_state_without_its_moment_makes_no_trip_older(tmp_path: Path) -> None:
    path = tmp_path / "durable.json"
    file = DurableFile(path)
    file.save(TRIPPED, SAVED)
    content = json.loads(path.read_text())["content"]
    for later in ("mono_s", "boot", "trusted"):
        del content[later]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({"content": content, "sha256": digest}))
    restored = file.load(moment(7.0, 1_086_500.0, "next"))
    assert restored.problem is None
    assert restored.durable.trips_s == pytest.approx((-3.0, 6.5))


def test_what_is_restored_again_and_again_gets_no_younger(tmp_path: Path) -> None:
    file = DurableFile(tmp_path / "durable.json")
    file.save(TRIPPED, SAVED)
    now = SAVED
    for _ in range(5):
        now = moment(now.mono_s + 60.0, now.wall_s - 1000.0, trusted=False)
        file.save(file.load(now).durable, now)
    assert file.load(now).durable.trips_s == pytest.approx(TRIPPED.trips_s)


def test_missing_state_is_tripped(tmp_path: Path) -> None:
    restored = DurableFile(tmp_path / "durable.json").load(NOW)
    assert restored.durable == STATE_LOST
    assert "missing" in str(restored.problem)


def test_every_damage_is_tripped(tmp_path: Path) -> None:
    path = tmp_path / "durable.json"
    file = DurableFile(path)
    file.save(NEW_SITE, NOW)
    whole = path.read_bytes()
    assert file.load(NOW).durable == NEW_SITE
    for cut in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:cut])
        assert file.load(NOW).durable == STATE_LOST, cut
    for place in range(0, len(whole), 5):
        flipped = bytearray(whole)
        flipped[place] ^= 0x10
        path.write_bytes(bytes(flipped))
        found = file.load(NOW)
        assert found.durable in (STATE_LOST, NEW_SITE), place
        assert found.durable == STATE_LOST or json.loads(bytes(flipped)) == json.loads(whole)
    path.write_bytes(b"\x00" * 4096)
    assert file.load(NOW).durable == STATE_LOST


def test_a_forged_latch_does_not_pass_the_checksum(tmp_path: Path) -> None:
    path = tmp_path / "durable.json"
    DurableFile(path).save(TRIPPED, NOW)
    path.write_text(path.read_text().replace('"tripped": true', '"tripped": false'))
    assert DurableFile(path).load(NOW).durable == STATE_LOST


def test_state_is_created_once(tmp_path: Path) -> None:
    file = DurableFile(tmp_path / "durable.json")
    file.create(NOW)
    file.save(TRIPPED, NOW)
    with pytest.raises(DurableFileError, match="exists already"):
        file.create(NOW)
    assert file.load(NOW).durable.tripped


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("not a folder")
    with pytest.raises(DurableFileError, match="cannot be written"):
        DurableFile(tmp_path / "state" / "durable.json").save(NEW_SITE, NOW)


WRITER = """
import sys
from pathlib import Path
from edge.agent.durable_file import DurableFile
from edge.agent.wall import Moment
from edge.model.durable import Durable
file, number = DurableFile(Path(sys.argv[1])), 0
while True:
    number += 1
    trips = tuple(float(n) for n in range(number % 200))
    file.save(Durable(tripped=True, target=f"t{number}", trips_s=trips), Moment(0.0, float(number), "", False))
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
        restored = DurableFile(path).load(NOW)
        assert restored.problem is None
        assert restored.durable.target in (f"t{said[-1]}", f"t{said[-1] + 1}")


def aside_of(path: Path) -> Path:
    return path.with_suffix(".aside")


class StubbornFile(DurableFile):
    """A state file on a disk that is full at times."""

    full = False

    def save(self, durable: Durable, now: Moment) -> None:
        if self.full:
            raise DurableFileError("the disk is full")
        super().save(durable, now)


async def test_the_keeper_says_for_how_long_the_disk_has_been_behind(tmp_path: Path) -> None:
    file, told = StubbornFile(tmp_path / "durable.json"), list[Happening]()
    keeper = Keeper(file, Wall(), told.append, STATE_LOST)
    assert keeper.keep(NEW_SITE) >= 0.0
    assert await keeper.flush()
    assert keeper.keep(NEW_SITE) == 0.0
    file.full = True
    keeper.keep(TRIPPED)
    await asyncio.sleep(0.05)
    assert not await keeper.flush()
    assert keeper.keep(TRIPPED) >= 0.05
    assert keeper.keep(STATE_LOST) >= 0.05, "another change does not start it anew"
    assert ["set aside" in happening.detail for happening in told] == [False, True]
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
            pool.submit(file.save, TRIPPED, moment(0.0, float(number)))
    assert most == 1
    assert file.load(NOW).durable.tripped


OPEN_TRIP = Durable(tripped=True, target="32", trips_s=(5.0,))
LOCKED = replace(OPEN_TRIP, lockout=True)
RESET = Durable(tripped=False, trips_s=(5.0,))


@pytest.mark.parametrize(
    ("found", "wanted", "aside"),
    [
        (NEW_SITE, OPEN_TRIP, True),
        (NEW_SITE, RESET, True),
        (RESET, OPEN_TRIP, True),
        (OPEN_TRIP, LOCKED, True),
        (NEW_SITE, replace(NEW_SITE, trips_s=(5.0,)), False),
        (OPEN_TRIP, RESET, False),
        (LOCKED, OPEN_TRIP, False),
        (RESET, NEW_SITE, False),
        (OPEN_TRIP, OPEN_TRIP, False),
    ],
)
async def test_a_state_that_cannot_be_written_leaves_none_that_allows_more(
    tmp_path: Path, found: Durable, wanted: Durable, aside: bool
) -> None:
    path, told = tmp_path / "durable.json", list[Happening]()
    file = StubbornFile(path)
    file.save(found, NOW)
    keeper = Keeper(file, Wall(), told.append, found)
    file.full = True
    keeper.keep(wanted)
    assert not await keeper.flush()
    assert not await keeper.flush()
    assert aside_of(path).exists() == aside
    assert len(told) == (2 if aside else 1)
    if aside:
        restored = file.load(NOW)
        assert restored.durable == STATE_LOST
        assert "a trip could not be written, so it was set aside" in str(restored.problem)
    file.full = False
    assert await keeper.flush()
    restored = file.load(NOW)
    assert restored.problem is None
    assert (restored.durable.tripped, restored.durable.lockout) == (wanted.tripped, wanted.lockout)
    assert not aside_of(path).exists()


async def test_a_disk_that_takes_nothing_at_all_is_told_and_tried_again(tmp_path: Path) -> None:
    told = list[Happening]()
    keeper = Keeper(DurableFile(tmp_path / "durable.json" / "x"), Wall(), told.append, NEW_SITE)
    (tmp_path / "durable.json").write_text("not a folder")
    keeper.keep(TRIPPED)
    for _ in range(3):
        assert not await keeper.flush()
    assert [happening.kind for happening in told] == ["alarm"]


def test_what_is_replaced_is_overwritten_the_next_time_and_nothing_grows(tmp_path: Path) -> None:
    path = tmp_path / "durable.json"
    file = DurableFile(path)
    file.save(TRIPPED, NOW)
    file.save(NEW_SITE, NOW)
    inodes = {each.stat().st_ino for each in tmp_path.iterdir()}
    assert len(inodes) == 2
    for number in range(6):
        file.save(TRIPPED if number % 2 else NEW_SITE, NOW)
        assert file.load(NOW).durable.tripped == bool(number % 2)
        assert {each.stat().st_ino for each in tmp_path.iterdir()} == inodes, "no block is asked for"
