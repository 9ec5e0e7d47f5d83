"""`dergate events` and `dergate capture` on a spool whose agent is gone, and on every kind of rubbish."""

from __future__ import annotations

import builtins
import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from made_incident import AT, COLUMNS, capture, trip
from typer.testing import CliRunner

from cli.main import build
from contract.envelope import RecordClass
from contract.records import Event
from edge.agent.tally import Steps, Sum
from edge.agent.tally_file import TallyFile
from edge.spool import Spool

SITE = '[site]\nid = "demo-site"\nname = "Demo [site]"\n'


@pytest.fixture(autouse=True)
def _no_agents(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tempfile.mkdtemp(prefix="dg")
    monkeypatch.setenv("DERGATE_RUNTIME_DIR", folder)
    yield
    shutil.rmtree(folder)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site that tripped, was reset, and lost its power in the next pickup; the portal has the first three."""
    path = tmp_path / "here.site.toml"
    path.write_text(SITE)
    with closing(Spool(spool_of(path), "demo-site")) as spool:
        keep(spool, 0.0, Event(type="pickup", at=AT, detail="element 32 picked up", capture=trip()))
        keep(spool, 1.25, Event(type="trip", at=AT + timedelta(seconds=1.25), detail="target 32"))
        keep(
            spool,
            0.0,
            Event(type="capture", at=AT, detail="pickup: element 32 [picked] up, and 1 more", capture=trip()),
        )
        spool.mark_received([record.id for record in spool.pending(10)])
        keep(
            spool, 40.0, Event(type="reset", at=AT + timedelta(seconds=40), detail="the trip latch was reset")
        )
        cut = trip().model_copy(update={"scans": trip().scans[:3], "marks": trip().marks[:1]})
        keep(spool, 90.0, Event(type="pickup", at=AT + timedelta(seconds=90), detail="again", capture=cut))
    return path


def spool_of(site: Path) -> Path:
    return site.with_suffix(".state") / "spool.sqlite"


def keep(spool: Spool, after_s: float, event: Event) -> None:
    when = AT + timedelta(seconds=after_s)
    spool.append(
        "event", RecordClass.EVIDENCE, event, when=when, time_quality="holdover", mono_s=1000.0 + after_s
    )


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    result = CliRunner().invoke(build(), [str(argument) for argument in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_events_without_an_agent(site: Path) -> None:
    TallyFile(site.with_suffix(".state") / "excursions.json").save(
        Steps({int(time.time() // 600): Sum(2, 3.5, 4.25)}, {"b": {1: Sum(1)}})
    )
    status, out, err = run("events", site)
    assert status == 0
    assert err == "no agent answers: this is what it has stored\n"
    lines = out.splitlines()
    assert [line.split()[4] for line in lines[1:5]] == ["pickup", "trip", "reset", "pickup"]
    assert lines[1].startswith("2026-05-01 12:00:00.250  holdover          1000.000  pickup")
    assert [line.split()[5] for line in (lines[1], lines[2], lines[4])] == ["3", "3", "5"]
    assert (
        lines[5]
        == "excursions  2 in 1 h (3.5 s, 4.2 Wh); 2 in 24 h (3.5 s, 4.2 Wh); 2 in 30 days (3.5 s, 4.2 Wh)"
    )
    status, out, _ = run("events", site, "--json", "--last", "2")
    found = json.loads(out)
    assert [event["seq"] for event in found["events"]] == [4, 5]
    assert [event["capture"] for event in found["events"]] == [None, 5]
    assert found["excursions"]["last_24h"]["count"] == 2


def test_the_list_has_whole_captures_and_those_cut_by_a_power_loss(site: Path) -> None:
    status, out, _ = run("capture", site)
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == ["ID", "3", "5"]
    assert "element 32 [picked] up" in out
    assert out.splitlines()[2].endswith("what came after is not there)")
    captures = json.loads(run("capture", site, "--json")[1])["captures"]
    assert [(one["id"], one["complete"], one["scans"]) for one in captures] == [(3, True, 6), (5, False, 3)]


def test_one_capture_as_text_json_picture_and_comtrade(site: Path, tmp_path: Path) -> None:
    out_dir, png = tmp_path / "a" / "b", tmp_path / "trip.png"
    status, out, err = run("capture", "3", site, "--plot", png, "--comtrade", out_dir)
    assert (status, err) == (0, "")
    assert "+1.250 s  trip: target 32" in out
    assert png.exists()
    assert sorted(path.name for path in out_dir.iterdir()) == [
        f"demo-site-3.{end}" for end in ("cfg", "dat", "hdr")
    ]
    found = json.loads(run("capture", "3", site, "--json")[1])
    assert found["rows"] == [list(row) for row in trip().rows]
    assert found["marks"] == [mark.model_dump() for mark in trip().marks]
    assert found["columns"] == list(trip().columns)


def test_the_beginning_of_a_capture_names_the_record_that_has_all_of_it(site: Path) -> None:
    status, out, _ = run("capture", "1", site)
    assert status == 0
    assert "this is its beginning; all of it is capture 3\n" in out
    found = [json.loads(run("capture", number, site, "--json")[1])["whole"] for number in ("1", "3", "5")]
    assert found == [3, None, None]
    assert "beginning" not in run("capture", "5", site)[1]


def test_a_capture_cut_by_a_power_loss_is_a_record_like_others(site: Path, tmp_path: Path) -> None:
    status, out, _ = run("capture", "5", site, "--plot", tmp_path / "cut.png", "--comtrade", tmp_path)
    assert status == 0
    assert "3 scans from -0.4 to +0.0 s" in out
    assert (tmp_path / "demo-site-5.dat").read_text().count("\n") == 3


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["99"], 2, "there is no event 99 in"),
        (["9223372036854775808"], 2, "is no capture's number"),
        (["0"], 2, "there is no event 0 in"),
        (["4"], 2, "record 4 (reset: the trip latch was reset) has no capture"),
        (["-1"], 2, "No such option"),
        (["x1"], 2, "'x1' is no capture's number"),
        (["٣"], 2, "is no capture's number"),
    ],
)
def test_ids_that_are_none(site: Path, arguments: list[str], status: int, says: str) -> None:
    found, _, err = run("capture", *arguments, site)
    assert found == status
    assert says in err


def test_a_picture_of_nothing_in_particular(site: Path, tmp_path: Path) -> None:
    status, _, err = run("capture", site, "--plot", tmp_path / "x.png")
    assert status == 2
    assert "say which capture" in err
    assert run("capture", "3", site, "--plot", tmp_path / "none" / "x.png")[0] == 3
    (tmp_path / "file").write_text("")
    assert run("capture", "3", site, "--comtrade", tmp_path / "file")[0] == 3


def test_without_matplotlib_the_extra_is_named(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: object, **options: object) -> object:
        if name.startswith(("matplotlib", "edge.evidence.plot")):
            raise ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib")
        return real(name, *arguments, **options)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(builtins, "__import__", without)
    status, _, err = run("capture", "3", site, "--plot", tmp_path / "x.png")
    assert status == 2
    assert err == "a plot needs matplotlib: install the extra 'report', pip install 'dergate[report]'\n"
    assert run("capture", "3", site, "--comtrade", tmp_path)[0] == 0


@pytest.mark.parametrize("command", ["events", "capture"])
def test_no_spool_no_site_no_agent(command: str, tmp_path: Path) -> None:
    path = tmp_path / "here.site.toml"
    assert run(command, path)[0] == 2
    assert run(command)[0] == 3
    path.write_text("[site\n")
    assert run(command, path)[0] == 2
    path.write_text(SITE)
    status, _, err = run(command, path)
    assert status == 2
    assert "there is no spool at" in err


@pytest.mark.parametrize("command", ["events", "capture"])
@pytest.mark.parametrize("text", ["site = 3", "state_dir = 7\nsite = {name = 4}", "", "unknown_key = 1"])
def test_a_site_file_with_mistakes_hides_no_evidence(command: str, text: str, site: Path) -> None:
    site.write_text(text)
    status, out, _ = run(command, site)
    assert status == 0
    assert "pick" in out


def test_another_state_dir_declared_or_given(site: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    site.with_suffix(".state").rename(moved)
    assert run("events", site)[0] == 2
    assert run("events", site, "--state-dir", moved)[0] == 0
    assert run("capture", "3", site, "--state-dir", moved)[0] == 0
    site.write_text(f'state_dir = "elsewhere"\n{SITE}')
    assert run("capture", "3", site)[0] == 0


@pytest.mark.parametrize("command", ["events", "capture"])
def test_a_damaged_record_is_told_with_status_1_and_the_rest_is_shown(command: str, site: Path) -> None:
    with closing(sqlite3.connect(spool_of(site))) as db:
        db.execute("UPDATE records SET body = x'00' WHERE seq = 4")
        db.commit()
    status, out, err = run(command, site)
    assert status == 1
    assert "record 4 is damaged" in err
    assert "again" in out


@pytest.mark.parametrize("command", ["events", "capture"])
def test_a_damaged_spool_is_one_sentence(command: str, site: Path) -> None:
    spool_of(site).write_bytes(b"rubbish" * 1000)
    status, _, err = run(command, site)
    assert status == 2
    assert err.count("\n") == 1
    assert "file is not a database" in err


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("1.0", "one value for each column"),
        ("," * (len(COLUMNS) - 1), "has its time"),
        ("0" + ",1" * len(COLUMNS), "one value for each column"),
        ("0" + ",nan" * (len(COLUMNS) - 1), "finite"),
        ("0" + ",x" * (len(COLUMNS) - 1), "could not convert"),
        ("0" + ",inf" + "," * (len(COLUMNS) - 2), "finite"),
    ],
)
def test_a_capture_of_rubbish_is_refused_when_it_is_read(site: Path, line: str, says: str) -> None:
    with closing(sqlite3.connect(spool_of(site))) as db:
        (body,) = db.execute("SELECT body FROM records WHERE seq = 5").fetchone()
        envelope = json.loads(body)
        envelope["payload"]["capture"]["scans"][1] = line
        db.execute("UPDATE records SET body = ? WHERE seq = 5", (json.dumps(envelope).encode(),))
        db.commit()
    status, _, err = run("capture", "5", site)
    assert status == 2
    assert says in err
    status, out, err = run("capture", site)
    assert status == 1
    assert says in err
    assert [shown.split()[0] for shown in out.splitlines()] == ["ID", "3"]


def test_an_empty_capture_makes_a_picture_and_no_fault_record(site: Path, tmp_path: Path) -> None:
    empty = capture(("t_s",), ())
    with closing(Spool(spool_of(site), "demo-site")) as spool:
        keep(spool, 99.0, Event(type="capture", at=datetime.now(UTC), detail="nothing", capture=empty))
    assert run("capture", "6", site)[0] == 0
    assert run("capture", "6", site, "--plot", tmp_path / "empty.png")[0] == 0
    status, _, err = run("capture", "6", site, "--comtrade", tmp_path)
    assert (status, err) == (2, "capture 6 has no samples\n")
