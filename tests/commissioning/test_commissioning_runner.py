"""The runner against a site in memory: verdicts can go either way, and everything is put back."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest
from fake_agent import FakeSite

from commissioning import procedure as procedures
from commissioning import runner
from commissioning.changes import UnrestoredError
from commissioning.journal import BusyError, Journal
from commissioning.procedure import ORDER, Procedure, parse
from commissioning.session import OtherSiteError, SiteFile, commission, overall, restore
from contract.client import AgentUnreachableError
from contract.report import Report, TestResult
from contract.socket import Scan

FOLDER = Path(procedures.__file__).with_name("procedures")


class Silent:
    """Nobody watches; what was told is kept."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def test_begins(self, procedure: Procedure) -> None:
        pass

    def step_begins(self, text: str) -> None:
        self.steps.append(text)

    def test_ends(self, result: TestResult) -> None:
        pass


@pytest.fixture(autouse=True)
def _short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_REST_S", 0.05)


def quick(test: str) -> Procedure:
    """A shipped procedure with its whole seconds of recording cut to tenths."""
    text = (FOLDER / f"{test}.toml").read_text()
    text = re.sub(r'(for_s|hold_s) = "(\d)(?=[ "])', r'\1 = "0.\2', text)
    return parse(text.replace("olrt_max_s + 3", "olrt_max_s + 0.3"), f"{test}.toml")


def at_hand(tmp_path: Path, fake: FakeSite) -> SiteFile:
    return SiteFile.of(tmp_path / "fake.site.toml", fake.text, fake.site)


async def run(tmp_path: Path, fake: FakeSite, *tests: str) -> Report:
    return await commission(
        at_hand(tmp_path, fake), fake.connect, [quick(test) for test in tests], Silent(), "somebody"
    )


async def run_one(tmp_path: Path, fake: FakeSite, test: str) -> TestResult:
    (result,) = (await run(tmp_path, fake, test)).tests
    assert not fake.overrides
    return result


def value(result: TestResult, name: str) -> float:
    found = next(item.value for item in result.measurements if item.name.startswith(name))
    assert isinstance(found, float)
    return found


@pytest.mark.parametrize(
    "test", ["identity", "meter-sign", "export-limit-response", "element-32", "meter-loss"]
)
async def test_a_healthy_site_passes(tmp_path: Path, test: str) -> None:
    result = await run_one(tmp_path, FakeSite(), test)
    assert result.verdict == "pass", result.summary
    assert result.restored


async def test_a_meter_wired_the_wrong_way_fails(tmp_path: Path) -> None:
    fake = FakeSite()
    fake.meter_sign, fake.armed = -1.0, False
    result = await run_one(tmp_path, fake, "meter-sign")
    assert result.verdict == "fail"
    assert value(result, "Fall of export for a fall of output") == pytest.approx(-1)


