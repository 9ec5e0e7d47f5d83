"""Every mistake in a site file is told with file, line, key path, value and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict

from edge.model.site import Site
from edge.model.strict_toml import FileRefusedError, load
from edge.model.toml_lines import line_index, line_of, path_of

TEXT = (Path(__file__).parents[2] / "sim/sites/demo.site.toml").read_text(encoding="utf-8")
ELEMENT = 'kind = "32"\n'


def refused(old: str, new: str) -> list[str]:
    """The problems of the demo site with one piece of text swapped."""
    assert old in TEXT, old
    with pytest.raises(FileRefusedError) as caught:
        load(Site, TEXT.replace(old, new, 1), "s.toml")
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def line_with(piece: str) -> int:
    """The line of a piece of the demo site's text, from 1."""
    return TEXT[: TEXT.index(piece)].count("\n") + 1


def test_the_demo_site_loads_and_a_whole_number_is_a_number() -> None:
    site = load(Site, TEXT.replace("period_s = 0.2", "period_s = 1"), "s.toml")
    assert site.meter.period_s == 1.0
    assert site.limit_w == site.agreement.export_limit_w == 25_000.0
    assert site.nameplate_w == 100_000.0


# (old text, new text, key path, what is said of it)
MISTAKES = [
    ("latency_s = 0.02", "latency_s = nan", "meter.latency_s", "should be a finite number (found nan)"),
    ("latency_s = 0.02", "latency_s = inf", "meter.latency_s", "should be a finite number (found inf)"),
    ("latency_s = 0.02", "latency_s = -0.1", "meter.latency_s", "greater than or equal to 0 (found -0.1)"),
    ("period_s = 0.2", "period_s = 0", "meter.period_s", "should be greater than 0 (found 0)"),
    ("period_s = 0.2", "period_s = 60.1", "meter.period_s", "less than or equal to 60 (found 60.1)"),
    ("period_s = 0.2", "period_s = true", "meter.period_s", "should be a valid number (found True)"),
    ("period_s = 0.2", 'period_s = "0.2"', "meter.period_s", "should be a valid number (found '0.2')"),
    ("period_s = 0.2", "period_s = [0.2]", "meter.period_s", "should be a valid number"),
    ("period_s = 0.2", "period = 0.2", "meter.period", "unknown key; did you mean 'period_s'?"),
    ('name = "Demo site"', "name = 2026-01-01", "site.name", "should be a valid string (found '2026-01-01')"),
    ('name = "Demo site"', "name = true", "site.name", "should be a valid string (found True)"),
    ('id = "demo-site"', 'id = "Demo Site"', "site.id", "should match pattern '^[a-z][a-z0-9-]{0,31}$'"),
    ("nominal_hz = 60", "nominal_hz = 55", "site.nominal_hz", "should be 50 or 60 (found 55)"),
    ('method = "agreed_means"', 'method = "x"', "agreement.method", "'pcs' or 'agreed_means' (found 'x')"),
    ('"DEMO-2026-001"', '""', "agreement.approval_reference", "at least 1 character (found '')"),
    ('"tcp://127.0.0.1:15021?unit=1"', '""', "meter.uri", "at least 1 character (found '')"),
    ("coil = 0", "coil = 0.0", "trip_output[0].coil", "should be a valid integer (found 0.0)"),
    ("coil = 0", "coil = 70000", "trip_output[0].coil", "less than or equal to 65535 (found 70000)"),
    (
        ELEMENT,
        'kind = "33"\n',
        "guard.element[0].kind",
        "should be '32R', '32F', '32' or 'import' (found '33')",
    ),
    (
        ELEMENT,
        ELEMENT + "delay_s = 2.1",
        "guard.element[0].delay_s",
        "equal to 2 (found 2.1), or should be 'auto'",
    ),
    (
        ELEMENT,
        ELEMENT + "delay_s = 0",
        "guard.element[0].delay_s",
        "greater than 0 (found 0), or should be 'auto'",
    ),
    (
        ELEMENT,
        ELEMENT + 'pickup_w = "x"',
        "guard.element[0].pickup_w",
        "valid number (found 'x'), or should be",
    ),
    ('reset = "auto"', 'reset = "never"', "guard.reset", "should be 'manual' or 'auto' (found 'never')"),
    ('reset = "auto"', "lockout_trips = 0", "guard.lockout_trips", "greater than or equal to 1 (found 0)"),
    ("[guard]", "[guardian]\nx = 1\n[guard]", "guardian", "unknown key; did you mean 'guard'?"),
    ("[guard]", "[zzz]\n[guard]", "zzz", "unknown key; allowed here: site, agreement, meter, der,"),
    ("timer_s = 10", "timer_s = 31", "der[0].reversion.timer_s", "less than or equal to 30 (found 31)"),
    ("timer_s = 10", "timer = 10", "der[0].reversion.timer", "unknown key; did you mean 'timer_s'?"),
]


