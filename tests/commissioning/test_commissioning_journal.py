"""The journal: what a killed run left changed is known to the next one, whenever it was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from commissioning.journal import BusyError, Change, Journal, JournalError

AT = "2026-01-01T00:00:00+00:00"


def change(journal: Journal, value: float = 300.0) -> Change:
    return journal.change(AT, "settings", "inverter-1", 703, {"ESDlyTms": value}, {"ESDlyTms": value + 1})


def test_an_open_change_is_found_again(tmp_path: Path) -> None:
    with Journal(tmp_path / "state" / "j") as journal:
        entry = change(journal)
    with Journal(tmp_path / "state" / "j") as journal:
        assert journal.open_changes == (entry,)


def test_a_closed_change_is_done_with(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        first, second = change(journal), change(journal, 5.0)
        journal.close(first, AT)
    with Journal(tmp_path / "j") as journal:
        assert journal.open_changes == (second,)


def test_the_newest_change_is_put_back_first(tmp_path: Path) -> None:
    with Journal(tmp_path / "j") as journal:
        first, second = change(journal), change(journal, 301.0)
        assert journal.open_changes == (second, first)


def test_two_runs_never_hold_it_at_once(tmp_path: Path) -> None:
    with Journal(tmp_path / "j"), pytest.raises(BusyError, match="another commissioning run"):
        Journal(tmp_path / "j").__enter__()
    with Journal(tmp_path / "j"):
        pass


def test_every_torn_end_leaves_the_changes_before_it(tmp_path: Path) -> None:
    """Killed while writing, at whichever byte: the change that was being noted was never made."""
    path = tmp_path / "j"
    with Journal(path) as journal:
        kept = change(journal)
        length = path.stat().st_size
        change(journal, 5.0)
    whole = path.read_bytes()
    for end in range(length, len(whole)):
        path.write_bytes(whole[:end])
        with Journal(path) as journal:
            assert journal.open_changes == (kept,), end
            entry = change(journal, 7.0)
        with Journal(path) as journal:
            assert journal.open_changes == (entry, kept), end


def test_a_damaged_line_is_never_skipped(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal:
        change(journal)
    path.write_bytes(b'{"kind": "change", "id"\n' + path.read_bytes())
    with pytest.raises(JournalError, match=r"j:1: the journal is damaged"):
        Journal(path).__enter__()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"Not a directory|File exists"):
        Journal(tmp_path / "file" / "j").__enter__()


def test_a_full_disk_is_told_before_the_change(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.symlink_to("/dev/full")
    with pytest.raises(JournalError, match="No space left"), Journal(path) as journal:
        change(journal)


KILLED = """
import sys, time
from pathlib import Path
from commissioning.journal import Journal
with Journal(Path(sys.argv[1])) as journal:
    number = 0
    while True:
        change = journal.change("now", "settings", "inverter-1", 703, {"P": number}, {"P": number + 1})
        print(number, "changed", flush=True)
        journal.close(change, "now")
        print(number, "closed", flush=True)
        number += 1
"""


@pytest.mark.live
@pytest.mark.parametrize("lines", [1, 2, 7, 20, 51])
def test_kill_9_leaves_a_journal_that_says_what_is_open(tmp_path: Path, lines: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "j")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = [process.stdout.readline().split() for _ in range(lines)]
    os.kill(process.pid, signal.SIGKILL)
    said += [line.split() for line in process.stdout.read().splitlines() if len(line.split()) == 2]
    process.wait()
    process.stdout.close()
    with Journal(tmp_path / "j") as journal:  # the lock went with the process
        open_numbers = [entry.before["P"] for entry in journal.open_changes]
    number, what = int(said[-1][0]), said[-1][1]
    # It may have got one line further than it could say.
    assert open_numbers in ([[number], []] if what == "changed" else [[], [number + 1]])