async def test_export_with_all_ders_at_rest_points_at_the_meter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a meter the wrong way round leads to: the site trips and stays so."""
    monkeypatch.setattr(runner, "_PATIENCE_S", 0.2)
    fake = FakeSite()
    fake.meter_sign = -1.0
    fake.tripped_s, fake.target = time.monotonic() + 3600, "32"
    result = await run_one(tmp_path, fake, "meter-sign")
    assert result.verdict == "inconclusive"
    assert "target 32" in result.summary
    assert "look at its sign" in result.summary


async def test_a_meter_of_twice_the_ratio_fails(tmp_path: Path) -> None:
    fake = FakeSite()
    fake.meter_sign = 2.0
    fake.pickup_w = 90_000.0
    result = await run_one(tmp_path, fake, "meter-sign")
    assert result.verdict == "fail"
    assert value(result, "Fall of export for a fall of output") == pytest.approx(2)


class Flickering(FakeSite):
    """Its host load is away during the first step, and back after it."""

    def __init__(self) -> None:
        super().__init__()
        self.quiet_w = self.load_w
        self.steps = 0

    def scan(self, number: int) -> Scan:
        self.load_w = self.quiet_w - (20_000.0 if self.overrides and self.steps == 0 else 0.0)
        return super().scan(number)

    def drop(self, owner: object) -> None:
        self.steps += bool(self.overrides)
        super().drop(owner)


async def test_a_load_that_comes_and_goes_does_not_spoil_the_sign(tmp_path: Path) -> None:
    fake = Flickering()
    result = await run_one(tmp_path, fake, "meter-sign")
    assert result.verdict == "pass", result.summary
    assert fake.steps == 3


async def test_without_sun_a_step_says_nothing(tmp_path: Path) -> None:
    fake = FakeSite()
    fake.available_w = {"inverter-1": 0.0, "inverter-2": 0.0}
    for test in ("meter-sign", "export-limit-response", "meter-loss"):
        result = await run_one(tmp_path, fake, test)
        assert result.verdict == "inconclusive", test
        assert "generation" in result.summary


class Restless(FakeSite):
    """Its host load moves in the middle of the first so many looks at a narrowed site."""

    def __init__(self, disturbances: int) -> None:
        super().__init__()
        self.disturbances = disturbances
        self.quiet_w = self.load_w

    def scan(self, number: int) -> Scan:
        self.load_w = self.quiet_w - (20_000.0 if self.overrides and self.disturbances > 0 else 0.0)
        return super().scan(number)

    def drop(self, owner: object) -> None:
        self.disturbances -= bool(self.overrides)
        super().drop(owner)


async def test_a_test_that_was_disturbed_is_begun_anew(tmp_path: Path) -> None:
    result = await run_one(tmp_path, Restless(2), "export-limit-response")
    assert result.verdict == "pass"
    assert "Attempt 3: something passing disturbed the one before." in result.summary


async def test_a_test_that_is_disturbed_again_and_again_is_inconclusive(tmp_path: Path) -> None:
    result = await run_one(tmp_path, Restless(99), "export-limit-response")
    assert result.verdict == "inconclusive"
    assert "The host load moved during a step" in result.summary


async def test_an_inverter_that_does_not_follow_fails(tmp_path: Path) -> None:
    fake = FakeSite()
    fake.deaf = True
    result = await run_one(tmp_path, fake, "export-limit-response")
    assert result.verdict == "fail"
    assert "Response time" in result.summary
    assert "did not happen" in result.summary


async def test_an_element_that_is_late_fails(tmp_path: Path) -> None:
    result = await run_one(tmp_path, Late(), "element-32")
    assert result.verdict == "fail"
    assert "Operating time" in result.summary


class Late(FakeSite):
    """Promises a delay and takes longer."""

    def _protect(self, now_s: float, export_w: float, asked: list[object]) -> None:  # type: ignore[override]
        promised_s, self.delay_s = self.delay_s, 2 * self.delay_s
        super()._protect(now_s, export_w, asked)  # type: ignore[arg-type]
        self.delay_s = promised_s


async def test_a_site_without_an_element_is_not_tested_for_one(tmp_path: Path) -> None:
    fake = FakeSite()
    fake.armed = False
    assert (await run_one(tmp_path, fake, "element-32")).verdict == "not-applicable"


async def test_what_the_agent_refuses_is_inconclusive_with_its_reason(tmp_path: Path) -> None:
    fake = FakeSite()
    fake.refuses_overrides = "not while the site is locked out"
    result = await run_one(tmp_path, fake, "export-limit-response")
    assert (result.verdict, result.summary) == ("inconclusive", "Not while the site is locked out.")


async def test_a_device_of_another_size_is_named(tmp_path: Path) -> None:
    fake = FakeSite()
    other = fake.text.replace("nameplate_w = 80_000.0", "nameplate_w = 75_000.0")
    assert other != fake.text
    fake.site = FakeSite(other).site
    file = SiteFile.of(tmp_path / "s.toml", fake.text, FakeSite().site)
    (result,) = (await commission(file, fake.connect, [quick("identity")], Silent(), "x")).tests
    assert result.verdict == "fail"
    assert "inverter-2 nameplate (rating differs)" in result.summary


async def test_a_probe_is_taken_and_put_back(tmp_path: Path) -> None:
    fake = FakeSite()
    result = await run_one(tmp_path, fake, "settings")
    assert fake.writes == [{"ESDlyTms": 301.0}, {"ESDlyTms": 300.0}]
    assert value(result, "DERs with a probe") == 1
    assert value(result, "DERs whose setting was not put back") == 0
    # The fake holds one point of all that are required: what it does not offer is told, what differs would fail.
    assert {row["verdict"] for row in result.findings} <= {"match", "not supported"}


async def test_a_setting_that_differs_fails_and_is_named(tmp_path: Path) -> None:
    fake = FakeSite()
    fake.points["ESDlyTms"] = 250.0
    result = await run_one(tmp_path, fake, "settings")
    assert result.verdict == "fail"
    assert "inverter-1 ES_DELAY (differs)" in result.summary


async def test_a_value_that_stays_changed_fails_and_stays_in_the_journal(tmp_path: Path) -> None:
    fake = FakeSite()
    fake.forgets_restore = True
    result = await run_one(tmp_path, fake, "settings")
    assert (result.verdict, result.restored) == ("fail", False)
    assert "could not be put back" in result.summary
    with pytest.raises(UnrestoredError, match="ESDlyTms = 300 could not be put back"):
        await restore(at_hand(tmp_path, fake), fake.connect)
    fake.forgets_restore = False
    assert await restore(at_hand(tmp_path, fake), fake.connect) == 1
    assert fake.points["ESDlyTms"] == 300.0
    assert await restore(at_hand(tmp_path, fake), fake.connect) == 0


async def test_what_a_killed_run_left_is_put_back_before_anything_else(tmp_path: Path) -> None:
    fake = FakeSite()
    file = at_hand(tmp_path, fake)
    with Journal(file.journal) as journal:
        journal.change("then", "settings", "inverter-1", 703, {"ESDlyTms": 300.0}, {"ESDlyTms": 301.0})
    fake.points["ESDlyTms"] = 301.0
    await run(tmp_path, fake)  # no test at all: what each test puts back itself does not count here
    assert fake.points["ESDlyTms"] == 300.0


async def test_an_interrupted_test_puts_back(tmp_path: Path) -> None:
    fake = FakeSite()
    task = asyncio.create_task(run(tmp_path, fake, "settings"))
    await fake.written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert fake.points["ESDlyTms"] == 300.0
    with Journal(at_hand(tmp_path, fake).journal) as journal:
        assert not journal.open_changes


async def test_an_interrupted_test_that_cannot_put_back_says_so(tmp_path: Path) -> None:
    fake = FakeSite()
    fake.forgets_restore = True
    task = asyncio.create_task(run(tmp_path, fake, "settings"))
    await fake.written.wait()
    task.cancel()
    with pytest.raises(UnrestoredError):
        await task


async def test_an_agent_that_goes_away_ends_the_run(tmp_path: Path) -> None:
    fake = FakeSite()
    fake.gone_after_s = 0.3
    with pytest.raises(AgentUnreachableError):
        await run(tmp_path, fake, "meter-sign")


async def test_a_second_run_at_once_is_refused(tmp_path: Path) -> None:
    fake = FakeSite()
    with Journal(at_hand(tmp_path, fake).journal), pytest.raises(BusyError):
        await run(tmp_path, fake, "identity")


async def test_another_site_file_than_the_agents_is_refused(tmp_path: Path) -> None:
    fake = FakeSite()
    file = SiteFile.of(tmp_path / "s.toml", f"{fake.text}\n# changed", fake.site)
    with pytest.raises(OtherSiteError, match="restart the agent"):
        await commission(file, fake.connect, [], Silent(), "x")


def result(test: str, verdict: str) -> TestResult:
    return TestResult.model_validate(
        {
            "id": test,
            "title": "t",
            "source": "s",
            "verdict": verdict,
            "summary": "",
            "started_at": "",
            "duration_s": 0,
            "restored": True,
        }
    )


@pytest.mark.parametrize(
    ("verdicts", "blank", "whole"),
    [
        (["pass"] * 6, [], "pass"),
        (["pass"] * 5 + ["not-applicable"], [], "pass"),
        (["pass"] * 6, ["a field"], "inconclusive"),
        (["pass"] * 5, [], "inconclusive"),
        (["pass"] * 5 + ["inconclusive"], [], "inconclusive"),
        (["pass"] * 5 + ["fail"], ["a field"], "fail"),
        (["not-applicable"] * 6, [], "inconclusive"),
        ([], [], "inconclusive"),
    ],
)
def test_the_whole_passes_only_when_all_of_it_does(verdicts: list[str], blank: list[str], whole: str) -> None:
    tests = [result(test, verdict) for test, verdict in zip(ORDER, verdicts, strict=False)]
    assert overall(tests, blank) == whole