@pytest.mark.parametrize(("old", "new", "path", "said"), MISTAKES)
def test_a_mistake_names_file_line_key_path_value_and_what_is_allowed(
    old: str, new: str, path: str, said: str
) -> None:
    line = TEXT.replace(old, new, 1)[: TEXT.index(old) + len(new)].rstrip("\n").count("\n") + 1
    if path in ("guardian", "zzz"):
        line = line_with("[guard]")
    told = next(problem for problem in refused(old, new) if f" {path}: " in problem)
    assert told.startswith(f"s.toml:{line}: {path}: ")
    assert said in told


MISFITS = [
    (
        'contact = "coil-2"',
        'contact = "coil-3"',
        "der[1].contact",
        "no trip_output is named 'coil-3'; declared: coil-2",
    ),
    ('name = "inverter-2"', 'name = "inverter-1"', "der[1].name", "'inverter-1' is used twice"),
    (
        "safe_w = 5_000.0",
        "safe_w = 20_001.0",
        "der[0].reversion.safe_w",
        "must not exceed nameplate_w, 20000 W",
    ),
    (', "inverter-2"]', "]", "agreement.controlled", "must name every der once and nothing else"),
    (', "inverter-2"]', ', "inverter-2", "inverter-2"]', "agreement.controlled", "must name every der once"),
]


@pytest.mark.parametrize(("old", "new", "path", "said"), MISFITS)
def test_fields_that_do_not_fit_each_other_are_told_where_they_can_be_mended(
    old: str, new: str, path: str, said: str
) -> None:
    (told,) = refused(old, new)
    assert told.startswith(f"s.toml:{line_with(old)}: {path}: ")
    assert said in told


def test_a_contact_without_any_trip_output_says_that_none_is_declared() -> None:
    start, end = TEXT.index("[[trip_output]]"), TEXT.index("[guard]")
    with pytest.raises(FileRefusedError, match=r"no trip_output is named 'coil-2'; none is declared"):
        load(Site, TEXT[:start] + TEXT[end:], "s.toml")


def test_a_site_without_ders_is_refused() -> None:
    start, end = TEXT.index("[[der]]"), TEXT.index("[[trip_output]]")
    with pytest.raises(FileRefusedError, match="der: is required and missing"):
        load(Site, TEXT[:start] + TEXT[end:], "s.toml")
    with pytest.raises(FileRefusedError, match=r"at least one \[\[der\]\] is required"):
        load(Site, "der = []\n" + TEXT[:start] + TEXT[end:], "s.toml")


def test_a_missing_key_is_told_at_its_table() -> None:
    assert refused("period_s = 0.2\n", "") == [
        f"s.toml:{line_with('[meter]')}: meter.period_s: is required and missing; it takes a number, above 0,"
        " at most 60, how often the meter renews its registers"
    ]


