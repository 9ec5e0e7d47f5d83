"""A capture's columns as the channels of a fault record: analogue with their units, and states."""

from __future__ import annotations

from dataclasses import dataclass

from edge.evidence.incident import Incident

_ANALOGUE = {
    "export_w": ("PCC export", "W"),
    "export_var": ("PCC reactive power", "var"),
    "export_age_s": ("PCC export age", "s"),
    "v_pu": ("PCC voltage", "pu"),
    "f_hz": ("PCC frequency", "Hz"),
    "target_w": ("export target", "W"),
    "output_w": ("output", "W"),
    "limit_w": ("limit read back", "W"),
    "commanded_w": ("limit commanded", "W"),
    "pickup_w": ("pickup", "W"),
    "dropout_w": ("dropout", "W"),
}
_STATUS = {
    "commanded_closed": ("commanded closed", 1),
    "closed": ("closed", 1),
    "picked_up": ("picked up", 0),
    "operated": ("operated", 0),
    "blocked": ("blocked", 0),
    "tripped": ("trip latch", 0),
    "fallback": ("fallback", 0),
}
"""Name and normal state of what is a state, by the last word of the column."""
_LEFT_OUT = frozenset({"t_s", "sequence"})


@dataclass(frozen=True, slots=True)
class Analogue:
    """One analogue channel, `values` by row in `unit`; None is absent. `component`: whose it is."""

    name: str
    component: str
    unit: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """One status channel; `normal` is its state when all is well. An unknown state shows as 0."""

    name: str
    component: str
    normal: int
    values: tuple[int, ...]


def channels(incident: Incident) -> tuple[list[Analogue], list[Status]]:
    """What an incident's capture has.

    Every channel with values that were not known is followed, among the states, by one that says when: readers
    differ in how they show a missing value, and a state cannot be missing at all.
    """
    analogue: list[Analogue] = []
    status: list[Status] = []
    absent: list[Status] = []
    for column in incident.capture.columns:
        if column in _LEFT_OUT:
            continue
        component, _, what = column.rpartition(" ")
        values = tuple(incident.series(column))
        if what in _STATUS:
            name, normal = _STATUS[what]
            status.append(Status(_of(component, name), component, normal, tuple(map(_state, values))))
        else:
            analogue.append(_analogue(incident, component, what, values))
        if None in values and what != "export_age_s":
            name = status[-1].name if what in _STATUS else analogue[-1].name
            absent.append(Status(f"{name} absent", component, 0, tuple(int(v is None) for v in values)))
    return [*analogue, *_limit(incident)], [*status, *absent]


def _analogue(incident: Incident, component: str, what: str, values: tuple[float | None, ...]) -> Analogue:
    name, unit = _ANALOGUE.get(what, (what, ""))
    nominal_v = incident.capture.nominal_v
    if unit == "pu" and nominal_v is not None:
        values, unit = tuple(None if value is None else value * nominal_v for value in values), "V"
    return Analogue(_of(component, name), component, unit, values)


def _limit(incident: Incident) -> list[Analogue]:
    """The export limit, as a line: what all else is judged by."""
    limit_w = incident.capture.limit_w
    return (
        []
        if limit_w is None
        else [Analogue("export limit", "", "W", (limit_w,) * len(incident.capture.scans))]
    )


def _of(component: str, name: str) -> str:
    return f"{component} {name}" if component else name


def _state(value: float | None) -> int:
    return int(value is not None and value > 0)
