"""The bench site with pieces swapped, and a year of interval data."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

from edge.model.site import Site
from edge.model.strict_toml import load

BENCH = (Path(__file__).parents[1] / "guard" / "bench.site.toml").read_text(encoding="utf-8")

METHOD = 'method = "agreed_means"'
LIMIT = "export_limit_w = 25_000.0"
MODES = 'pcs_modes = ["export_limiting_all_sources"]'
FIRST, SECOND = "nameplate_w = 20_000.0", "nameplate_w = 80_000.0"
GUARD = "[guard]"
METER = "noise_w = 60.0"
PLACE = "nominal_hz = 60"
ELEMENT = 'kind = "32"'

TODAY = date(2026, 1, 10)
END = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=-5)))


def site(*pairs: tuple[str, str]) -> Site:
    """The bench site with each (old, new) replaced once; the old text must be there."""
    text = BENCH
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return load(Site, text, "bench.site.toml")


def starts(days: float = 365, end: datetime = END, step_s: int = 3600) -> list[datetime]:
    """Interval starts over `days` before `end`."""
    count = round(days * 86_400 / step_s)
    return [end - timedelta(seconds=step_s) * (count - index) for index in range(count)]


def csv_of(times: list[datetime], at: dict[int, float] | None = None) -> str:
    """Rows with a load of 250 kW; `{5: 3.0}` puts 3 kW in the row with index 5."""
    loads = at or {}
    rows = [f"{when.isoformat()},{loads.get(index, 250.0)}" for index, when in enumerate(times)]
    return "\n".join(["start,host_load_kw", *rows]) + "\n"