def test_every_mistake_is_told_not_only_the_first() -> None:
    told = refused("period_s = 0.2\nlatency_s = 0.02", "period_s = -1\nlatency_s = -1")
    assert [problem.split(": ")[1] for problem in told] == ["meter.period_s", "meter.latency_s"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("noise_w = 60.0", "noise_w = 60.0\nnoise_w = 3", "Cannot overwrite a value"),
        ("[meter]", "[meter]\n[meter]", "twice"),
        ("[meter]", "[meter", "Expected ']'"),
        ("period_s = 0.2", "period_s = 0.2.2", "Expected newline"),
    ],
)
def test_a_text_that_is_not_toml_names_its_line(old: str, new: str, said: str) -> None:
    (told,) = refused(old, new)
    line = line_with(old) + new.count("\n")
    assert told.startswith(f"s.toml:{line}: not valid TOML: ")
    assert said in told


def test_a_text_that_ends_too_early_is_refused_too() -> None:
    with pytest.raises(FileRefusedError, match=r"^s\.toml: not valid TOML: "):
        load(Site, "x = ", "s.toml")


class Inner(BaseModel):
    """A table of a made-up file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    a: int | Literal["auto"] = 0


class Outer(BaseModel):
    """A made-up file with a table that may be missing, and a plain list."""

    model_config = ConfigDict(extra="forbid", strict=True)

    inner: Inner | None = None
    numbers: tuple[int, ...] = ()


def test_unknown_keys_deep_down_name_what_is_allowed_there() -> None:
    with pytest.raises(FileRefusedError, match=r"x:2: inner\.zzzz: unknown key; allowed here: a"):
        load(Outer, "[inner]\nzzzz = 1\n", "x")
    with pytest.raises(FileRefusedError, match=r"x:1: numbers\[1\]: should be a valid integer \(found 'b'\)"):
        load(Outer, 'numbers = [1, "b"]\n', "x")
    with pytest.raises(FileRefusedError, match=r"x:2: inner\.a: .*, or should be 'auto'"):
        load(Outer, "[inner]\na = 1.5\n", "x")


def test_lines_of_key_paths() -> None:
    lines = line_index('a = 1\n[t]\n"b" = 2\nc.d = 3\n[[l]]\nx = 1\n[l.sub]\ny = 2\n[[l]] # again\nx = 2\n')
    assert lines[("a",)] == 1
    assert lines[("t",)] == 2
    assert lines[("t", "b")] == 3
    assert lines[("t", "c", "d")] == 4
    assert lines[("l",)] == 5
    assert lines[("l", 0, "x")] == 6
    assert lines[("l", 0, "sub", "y")] == 8
    assert lines[("l", 1)] == 9
    assert lines[("l", 1, "x")] == 10
    assert line_of(lines, ("l", 1, "missing", "deeper")) == 9
    assert line_of(lines, ("nowhere",)) is None


@pytest.mark.parametrize(
    ("dotted", "path"),
    [
        ("meter", ("meter",)),
        ("der[12].reversion.safe_w", ("der", 12, "reversion", "safe_w")),
        ("guard.element[0].delay_s", ("guard", "element", 0, "delay_s")),
    ],
)
def test_a_key_path_as_people_write_it(dotted: str, path: tuple[str | int, ...]) -> None:
    assert path_of(dotted) == path


@pytest.mark.parametrize(
    ("functions", "refuses"),
    [("", True), ('"freq_droop"', True), ('"volt_var"', False), ('"volt_watt"', False)],
)
def test_a_voltage_for_functions_that_nobody_named_is_refused(functions: str, refuses: bool) -> None:
    profile = 'profile = "sunspec-7xx"\n'
    told = f'{profile}gateway_voltage = "inverter"\ngateway_functions = [{functions}]\n'
    if not refuses:
        assert load(Site, TEXT.replace(profile, told, 1), "s.toml").der[0].gateway_voltage == "inverter"
        return
    (problem,) = refused(profile, told)
    line = line_with(profile) + 1
    assert (
        problem
        == f"s.toml:{line}: der[0].gateway_voltage: says nothing: gateway_functions names no volt_var and no volt_watt"
    )
