"""Small parts of the shell: scan clock, systemd, lock, overrides, floods, captures, excursions."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from agent_site import DEMO, demo_site, site_of

from edge.agent import safe, wall
from edge.agent.coalesce import HOUR_S, PASS, Coalescer
from edge.agent.excursions import Excursions
from edge.agent.lock import SiteLock, SiteLockedError
from edge.agent.minute import Minute
from edge.agent.notify import Notifier
from edge.agent.overrides import MAX_PER_OWNER, Blindfold, Overrides
from edge.agent.scan_clock import ScanClock
from edge.agent.tell import Happening
from edge.model.commands import Commands, DerLimit
from edge.model.durable import NEW_SITE, STATE_LOST, Durable
from edge.model.image import Override, PccReading
from edge.model.sample import Sample
from edge.model.site import PcsMode


def test_scans_on_time_feed_and_late_ones_do_not() -> None:
    clock = ScanClock(0.2)
    assert clock.done(10.0, 10.001)
    assert clock.done(10.2, 10.201)
    assert not clock.done(10.4, 10.65), "took longer than its period"
    assert not clock.done(11.2, 11.201), "came after more than two periods"
    assert clock.done(11.4, 11.401)
    assert (clock.count, clock.late) == (5, 2)
    assert clock.due_s(11.5) == pytest.approx(0.1)
    assert clock.due_s(12.0) == 0.0


def test_p99_counts_from_when_the_scan_was_due() -> None:
    clock = ScanClock(0.2)
    for number in range(200):
        clock.done(number * 0.2, number * 0.2 + 0.002)
    assert clock.p99_s == pytest.approx(0.002)
    for number in range(100):
        late_s = 0.05 if number % 10 == 0 else 0.0
        clock.done(40.0 + number * 0.2 + late_s, 40.0 + number * 0.2 + late_s + 0.002)
    assert clock.p99_s > 0.04


def test_systemd_hears_ready_once_and_then_the_watchdog(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(path))
        heard.settimeout(2)
        notifier = Notifier(str(path))
        notifier.on_time()
        notifier.on_time()
        notifier.stopping()
        assert [heard.recv(200) for _ in range(3)] == [b"READY=1\nWATCHDOG=1", b"WATCHDOG=1", b"STOPPING=1"]
    Notifier("").on_time()
    gone = Notifier(str(path))
    path.unlink()
    gone.on_time()
    gone.stopping()


def test_two_agents_never_run_one_site(tmp_path: Path) -> None:
    lock = SiteLock(tmp_path / "state")
    code = "import sys; from pathlib import Path; from edge.agent.lock import SiteLock; SiteLock(Path(sys.argv[1]))"
    root = Path(__file__).parents[2]
    other = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "state")],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "another agent runs this site already" in other.stderr
    lock.release()
    SiteLock(tmp_path / "state").release()


def test_a_lock_where_nothing_can_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SiteLockedError, match="cannot be used"):
        SiteLock(tmp_path / "file")


def override(until_s: float, *, blind: bool = False) -> Override:
    return Override(by="test", until_s=until_s, limit_w=1000.0, blind=blind)


def test_overrides_end_with_their_time_and_their_connection() -> None:
    held, one, two = Overrides(), object(), object()
    assert held.add(one, override(10.0))
    assert held.add(two, override(20.0))
    assert len(held.in_force(5.0)) == 2
    assert [o.until_s for o in held.in_force(10.0)] == [20.0]
    assert held.drop(two) == 1
    assert held.in_force(11.0) == ()


def test_a_connection_cannot_pile_up_overrides() -> None:
    held, one = Overrides(), object()
    assert all(held.add(one, override(10.0)) for _ in range(MAX_PER_OWNER))
    assert not held.add(one, override(10.0))
    assert held.add(object(), override(10.0))


def pcc(at_s: float, sequence: int) -> PccReading:
    sample = Sample.good(1000.0, at_s)
    return PccReading(sample, sample, sample, sequence)


def test_blind_lets_the_last_reading_age() -> None:
    blindfold = Blindfold()
    assert blindfold.look(pcc(1.0, 1), ()).sequence == 1
    blind = (override(9.0, blind=True),)
    assert [blindfold.look(pcc(float(n), n), blind).sequence for n in (2, 3, 4)] == [1, 1, 1]
    assert blindfold.look(pcc(5.0, 5), ()).sequence == 5
    assert Blindfold().look(pcc(2.0, 2), blind).sequence == 2


def test_excursions_have_start_peak_duration_and_energy() -> None:
    seen = Excursions(limit_w=25_000.0, nameplate_w=100_000.0)
    assert seen.take(25_400.0, 10.0) is None
    assert seen.end(99.0) is None
    assert seen.take(26_000.0, 11.0) is None
    assert seen.take(61_000.0, 12.0) is None
    done = seen.take(25_400.0, 13.0)
    assert done is not None
    assert (done.start_s, done.duration_s, done.peak_w) == (11.0, 2.0, 61_000.0)
    assert done.energy_wh == pytest.approx((1_000 + 36_000) / 3600)
    assert not seen.running


def test_past_sixty_of_a_kind_an_hour_one_record_holds_the_rest() -> None:
    flood = Coalescer()
    admitted = [flood.admit("excursion", float(n), 100.0 + n, 2.0, 3.0) for n in range(100)]
    assert admitted == [True] * PASS + [False] * 40
    assert flood.admit("trip", 50.0)
    assert flood.due(HOUR_S - 1) == []
    (rest,) = flood.due(HOUR_S)
    assert (rest.count, rest.peak_w, rest.energy_wh, rest.first_s) == (40, 199.0, 80.0, 60.0)
    assert flood.due(HOUR_S) == []
    assert flood.admit("excursion", HOUR_S + 1)


def test_minutes_are_aggregated() -> None:
    minute = Minute(0.0)
    assert minute.take(10.0, 1000.0, 5000.0) is None
    assert minute.take(20.0, 3000.0, None) is None
    over = minute.take(60.0, None, None)
    assert over is not None
    assert (over.export_mean_w, over.export_max_w, over.der_mean_w) == (2000.0, 3000.0, 5000.0)
    quiet = minute.take(120.0, None, None)
    assert quiet is not None
    assert (quiet.seconds, quiet.export_mean_w) == (60.0, None)


def commanded(*limits_w: float) -> Commands:
    names = ("inverter-1", "inverter-2")
    return Commands(tuple(DerLimit(name, w) for name, w in zip(names, limits_w, strict=True)), ())


def test_what_the_shell_commands_alone_is_safe_at_zero_host_load() -> None:
    site = demo_site()
    full = commanded(20_000.0, 80_000.0)
    stop = safe.on_stop(site, full)
    assert sum(limit.limit_w for limit in stop.limits) == pytest.approx(25_000.0)
    assert [output.closed for output in stop.outputs] == [False]
    assert safe.on_failure(site, full).outputs == (), "an output with a dead-man is left to it"


def test_what_the_shell_commands_alone_never_loosens() -> None:
    site = demo_site()
    for alone in (safe.on_stop, safe.on_failure):
        assert [limit.limit_w for limit in alone(site, commanded(0.0, 0.0)).limits] == [0.0, 0.0]
        assert [limit.limit_w for limit in alone(site, commanded(9_000.0, 3_000.0)).limits] == [
            5_000.0,
            3_000.0,
        ]
    for durable in (STATE_LOST, Durable(tripped=False), Durable(tripped=True, in_service=True)):
        assert [limit.limit_w for limit in safe.before_scans(site, durable).limits] == [0.0, 0.0]
    assert sum(limit.limit_w for limit in safe.before_scans(site, NEW_SITE).limits) == pytest.approx(25_000.0)


@pytest.mark.parametrize(
    ("keys", "total_w"),
    [
        ("export_limit_phase_w = 8_400.0", 8_400.0 * 3 / 1.03),
        ("export_limit_phase_w = 9_000.0", 25_000.0),
        ("export_limit_va = 26_000.0", 24_000.0),
        ("export_limit_va = 27_000.0", 25_000.0),
        ("export_limit_phase_va = 12_500.0", 7_500.0 * 3 / 1.03),
    ],
)
def test_the_safe_share_is_that_of_the_tightest_limit(keys: str, total_w: float) -> None:
    """Every phase at 1.03 of a third; 10 kvar beside a limit in VA."""
    instruments = "[meter.instruments]\nexpected_var = 10_000.0\nmeter_error_pct = 0.2\n\n[[der]]"
    text = DEMO.read_text(encoding="utf-8")
    text = text.replace("export_limit_w", f"{keys}\nexport_limit_w").replace("[[der]]", instruments, 1)
    stop = safe.on_stop(site_of(text), commanded(20_000.0, 80_000.0))
    assert sum(limit.limit_w for limit in stop.limits) == pytest.approx(total_w)


def test_a_safe_share_below_what_a_der_obeys_is_nothing() -> None:
    site = demo_site()
    ders = (site.der[0], site.der[1].model_copy(update={"min_pct": 30.0}))
    stop = safe.on_stop(site.model_copy(update={"der": ders}), commanded(20_000.0, 80_000.0))
    assert [limit.limit_w for limit in stop.limits] == [pytest.approx(5_000.0), 0.0]


async def test_a_step_of_the_wall_clock_is_told_once_and_a_drift_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, off_s, real = list[Happening](), [0.0], time.time
    monkeypatch.setattr(wall, "_LOOK_S", 0.01)
    monkeypatch.setattr(time, "time", lambda: real() + off_s[0])
    watching = asyncio.create_task(wall.watch_wall(told.append))
    for to_s in (0.0, 0.9, 86_400.9, 86_400.0, 82_800.0):
        off_s[0] = to_s
        await asyncio.sleep(0.1)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert [(one.kind, one.detail.partition(";")[0]) for one in told] == [
        ("alarm", "the wall clock was stepped by +86400 s"),
        ("alarm", "the wall clock was stepped by -3600 s"),
    ]


@pytest.mark.parametrize(("step_s", "is_told"), [(0.99, False), (-0.99, False), (1.01, True), (-1.01, True)])
async def test_a_step_is_one_of_more_than_a_second(
    monkeypatch: pytest.MonkeyPatch, step_s: float, is_told: bool
) -> None:
    told, off_s, real = list[Happening](), [0.0], time.monotonic
    monkeypatch.setattr(wall, "_LOOK_S", 0.01)
    monkeypatch.setattr(time, "time", lambda: real() + off_s[0])
    watching = asyncio.create_task(wall.watch_wall(told.append))
    await asyncio.sleep(0.05)
    off_s[0] = step_s
    await asyncio.sleep(0.05)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert bool(told) == is_told


def test_without_the_step_storage_takes_and_sends_nothing_that_was_not_agreed() -> None:
    base = demo_site()
    whole = Commands(tuple(DerLimit(der.name, der.nameplate_w, -60_000.0) for der in base.der), ())
    for mode, operation, band in (
        ("unrestricted", "band", (20_000.0, -60_000.0)),
        ("export_only", "band", (20_000.0, 0.0)),
        ("import_only", "band", (0.0, -60_000.0)),
        ("no_exchange", "band", (0.0, 0.0)),
        ("unrestricted", "setpoint", (0.0, 0.0)),
    ):
        cell = base.der[1].model_copy(
            update={"kind": "storage", "charge_w": 60_000.0, "operation": operation}
        )
        agreement = base.agreement.model_copy(update={"pcs_modes": (PcsMode(mode),)})
        site = base.model_copy(update={"der": (base.der[0], cell), "agreement": agreement})
        for commands in (
            safe.on_stop(site, whole),
            safe.on_failure(site, whole),
            safe.before_scans(site, NEW_SITE),
        ):
            assert (commands.limits[1].limit_w, commands.limits[1].floor_w) == band, mode
            assert (commands.limits[0].limit_w, commands.limits[0].floor_w) == (5_000.0, 0.0)
        tripped = safe.before_scans(site, STATE_LOST)
        assert (tripped.limits[1].limit_w, tripped.limits[1].floor_w) == (0.0, 0.0)
        still = Commands((whole.limits[0], DerLimit(cell.name, 0.0)), ())
        assert safe.on_stop(site, still).limits[1].floor_w == 0.0, "no more than before"
