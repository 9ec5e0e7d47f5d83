"""The live picture of a site: what flows, what limits it, what guards it. A pure function of status and history.

`dergate watch`, `dergate status` and `dergate demo` draw the same picture.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from contract.socket import DerStatus, LimitStatus, OutputStatus, Shown, Status

HISTORY_S = 60.0
_BLOCKS = "▁▂▃▄▅▆▇█"
_BAR_WIDTH = 40
_SPARK_WIDTH = 60

_MODES = {
    "starting": ("starting", "yellow", "devices are met and limits proven before anything is released"),
    "regulating": ("regulating", "green", "every new measurement corrects the inverters' limits"),
    "fallback": ("fallback", "yellow", "the meter is not trusted: output is held where export cannot pass"),
    "tripped": ("TRIPPED", "red", "the trip contact is open and every inverter is told to cease"),
    "entering-service": ("entering service", "yellow", "waiting, then ramping up"),
}
_BY = {
    "export-limit": "the export limit",
    "nameplate": "nameplate: nothing narrows it",
    "fallback": "fallback (no trusted meter)",
    "trip": "the trip",
    "enter-service": "enter service",
}


@dataclass
class History:
    """What the last minute looked like: (seconds, export in W or None)."""

    points: deque[tuple[float, float | None]] = field(default_factory=deque)

    def take(self, at_s: float, export_w: float | None) -> None:
        """Add a measurement; what is older than a minute goes."""
        if self.points and at_s <= self.points[-1][0]:
            return
        self.points.append((at_s, export_w))
        while self.points[0][0] < at_s - HISTORY_S:
            self.points.popleft()


def picture(status: Status, history: History | None = None) -> RenderableType:
    """The whole picture of a site."""
    name, colour, meaning = _MODES[status.mode]
    title = Text.assemble((f" {status.site} ", "bold"), (f" {name} ", f"bold reverse {colour}"), " ")
    parts: list[RenderableType] = [_flows(status), _narrowed(status)]
    if history is not None and len(history.points) > 1:
        parts.insert(1, _minute(status, history))
    parts += [_guards(status), _footer(status)]
    return Panel(
        Group(*parts), title=title, subtitle=Text(meaning, "dim"), border_style=colour, padding=(1, 2)
    )


def _flows(status: Status) -> Table:
    """Host load, each DER, and export against the limit, as bars on one scale."""
    export_w = status.image.pcc.export_w.value
    outputs = [der.output_w.value for der in status.image.ders]
    known = None not in outputs and export_w is not None
    load_w = sum(output or 0.0 for output in outputs) - (export_w or 0.0) if known else None
    nameplate_w = sum(der.nameplate_w for der in status.image.ders)
    scale_w = max(1.0, nameplate_w, load_w or 0.0, abs(export_w or 0.0))
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", min_width=12)
    table.add_column(justify="right", min_width=10)
    table.add_column(width=_BAR_WIDTH)
    table.add_column(style="dim")
    table.add_row(
        "host load", _kw(load_w), _bar(load_w, scale_w, "blue"), "what the premises use (output less export)"
    )
    for der in status.image.ders:
        table.add_row(
            der.name, _kw(der.output_w.value), _bar(der.output_w.value, scale_w, "yellow"), _der_note(der)
        )
    above = export_w is not None and export_w > status.export_limit_w
    over_w = (export_w or 0.0) - status.export_limit_w
    colour = "red" if above else "green"
    limit = f"limit {_kw(status.export_limit_w)}"
    said = f"{limit}, [bold red]{_kw(over_w)} above it[/]" if above else f"{limit}, {_kw(-over_w)} below it"
    note = _note(status.image.pcc.export_w, said) if export_w is not None else "[red]the meter is not seen[/]"
    label = "import" if export_w is not None and export_w < 0 else "export"
    shown_w = None if export_w is None else abs(export_w)
    table.add_row(label, _kw(shown_w), _bar(max(0.0, export_w or 0.0), scale_w, colour), note)
    table.add_row("", "", _marker(status.export_limit_w, scale_w), "")
    return table


def _der_note(der: DerStatus) -> str:
    if not der.reachable:
        return "[red]does not answer[/]"
    if der.refused:
        return "[red]does not take its limit[/]"
    return _note(der.output_w, f"limited to {_kw(der.limit_w.value)} of {_kw(der.nameplate_w)}")


def _note(sample: Shown, text: str) -> str:
    return f"[red]{sample.age_s:.1f} s old[/] {text}" if sample.quality == "stale" and sample.age_s else text


def _marker(limit_w: float, scale_w: float) -> Text:
    """Where the limit lies on the export bar's scale."""
    place = min(_BAR_WIDTH - 1, max(0, round(limit_w / scale_w * _BAR_WIDTH)))
    return Text(" " * place + "▲ limit", "dim")


