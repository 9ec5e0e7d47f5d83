"""`dergate check`: every mistake with file, key path, line and what is allowed; exit 0, 1 or 2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.check import _shown
from cli.main import build
from cli.run import load_site
from sim.simfile import DEMO

DEMO_SITE = DEMO.with_name("demo.site.toml")


def check(path: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    result = CliRunner().invoke(build(), ["check", str(path), *arguments])
    return result.exit_code, result.stdout, result.stderr


def changed(folder: Path, old: str, new: str) -> Path:
    """The demo's site file with one piece replaced."""
    text = DEMO_SITE.read_text()
    assert old in text
    file = folder / "site.toml"
    file.write_text(text.replace(old, new, 1))
    return file


def test_demo_site_is_fit_and_the_largest_step_is_printed() -> None:
    status, out, _ = check(DEMO_SITE, "--json")
    assert status == 0
    found = json.loads(out)
    assert found["fit"]
    assert any(
        "largest step of host load survived" in finding["text"] and "W" in finding["text"]
        for finding in found["findings"]
    )
    assert {finding["level"] for finding in found["findings"]} == {"fact"}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("period_s = 0.2", "perod_s = 0.2", ["meter.perod_s", "unknown key", "did you mean 'period_s'"]),
        ("nameplate_w = 20_000.0", 'nameplate_w = "20"', ["der[0].nameplate_w", "number"]),
        ("latency_s = 0.02", "latency_s = -1", ["meter.latency_s", "greater than or equal to 0"]),
        ('kind = "32"', 'kind = "59"', ["guard.element[0].kind", "'32R', '32F', '32' or 'import'"]),
        ('contact = "coil-2"', 'contact = "coil-9"', ["der[1].contact", "coil-9", "coil-2"]),
        ('name = "inverter-2"', 'name = "inverter-1"', ["der[1].name", "used twice"]),
        ("[meter]", "[meter", ["not valid TOML"]),
        ("export_limit_w = 25_000.0", "export_limit_w = nan", ["agreement.export_limit_w", "finite"]),
        (":15021?unit=1", ":15021?unit=999", ["meter.uri", "0 to 255"]),
        (":15021?unit", ":99999?unit", ["meter.uri", "1 to 65535"]),
        ("tcp://127.0.0.1:15021?unit=1", "banana", ["meter.uri", "tcp://", "rtu://"]),
        (":15022?unit=1", ":15021?unit=1", ["der[0].uri", "which meter is already"]),
        (":15023?unit=1", ":15022?unit=1", ["der[1].uri", "which der[0] is already"]),
        ("irec-2023-inverter", "nope", ["tiir_profile", "irec-2023-inverter, irec-2023-rotating"]),
        ('profile = "sunspec-7xx"', 'profile = "foo"', ["der[0].profile", "sunspec-7xx"]),
        (
            'profile = "sunspec-7xx"',
            'profile = "modbus-coil"',
            ["der[0].profile", "sunspec-1xx, sunspec-7xx"],
        ),
    ],
)
def test_a_mistake_names_file_line_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, says: list[str]
) -> None:
    file = changed(tmp_path, old, new)
    piece = new.splitlines()[0]
    line = max(number for number, text in enumerate(file.read_text().splitlines(), 1) if piece in text)
    status, out, err = check(file)
    assert status == 2
    assert out == ""
    assert f"{file}:{line}: " in err
    for piece in says:
        assert piece in err


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('approval_reference = "DEMO-2026-001"\n', "", "agreed-upon means with the utility's reference"),
        ("watchdog_s = 0.5\n", "", "no dead-man"),
        ("period_s = 0.2", "period_s = 1.0", "clearing"),
        ('kind = "32"', 'kind = "32"\ndelay_s = 0.3', "healthy operation would trip"),
        ('contact = "coil-2"\n', "", "reach"),
        ("timer_s = 10 }", "timer_s = 5 }", "three re-asserts"),
        (
            'profile = "sunspec-1xx"',
            'profile = "sunspec-1xx"\nreversion = { safe_w = 0.0, timer_s = 10 }',
            "fails open",
        ),
        ('method = "agreed_means"', 'method = "directional_power_32"', "listed_device"),
        (
            "[guard]\n",
            '[[trip_output]]\nname = "permit"\nkind = "permit-service"\nder = "inverter-2"\n\n[guard]\n',
            "inverter-2 has no permit service",
        ),
    ],
)
def test_a_site_that_cannot_be_held_is_unfit_with_the_sums(
    tmp_path: Path, old: str, new: str, says: str
) -> None:
    status, out, err = check(changed(tmp_path, old, new), "--json")
    assert status == 1, err
    problems = [
        f"{finding['path']}: {finding['text']}"
        for finding in json.loads(out)["findings"]
        if finding["level"] == "problem"
    ]
    assert any(says in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("old", "new", "path", "at"),
    [
        ("watchdog_s = 0.5\n", "", "trip_output", "[[trip_output]]"),
        ('kind = "32"', 'kind = "32"\ndelay_s = 0.3', "guard.element[0].delay_s", "delay_s = 0.3"),
        ("timer_s = 10 }", "timer_s = 5 }", "der[0].reversion.timer_s", "reversion = {"),
        (
            'method = "agreed_means"',
            'method = "directional_power_32"',
            "agreement.listed_device",
            "[agreement]",
        ),
    ],
)
def test_a_problem_names_the_line_of_its_key(tmp_path: Path, old: str, new: str, path: str, at: str) -> None:
    """That of the table around it where the key is missing."""
    file = changed(tmp_path, old, new)
    line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if text.startswith(at))
    found = json.loads(check(file, "--json")[1])["findings"]
    lines = {each["line"] for each in found if each["level"] == "problem" and each["path"].startswith(path)}
    assert lines == {line}
    assert any(words[:2] == ["problem", str(line)] for words in rows(check(file)[1]))


