"""Trip outputs of the site file: three kinds, their times in parts, and what may stand behind what."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.model.site import GpioPulse, ModbusCoil, PermitService, Site
from edge.model.strict_toml import FileRefusedError, load

BENCH = (Path(__file__).parents[1] / "guard" / "bench.site.toml").read_text(encoding="utf-8")
PULSE = """
[[trip_output]]
name = "relay-1"
kind = "gpio-pulse"
chip = "/dev/gpiochip0"
line = "TRIP"
watchdog_s = 0.6
"""
PERMIT = """
[[trip_output]]
name = "permit-1"
kind = "permit-service"
der = "inverter-1"
"""
SPARE = """
[[trip_output]]
name = "spare"
uri = "tcp://127.0.0.1:15030"
feedback = 1
"""


def site(extra: str = "", *pairs: tuple[str, str]) -> Site:
    text = BENCH
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return load(Site, text + extra, "x.toml")


def refusal(extra: str = "", *pairs: tuple[str, str]) -> str:
    with pytest.raises(FileRefusedError) as refused:
        site(extra, *pairs)
    (problem,) = refused.value.problems
    return problem


def test_a_table_without_kind_is_a_coil_as_it_was_before_there_were_others() -> None:
    (output,) = site().trip_output
    assert isinstance(output, ModbusCoil)
    (named,) = site("", ('name = "coil-2"\n', 'name = "coil-2"\nkind = "modbus-coil"\n')).trip_output
    assert named == output


def test_each_kind_says_its_times_in_parts() -> None:
    coil, pulse, permit = site(PULSE + PERMIT).trip_output
    assert isinstance(pulse, GpioPulse)
    assert isinstance(permit, PermitService)
    assert coil.commanded == (("write", 0.1), ("actuation", 0.05))
    assert coil.silent == (("dead-man watchdog", 0.5), ("actuation", 0.05))
    assert coil.dead_man_s == pytest.approx(0.55)
    assert (coil.opens_s, coil.has_feedback, coil.is_contact) == (0.05, True, True)
    # A relay that is only let go of opens by its own time, whoever wants it open.
    assert pulse.commanded == pulse.silent == (("relay drop-out", 0.6), ("actuation", 0.05))
    assert pulse.dead_man_s == pulse.opens_s == pytest.approx(0.65)
    assert (pulse.has_feedback, pulse.is_contact) == (False, True)
    assert pulse.feeding == (("pulse", 0.02), ("pause", 0.02))
    # No timer, so nothing happens by itself: SunSpec 703.
    assert (permit.silent, permit.dead_man_s, permit.watchdog_s) == (None, None, None)
    assert permit.commanded == (("write", 0.3), ("cease", 2.0))
    assert (permit.opens_s, permit.has_feedback, permit.is_contact) == (2.0, True, False)


def test_each_kind_says_where_it_is() -> None:
    assert [output.address for output in site(PULSE + PERMIT).trip_output] == [
        "tcp://127.0.0.1:15024?unit=1",
        "/dev/gpiochip0 line TRIP",
        "permit service of inverter-1",
    ]


def test_a_coil_without_watchdog_has_no_dead_man() -> None:
    (output,) = site("", ("watchdog_s = 0.5\n", "")).trip_output
    assert (output.silent, output.dead_man_s) == (None, None)


@pytest.mark.parametrize("kind", ['"gpio-level"', '"level"', '""', "5", "[]", "true"])
def test_a_static_level_is_refused_and_whatever_else_is_not_a_kind(kind: str) -> None:
    told = refusal(PULSE.replace('"gpio-pulse"', kind))
    assert told.startswith("x.toml:")
    assert (
        "trip_output[1].kind: must be one of modbus-coil, gpio-pulse, permit-service; a static level is none of them:"
        " a stopped process would hold it"
    ) in told


def test_a_key_of_another_kind_is_told_with_those_of_this_one() -> None:
    told = refusal(PULSE + "coil = 1\n")
    assert "trip_output[1].coil: unknown key; allowed here: name, backup, kind, chip, line," in told
    assert (
        "trip_output[1].watchdog_s: is required and missing; it takes a number, above 0, at most 30"
        in refusal(PULSE.replace("watchdog_s = 0.6\n", ""))
    )
    assert "trip_output[1].chip: should match" in refusal(PULSE.replace("/dev/gpiochip0", "gpiochip0"))
    assert "did you mean 'watchdog_s'" in refusal("", ("watchdog_s", "watchdog"))


@pytest.mark.parametrize("line", ["0", "65535", '"GPIO17"'])
def test_a_line_goes_by_offset_or_by_name(line: str) -> None:
    output = site(PULSE.replace('"TRIP"', line)).trip_output[1]
    assert isinstance(output, GpioPulse)
    assert str(output.line) == line.strip('"')


@pytest.mark.parametrize("line", ["-1", "65536", '""', "1.5"])
def test_a_line_that_cannot_be_is_refused(line: str) -> None:
    assert "trip_output[1].line" in refusal(PULSE.replace('"TRIP"', line))


BACKED = ('name = "coil-2"\n', 'name = "coil-2"\nbackup = ["spare"]\n')


def test_what_stands_by_is_told_by_who_names_it() -> None:
    assert site().standing_by == frozenset()
    assert site(SPARE, BACKED).standing_by == {"spare"}
    both = ('name = "coil-2"\n', 'name = "coil-2"\nbackup = ["spare", "permit-1"]\n')
    assert site(SPARE + PERMIT, both).standing_by == {"spare", "permit-1"}


@pytest.mark.parametrize(
    ("extra", "pairs", "said"),
    [
        ("", [BACKED], "trip_output[0].backup: no trip_output is named 'spare'; declared: coil-2"),
        (
            SPARE,
            [BACKED, ("feedback = 0\n", "")],
            "trip_output[0].backup: without feedback coil-2 is never seen to fail",
        ),
        (
            SPARE + 'backup = ["coil-2"]\n',
            [],
            "trip_output[1].backup: coil-2 is the contact of a der: it opens at every trip, so it cannot stand by",
        ),
        (
            SPARE + 'backup = ["spare"]\n',
            [],
            "trip_output[1].backup: goes round in a circle: spare - spare",
        ),
        (
            SPARE + 'backup = ["permit-1"]\n' + PERMIT + 'backup = ["spare"]\n',
            [BACKED],
            "trip_output[1].backup: goes round in a circle: spare - permit-1 - spare",
        ),
        (
            PERMIT.replace('"inverter-1"', '"nobody"'),
            [],
            "trip_output[1].der: no der is named 'nobody'",
        ),
        (
            PERMIT,
            [("dead_time_s = 0.2", 'dead_time_s = 0.2\ntold_zero = "keeps_minimum"')],
            "trip_output[1].der: the permit of inverter-1 goes with its limit (told_zero), so it is no output",
        ),
        (
            PERMIT + PERMIT.replace("permit-1", "permit-2"),
            [],
            "trip_output[2].der: permit-1 is the permit service of inverter-1 already",
        ),
        (
            PERMIT,
            [('contact = "coil-2"', 'contact = "permit-1"')],
            "der[1].contact: permit-1 is the permit service of inverter-1, not a contact that disconnects it",
        ),
    ],
)
def test_outputs_that_stand_behind_each_other_in_vain_are_refused(
    extra: str, pairs: list[tuple[str, str]], said: str
) -> None:
    assert said in refusal(extra, *pairs)


def test_a_chain_of_backups_is_no_circle() -> None:
    chain = SPARE + 'backup = ["permit-1"]\n' + PERMIT
    assert site(chain, BACKED).standing_by == {"spare", "permit-1"}
