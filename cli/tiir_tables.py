"""What `dergate tiir` prints: tables for people, objects for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cli.tiir_check import DerReport, Written
from tiir import catalogue
from tiir.compare import Finding, Verdict
from tiir.profile import Profile, explained, required
from tiir.setting import Der
from tiir.sunspec_plan import CurveWrite
from tiir.values import Value, Values, shown

_COLOURS = {
    Verdict.MATCH: "green",
    Verdict.DIFFERS: "bold red",
    Verdict.NOT_READABLE: "yellow",
    Verdict.NOT_SUPPORTED: "bright_black",
}
_OVERALL = {True: Verdict.MATCH, False: Verdict.DIFFERS, None: Verdict.NOT_READABLE}


def new_console() -> Console:
    """A console that prints text as it is."""
    return Console(markup=False, highlight=False)


def new_table(title: str, *columns: str) -> Table:
    """An empty table of settings."""
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", title_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def amount(value: Value | None, label: str) -> str:
    """A value with its unit, short enough for a column."""
    setting = catalogue.settings()[label]
    if value is None or isinstance(value, bool | str):
        return shown(value)
    return "off" if value == setting.off else f"{shown(value)} {setting.unit.partition(' ')[0]}"


def short_clause(clause: str) -> str:
    """A clause without its table."""
    return clause.partition(" Table")[0]


def print_required(profile: Profile, ders: Mapping[str, Values]) -> None:
    """What is required: of the profile alone, or of a site's DERs, in one column where they all agree."""
    console, known = new_console(), catalogue.settings()
    first = next(iter(ders.values()), None) or required(profile, profile.der())
    columns = {"required": first} if all(values == first for values in ders.values()) else ders
    table = new_table(profile.title, "setting", "clause", *columns, "allowed")
    for function, labels in groupby(first, lambda label: known[label].function):
        table.add_section()
        table.add_row(function.replace("_", " "), style="bold")
        for label in labels:
            cells = [amount(column[label], label) for column in columns.values()]
            table.add_row(label, short_clause(known[label].clause), *cells, _range(profile, label, first))
    console.print(table)
    for label, words in explained(profile).items():
        console.print(f"{label}: {words}")
    if ders:
        console.print(f"\nrequired of: {', '.join(ders)}")
    console.print(f"ranges: {shown_der(profile.der())}")
    console.print(f"source: {profile.source}")


def shown_der(der: Der) -> str:
    """What decides the ranges of a DER, in words."""
    kind = ", bidirectional" if der.bidirectional else ""
    return f"categories {der.normal} and {der.abnormal}{kind}, IEEE 1547-{der.edition}"


def _range(profile: Profile, label: str, values: Values) -> str:
    bounds = _allowed(label, profile.der(), values)
    return "" if bounds is None else f"{shown(bounds[0])} to {shown(bounds[1])}"


def required_json(profile: Profile, ders: Mapping[str, Values], site: str | None) -> dict[str, Any]:
    """The same as an object; `ders` only for a site."""
    head: dict[str, Any] = {"profile": profile.name, "title": profile.title, "source": profile.source}
    head["edition"] = profile.edition
    if site is None:
        return {**head, "settings": _settings_json(profile, required(profile, profile.der()))}
    rows = [{"name": name, "settings": _settings_json(profile, values)} for name, values in ders.items()]
    return {"site": site, **head, "ders": rows}


def _settings_json(profile: Profile, values: Values) -> list[dict[str, Any]]:
    known = catalogue.settings()
    return [
        {
            "setting": label,
            "clause": known[label].clause,
            "unit": known[label].unit,
            "required": value,
            "range": _allowed(label, profile.der(), values),
        }
        for label, value in values.items()
    ]


def _allowed(label: str, der: Der, values: Values) -> tuple[float | None, float | None] | None:
    return catalogue.settings()[label].range_for(der, {**values, **der.facts})


def print_reports(site: str, profile: Profile, reports: Sequence[DerReport], by: str) -> None:
    """For each DER a table of required against found, what cannot be said or set, and a line to sum it up."""
    console = new_console()
    console.print(f"{site}: {profile.title}, {by}\n")
    for report in reports:
        if report.unreachable:
            console.print(f"cannot reach {report.unreachable}\n", style="bold red")
            continue
        for written in report.written:
            console.print(f"{report.name}: {_told(written)}")
        console.print(_findings(report))
        for reason, settings in _reasons(report.findings).items():
            console.print(f"{reason}:\n  {', '.join(settings)}")
        style = _COLOURS[_OVERALL[report.verified]]
        console.print(f"\n{report.name}: {_summary(report)}\n", style=style)


def _findings(report: DerReport) -> Table:
    table = new_table(report.name, "setting", "clause", "required", "found", "verdict")
    for finding in report.findings:
        table.add_row(
            finding.setting,
            short_clause(finding.clause),
            amount(finding.required, finding.setting),
            amount(finding.found, finding.setting),
            finding.verdict.value,
            style=_COLOURS[finding.verdict],
        )
    return table


def _reasons(findings: Sequence[Finding]) -> dict[str, list[str]]:
    """Settings under the reason that they share."""
    shared: dict[str, list[str]] = {}
    for finding in findings:
        if finding.reason:
            shared.setdefault(finding.reason, []).append(finding.setting)
    return shared


def _told(written: Written) -> str:
    what = "curve adopted in" if isinstance(written.step, CurveWrite) else "points written to"
    reason = f" ({written.wrote.reason})" if written.wrote.reason else ""
    return f"{what} model {written.step.model}: {written.wrote.outcome}{reason}"


def _summary(report: DerReport) -> str:
    counts = Counter(finding.verdict for finding in report.findings)
    parts = [f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]]
    judged: dict[bool | None, str] = {
        True: "verified in all that this device offers",
        False: "not as required",
        None: "cannot be verified on this device",
    }
    return f"{judged[report.verified]} ({', '.join(parts)})"


def reports_json(site: str, profile: str, reports: Sequence[DerReport]) -> dict[str, Any]:
    """The object that machines read."""
    return {"site": site, "profile": profile, "ders": [_report_json(report) for report in reports]}


def _report_json(report: DerReport) -> dict[str, Any]:
    return {
        "name": report.name,
        "findings": [_finding_json(finding) for finding in report.findings],
        "written": [
            {"model": w.step.model, "outcome": w.wrote.outcome, "reason": w.wrote.reason or None}
            for w in report.written
        ],
        "verified": report.verified,
        "unreachable": report.unreachable,
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "setting": finding.setting,
        "clause": finding.clause,
        "unit": finding.unit,
        "required": finding.required,
        "found": finding.found,
        "verdict": finding.verdict.value,
        "reason": finding.reason,
    }
