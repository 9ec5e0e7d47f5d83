"""The live picture of a site: what flows, what limits it, what guards it. A pure function of status and history.

`dergate watch`, `dergate status` and `dergate demo` draw the same picture.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from rich.bar import Bar
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from contract.status import (
    DerStatus,
    ExcursionStatus,
    ExcursionSum,
    ExcursionSums,
    LimitStatus,
    OutputStatus,
    PccStatus,
    Shown,
    Status,
)

HISTORY_S = 60.0
_BLOCKS = "▁▂▃▄▅▆▇█"

_MODES = {
    "starting": ("starting", "yellow", "devices are met and limits proven before anything is released"),
    "regulating": ("regulating", "green", "every new measurement corrects the inverters' limits"),
    "fallback": ("fallback", "yellow", "the meter is not trusted: output is held where export cannot pass"),
    "tripped": ("TRIPPED", "red", "the trip contact is open and every inverter is told to cease"),
    "entering-service": ("entering service", "yellow", "waiting, then ramping up"),
}
_BY = {
    "export-limit": "export limit",
    "nameplate": "nameplate, nothing narrows it",
    "fallback": "fallback (no trusted meter)",
    "trip": "trip",
    "enter-service": "enter service",
    "volt-watt": "volt-watt, run by the gateway",
    "frequency-droop": "frequency droop, run by the gateway",
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
    parts = (_flows(status, history), _narrowed(status), _guards(status), _footer(status))
    return Panel(
        Group(*parts), title=title, subtitle=Text(meaning, "dim"), border_style=colour, padding=(0, 1)
    )


def _flows(status: Status, history: History | None) -> Table:
    """Host load, each DER, and export against the limit, as bars on one scale."""
    export_w = status.image.pcc.export_w.value
    load_w = _load_w(status)
    nameplate_w = sum(der.nameplate_w for der in status.image.ders)
    scale_w = max(1.0, nameplate_w, load_w or 0.0, abs(export_w or 0.0))
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(style="dim", no_wrap=True)
    table.add_row("host load", _kw(load_w), _bar(load_w, scale_w, "blue"), "used on site")
    for der in status.image.ders:
        bar = _bar(der.output_w.value, scale_w, "yellow")
        table.add_row(der.name, _kw(der.output_w.value), bar, _der_note(der))
    above = export_w is not None and export_w > status.export_limit_w
    bar = _bar(export_w, scale_w, "red" if above else "green")
    label = "import" if export_w is not None and export_w < 0 else "export"
    shown_w = None if export_w is None else abs(export_w)
    table.add_row(label, _kw(shown_w), bar, _export_note(status, above=above))
    marker = Bar(scale_w, status.export_limit_w, status.export_limit_w + scale_w / 100, color="bright_white")
    table.add_row("export limit", _kw(status.export_limit_w), marker, _beside(status.image.pcc))
    if history is not None and len(history.points) > 1:
        spark = Spark(tuple(history.points), status.export_limit_w)
        table.add_row("export over", "one minute", spark, f"{_kw(spark.low_w)} to {_kw(spark.high_w)}")
    return table


def _beside(pcc: PccStatus) -> str:
    """What else is limited, as it is measured: the export of each phase, reactive power."""
    told = [f"{phase} {_kw(shown.value)}" for phase, shown in zip("abc", pcc.phase_export_w, strict=False)]
    if pcc.export_var is not None:
        told.append("kvar -" if pcc.export_var.value is None else f"{pcc.export_var.value / 1000:.1f} kvar")
    return ", ".join(told)


def _load_w(status: Status) -> float | None:
    """What the premises use: all output less what leaves; None unless all of it is known."""
    export_w = status.image.pcc.export_w.value
    outputs = [der.output_w.value for der in status.image.ders]
    if export_w is None or None in outputs:
        return None
    return sum(output or 0.0 for output in outputs) - export_w


def _der_note(der: DerStatus) -> str:
    if not der.reachable:
        return "[red]does not answer[/]"
    if der.refused:
        return "[red]does not take its limit[/]"
    return _note(der.output_w, f"{_band(der)} of {_kw(der.nameplate_w)}{_charge(der)}")


def _band(der: DerStatus) -> str:
    """The limit that a DER holds; of storage both ends."""
    if der.floor_w is None:
        return f"limit {_kw(der.limit_w.value)}"
    return f"from {_kw(der.floor_w.value)} to {_kw(der.limit_w.value)}"


def _charge(der: DerStatus) -> str:
    """How full storage is, where it says so."""
    return "" if der.soc_pu is None or der.soc_pu.value is None else f", {100 * der.soc_pu.value:.0f} % full"


def _export_note(status: Status, *, above: bool) -> str:
    sample = status.image.pcc.export_w
    if sample.value is None:
        return "[bold red]the meter is not seen[/]"
    over_w = sample.value - status.export_limit_w
    return _note(
        sample, f"[bold red]{_kw(over_w)} ABOVE the limit[/]" if above else f"{_kw(-over_w)} below limit"
    )


def _note(sample: Shown, text: str) -> str:
    return f"[red]{sample.age_s:.0f} s old[/] {text}" if sample.quality == "stale" and sample.age_s else text


@dataclass(frozen=True)
class Spark:
    """Export over time as a row of blocks as wide as there is room, red where it was above the limit."""

    points: tuple[tuple[float, float | None], ...]
    limit_w: float

    @property
    def _known(self) -> list[float]:
        return [export_w for _, export_w in self.points if export_w is not None]

    @property
    def low_w(self) -> float:
        """The bottom of the scale."""
        return min([0.0, *self._known])

    @property
    def high_w(self) -> float:
        """The top of the scale."""
        return max([self.limit_w, 1.0, *self._known])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text(no_wrap=True)
        for cell in self._cells(options.max_width):
            if cell is None:
                line.append(" ")
                continue
            step = int((cell - self.low_w) / (self.high_w - self.low_w) * (len(_BLOCKS) - 1))
            line.append(_BLOCKS[step], "red" if cell > self.limit_w else "green")
        yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(4, options.max_width)

    def _cells(self, width: int) -> list[float | None]:
        """The highest export in each of `width` slices of the last minute."""
        end_s = self.points[-1][0]
        cells: list[float | None] = [None] * width
        for at_s, export_w in self.points:
            place = int((at_s - end_s + HISTORY_S) / HISTORY_S * (width - 1))
            if export_w is not None and 0 <= place < width:
                before_w = cells[place]
                cells[place] = export_w if before_w is None else max(export_w, before_w)
        return cells


def _narrowed(status: Status) -> Text:
    """What holds the DERs back: their sum, tightest first, then phases and single DERs."""
    line = Text("\nheld back by  ", "bold")
    known = {"nameplate", "export-limit"} if _clear_of_element(status) else {"nameplate"}
    shown = [limit for limit in status.limits if limit.by not in known] or status.limits[:1]
    for index, limit in enumerate(shown):
        said = f"{_whose(limit)} at most {_kw(limit.limit_w)}: {_by(limit)}"
        line.append(f"{'              ' if index else ''}{said}\n", "" if index == 0 else "dim")
    if not shown:
        line.append("nothing is commanded yet\n", "dim")
    if status.overrides:
        line.append(f"              for a test or by request: {', '.join(status.overrides)}\n", "yellow")
    return line


def _clear_of_element(status: Status) -> bool:
    """Whether an element's dropout stands for the export limit, tighter than the limit itself."""
    return any(limit.by.endswith("-dropout") for limit in status.limits)


