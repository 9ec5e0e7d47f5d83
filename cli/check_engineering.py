"""The engineering part of `dergate check` as a page to hand over: a table for each statement, numbers and clause."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console
    from rich.table import Table

    from edge.engineering.capacity import Capacity
    from edge.engineering.configured_rating import Configured
    from edge.engineering.engineering import Engineering
    from edge.engineering.export_screen import ExportScreen
    from edge.engineering.pickups import Pickup
    from edge.engineering.relative_rating import RelativeRating
    from edge.engineering.ride_through import RideThrough
    from edge.model.site import Site


def show(console: Console, site: Site, stated: Engineering) -> None:
    """Print every statement that the site has."""
    place = site.site
    console.print(
        f"[bold]{_escaped(place.name)}[/] ({place.id}), {_k(place.transformer_va)} kVA service transformer,"
    )
    console.print(
        f"{place.nominal_v:g} V line to neutral, {place.nominal_hz} Hz, {place.network} network", ""
    )
    _capacity(console, stated.capacity)
    if stated.relative_rating is not None:
        _relative(console, stated.relative_rating)
    if stated.configured_ratings:
        _configured(console, stated.configured_ratings)
    _screen(console, stated.export_screen)
    if stated.pickups:
        _pickups(console, stated.pickups)
    if stated.ride_through:
        _ride_through(console, stated.ride_through)


def _capacity(console: Console, stated: Capacity) -> None:
    rows: list[tuple[str, ...]] = [
        (unit.name, unit.kind, _k(unit.nameplate_w), _k(unit.nameplate_va), _k(unit.export_w), unit.why)
        for unit in stated.units
    ]
    most_w = sum(unit.export_w for unit in stated.units)
    kva = "" if stated.export_va is None else _k(stated.export_va)
    rows += [
        (
            "together",
            "",
            _k(stated.nameplate_w),
            _k(stated.nameplate_va),
            _k(most_w),
            "sums, before any limit",
        ),
        ("Export Capacity", "", _k(stated.export_w), kva, "", stated.method_clause),
    ]
    heads = ("unit", "kind", "kW", "kVA", "exports kW", "why")
    _head(console, "Capacity statement", stated.clause)
    console.print(_table(heads, rows))
    console.print(_escaped(stated.statement), "")


def _relative(console: Console, stated: RelativeRating) -> None:
    shown = list(_relative_rows(stated))
    _head(console, "Relative DER rating", stated.clause)
    console.print(_table(("quantity", "value", "from"), shown))
    console.print(_escaped(stated.sentence), "")


def _relative_rows(stated: RelativeRating) -> Iterator[tuple[str, ...]]:
    first, end = stated.first.isoformat(), stated.end.isoformat()
    yield "record", f"{first} to {end}", stated.source
    yield "12 months", f"{stated.window_start.isoformat()} to {end}", "counted back from the record's end"
    yield "intervals", f"{stated.intervals} of {stated.interval_s} s", "rows within the 12 months"
    yield "gaps", str(len(stated.gaps)), f"{sum(gap.intervals for gap in stated.gaps)} intervals missing"
    for gap in stated.gaps[:10]:
        yield "gap", f"{gap.start.isoformat()} to {gap.end.isoformat()}", f"before line {gap.line}"
    for change in stated.clock_changes:
        yield (
            "clock change",
            f"{change.from_offset} to {change.to_offset}",
            f"line {change.line}, {change.at.isoformat()}",
        )
    yield (
        "minimum host load",
        f"{_k(stated.minimum_w)} kW",
        f"line {stated.minimum_line}, {stated.minimum_at.isoformat()}",
    )
    yield "half of it", f"{_k(stated.largest_nameplate_w)} kW", "largest nameplate that the option takes"
    share = "" if stated.share is None else f"{100 * stated.share:.1f} % of the minimum"
    yield "nameplate", f"{_k(stated.nameplate_w)} kW", share
    yield "network", stated.network, "not available on area and spot networks"


def _configured(console: Console, stated: tuple[Configured, ...]) -> None:
    from edge.engineering.clauses import CONFIGURED_RATING

    rows = [
        (
            one.name,
            _k(one.nameplate_w),
            "-" if one.limit_w is None else _k(one.limit_w),
            "-" if one.limit_va is None else _k(one.limit_va),
            f"{100 * one.share:.1f} %",
            one.certificate or "not on record",
            one.derating_tag or "not on record",
        )
        for one in stated
    ]
    heads = ("generator", "nameplate kW", "set kW", "set kVA", "of nameplate", "certificate", "derating tag")
    _head(console, "Configured power rating", CONFIGURED_RATING)
    console.print(_table(heads, rows), "")


def _screen(console: Console, stated: ExportScreen) -> None:
    rows = [
        ("nameplate", f"{_k(stated.nameplate_w)} kW, {_k(stated.nameplate_va)} kVA", "all units"),
        ("Export Capacity", f"{_k(stated.export_capacity_w)} kW", "capacity statement"),
        ("difference", f"{_k(stated.difference_w)} kW", f"asked for above {_k(stated.applies_above_w)} kW"),
    ]
    source = stated.source
    if source is not None and stated.change_pu is not None:
        assert stated.delta_p_w is not None
        assert stated.delta_q_var is not None
        rows += [
            ("R_source, X_source", f"{source.r_ohm:g} Ω, {source.x_ohm:g} Ω", "site.source"),
            (
                "V, PF",
                f"{source.primary_v:g} V, {source.power_factor:g}",
                "site.source; line to line, absorbing",
            ),
            ("dP, dQ", f"{_k(stated.delta_p_w)} kW, {_k(stated.delta_q_var)} kvar", ""),
            (
                "voltage change",
                f"{100 * stated.change_pu:+.3f} %",
                f"{stated.formula}; at most {100 * stated.limit_pu:g} %",
            ),
        ]
    if stated.change_at_meter_pu is not None:
        rows.append(
            (
                "the same at the meter",
                f"{100 * stated.change_at_meter_pu:+.3f} %",
                "with the service transformer; no limit in the screen",
            )
        )
    _head(console, "Inadvertent Export Screen", stated.clause)
    console.print(_table(("quantity", "value", "from"), rows))
    console.print(_escaped(stated.sentence), "")


def _pickups(console: Console, stated: tuple[Pickup, ...]) -> None:
    from edge.engineering.clauses import PICKUPS

    _head(console, "Power elements", PICKUPS)
    rows = [row for one in stated for row in _pickup_rows(one)]
    console.print(_table(("element", "quantity", "value", "from"), rows))
    console.print("Powers are exports; negative: an import.", "", style="dim")


def _pickup_rows(one: Pickup) -> Iterator[tuple[str, ...]]:
    yield one.kind, one.role, "", one.clause
    if one.rule_w is not None:
        yield "", "pickup by the rule", _w(one.rule_w), one.rule
    if one.set_w is not None:
        yield "", "pickup set", _w(one.set_w), "guard.element"
    delay = f"at most {one.delay_limit_s:g} s" if one.delay_s is None else f"{one.delay_s:.2f} s"
    yield "", "time delay", delay, f"at most {one.delay_limit_s:g} s"
    if one.secondary_w is not None:
        yield "", "pickup, secondary", f"{one.secondary_w:.3f} W", one.ratio or ""
    yield "", "measuring error", "-" if one.error_w is None else _w(one.error_w), _error(one)


def _error(one: Pickup) -> str:
    if one.error_w is None or one.error_terms_w is None:
        return "not known: [meter.instruments] is missing"
    terms = " + ".join(f"{watts:.1f} {label}" for label, watts in one.error_terms_w.items())
    share = "" if one.error_pct_of_pickup is None else f", {one.error_pct_of_pickup:.0f} % of the pickup"
    return f"{terms}{share}"


def _ride_through(console: Console, stated: tuple[RideThrough, ...]) -> None:
    rows = []
    for one in stated:
        load = "declared" if one.load_declared else "as large as all generation"
        rows += [
            (one.element, "delay", f"{one.delay_s:.2f} s", "guard.element"),
            ("", "recovery", f"{one.recovery_s:.2f} s", one.recovery),
            ("", "largest step survived", f"{_k(one.shed_w)} kW", f"shed in the {one.ramp_s:.2f} s left"),
            ("", "host load that may be lost", f"{_k(one.load_w)} kW", load),
            (
                "",
                "margin it would need",
                f"{_k(one.margin_w)} kW",
                f"below the dropout of {_w(one.dropout_w)}",
            ),
            ("", "target with that margin", _w(one.target_w), "export; negative: import"),
        ]
    heads = ("element", "quantity", "value", "from")
    _head(console, "Ride-through of load steps", "time budgets of this site")
    console.print(_table(heads, rows), "")


def _head(console: Console, title: str, clause: str) -> None:
    console.print(f"[bold]{title}[/]")
    console.print(clause, style="dim")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1))
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(_escaped(cell) for cell in row))
    return table


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _k(value: float) -> str:
    """In thousands, to a tenth of a watt."""
    return f"{value / 1000:,.4f}".rstrip("0").rstrip(".")


def _w(value: float) -> str:
    return f"{value:,.1f} W"