def rows(out: str) -> list[list[str]]:
    """The words of each row of a table."""
    return [line.replace("│", " ").split() for line in out.splitlines()]


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        (
            "period_s = 0.2\n",
            "meter.period_s: is required and missing; it takes a number, above 0, at most 60",
        ),
        (
            "nameplate_w = 20_000.0\n",
            "der[0].nameplate_w: is required and missing; it takes a number, above 0, at most 1e+09",
        ),
        ('method = "agreed_means"\n', "one of reverse_power_32r, minimum_power_32f"),
        ('sign = "export_positive"\n', "one of export_positive, import_positive"),
        ("[site]\n", "site: is required and missing; it takes a table with: id, name"),
    ],
)
def test_a_missing_key_says_what_it_takes(tmp_path: Path, gone: str, says: str) -> None:
    status, _, err = check(changed(tmp_path, gone, ""))
    assert status == 2
    assert says in err


@pytest.mark.parametrize("value", ["9" * 5001, "[" * 5000])
def test_a_file_that_no_reader_takes_is_one_sentence(tmp_path: Path, value: str) -> None:
    status, _, err = check(changed(tmp_path, "latency_s = 0.02", f"latency_s = {value}"))
    assert status == 2
    assert len(err.splitlines()) == 1
    assert "not usable TOML" in err


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(DEMO_SITE.read_text(), encoding="utf-8-sig")
    assert check(file)[0] == 0


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    status, _, err = check(tmp_path / "none.toml")
    assert status == 2
    assert "none.toml" in err
    rubbish = tmp_path / "rubbish.toml"
    rubbish.write_bytes(b"\xff\xfe\x00")
    status, _, err = check(rubbish)
    assert status == 2
    assert "UTF-8" in err


def test_probe_names_each_device_that_does_not_answer(tmp_path: Path) -> None:
    text = DEMO_SITE.read_text()
    for port in range(15021, 15025):
        text = text.replace(f":{port}", f":{port - 15020}")
    file = tmp_path / "site.toml"
    file.write_text(text)
    status, out, _ = check(file, "--probe", "--json")
    assert status == 3
    devices = json.loads(out)["devices"]
    assert [device["name"] for device in devices] == ["meter", "inverter-1", "inverter-2", "coil-2"]
    assert all(device["error"] for device in devices)


def test_what_a_device_does_not_say_is_left_out() -> None:
    assert _shown({"manufacturer": "x", "nameplate_w": None, "f_hz": 60.0}) == "manufacturer x, f_hz 60.0"
    assert _shown({"closed": None}) == "answers, and shows no contact"
    assert _shown({"closed": False}) == "closed False"


def test_an_unfit_site_is_not_run_and_told_why_with_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = changed(tmp_path, 'kind = "32"', 'kind = "32"\ndelay_s = 0.3')
    line = file.read_text().splitlines().index("delay_s = 0.3") + 1
    with pytest.raises(typer.Exit) as ended:
        load_site(file)
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err.startswith(
        f"{file}:{line}: guard.element[0].delay_s: security: 0.30 s is less"
    )