def _whose(limit: LimitStatus) -> str:
    phase = _phase(limit)
    return limit.der or (f"phase {phase}" if phase else "all output")


def _phase(limit: LimitStatus) -> str:
    """The phase that it is on, empty for all of them."""
    _, dash, last = limit.by.removesuffix("-dropout").rpartition("-")
    return last if dash and last in {"a", "b", "c"} else ""


def _by(limit: LimitStatus) -> str:
    if limit.by.endswith("-dropout"):
        return f"export limit, clear of element {limit.by.removesuffix('-dropout')}"
    by = limit.by.removesuffix(f"-{_phase(limit)}")
    return _BY.get(by, by)


def _guards(status: Status) -> RenderableType:
    """The elements and the trip outputs."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("protection", "picks up above", "operates after", "now"):
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
        table.add_row(output.name, "", "", _contact(output))
    return Group(table, _trip(status), excursions(status.excursions))


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


def excursions(status: ExcursionStatus) -> Text:
    """How often export was above the limit of late, how long and how much."""
    line = Text("excursions  ", "bold")
    line.append(_of_late(status), "dim")
    for phase, sums in status.phases.items():
        line.append(f"\n   phase {phase}  ", "bold")
        line.append(_of_late(sums), "dim")
    return line


def _of_late(sums: ExcursionSums) -> str:
    spans = {"1 h": sums.last_1h, "24 h": sums.last_24h, "30 days": sums.last_30d}
    return "; ".join(_summed(what, span) for span, what in spans.items())


def _summed(what: ExcursionSum, span: str) -> str:
    if what.count == 0 and what.duration_s == 0:
        return f"none in {span}"
    return f"{what.count} in {span} ({what.duration_s:.1f} s, {what.energy_wh:.1f} Wh)"


def _footer(status: Status) -> Text:
    scan, writes, link = status.scan, status.writes, status.link
    line = Text("\nlink  ", "bold")
    running = "running" if link.alive else "no link process"
    line.append(f"{running}, {link.pending} records wait for the portal", "green" if link.alive else "yellow")
    line.append("\nscan  ", "bold")
    line.append(
        f"{scan.count}, {scan.late} late, 99 % in {scan.p99_s * 1000:.0f} ms; "
        f"limits: {writes.sent} written, {writes.verified} verified, {writes.refused} refused",
        "dim",
    )
    return line


def _bar(value: float | None, scale_w: float, colour: str) -> RenderableType:
    if value is None:
        return Text("?", "red")
    return Bar(scale_w, 0, min(scale_w, max(0.0, value)), color=colour)


def _kw(value_w: float | None) -> str:
    return "unknown" if value_w is None else f"{value_w / 1000:.1f} kW"