def _minute(status: Status, history: History) -> Text:
    """Export over the last minute, red where it was above the limit."""
    end_s = history.points[-1][0]
    cells: list[float | None] = [None] * _SPARK_WIDTH
    for at_s, export_w in history.points:
        place = int((at_s - end_s + HISTORY_S) / HISTORY_S * (_SPARK_WIDTH - 1))
        if export_w is not None and 0 <= place < _SPARK_WIDTH:
            before_w = cells[place]
            cells[place] = export_w if before_w is None else max(export_w, before_w)
    known = [cell for cell in cells if cell is not None]
    low, high = min([0.0, *known]), max([status.export_limit_w, *known]) or 1.0
    line = Text("export, last minute  ", "bold")
    for cell in cells:
        if cell is None:
            line.append(" ")
            continue
        step = int((cell - low) / (high - low) * (len(_BLOCKS) - 1)) if high > low else 0
        line.append(_BLOCKS[step], "red" if cell > status.export_limit_w else "green")
    line.append(f"  {_kw(low)} to {_kw(high)}", "dim")
    return line


def _narrowed(status: Status) -> Text:
    """What holds the DERs back, tightest first."""
    line = Text("\nheld back by  ", "bold")
    sums = [limit for limit in status.limits if limit.der is None]
    singles = [limit for limit in status.limits if limit.der is not None]
    line.append(", then ".join(_limit(limit) for limit in sums[:3]) or "nothing yet")
    for limit in singles:
        line.append(f"\n              {limit.der}: {_limit(limit)}")
    if status.overrides:
        line.append(f"\n              requested for now: {', '.join(status.overrides)}", "yellow")
    return line


def _limit(limit: LimitStatus) -> str:
    return f"{_BY.get(limit.by, limit.by)} at {_kw(limit.limit_w)}"


def _guards(status: Status) -> RenderableType:
    """The elements and the trip outputs."""
    table = Table(title="\nprotection", title_justify="left", title_style="bold", box=None, padding=(0, 2))
    for column in ("element", "picks up above", "operates after", "now"):
        table.add_column(column, header_style="dim")
    for element in status.elements:
        now = "[green]quiet[/]"
        if element.operated:
            now = "[bold red]operated[/]"
        elif element.blocked:
            now = "[yellow]blocked[/]"
        elif element.picked_up:
            now = f"[red]timing {element.elapsed_s:.1f} of {element.delay_s:.1f} s[/]"
        table.add_row(element.name, _kw(element.pickup_w), f"{element.delay_s:.2f} s", now)
    for output in status.image.outputs:
        table.add_row(output.name, "trip contact", "", _contact(output))
    return Group(table, _trip(status))


def _contact(output: OutputStatus) -> str:
    commanded = "held closed" if output.commanded_closed else "commanded open"
    if output.closed.value is None:
        return f"{commanded}, no feedback"
    closed = output.closed.value > 0
    agrees = closed == output.commanded_closed
    colour = "green" if closed and agrees else "yellow" if agrees else "bold red"
    return f"[{colour}]{'closed' if closed else 'open'}[/] ({commanded})"


def _trip(status: Status) -> Text:
    trip = status.trip
    line = Text("trip  ", "bold")
    if trip.tripped:
        locked = ", locked out: reset by hand only" if trip.lockout else ""
        line.append(f"TRIPPED by {trip.target}{locked}", "bold red")
    else:
        line.append("not tripped", "green")
        if trip.service != "in-service":
            left = f", {trip.remaining_s:.0f} s to go" if trip.remaining_s else ""
            line.append(f"; {trip.service} for enter service{left}", "yellow")
    line.append(f"; {trip.trips_24h} trips in 24 h, {status.fallbacks} fallbacks since the start", "dim")
    return line


def _footer(status: Status) -> Text:
    scan, writes, link = status.scan, status.writes, status.link
    line = Text("\nlink  ", "bold")
    running = "running" if link.alive else "no link process"
    line.append(f"{running}, {link.pending} records wait for the portal", "green" if link.alive else "yellow")
    line.append("\nscan  ", "bold")
    line.append(
        f"number {scan.count}, at least every {scan.period_s:g} s, 99 % within {scan.p99_s * 1000:.0f} ms of due, "
        f"{scan.late} late; limit writes {writes.sent} sent, {writes.verified} verified, {writes.refused} refused",
        "dim",
    )
    return line


def _bar(value: float | None, scale_w: float, colour: str) -> RenderableType:
    if value is None:
        return Text("?", "red")
    return Bar(scale_w, 0, min(scale_w, max(0.0, value)), width=_BAR_WIDTH, color=colour)


def _kw(value_w: float | None) -> str:
    return "unknown" if value_w is None else f"{value_w / 1000:.1f} kW"
