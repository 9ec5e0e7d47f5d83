"""A capture as COMTRADE: IEEE C37.111-2013 (IEC 60255-24), ASCII, in UTC.

Scans have no fixed rate: `nrates` is 0 and each sample carries its own time in µs. Values are whole counts from
-99999 to 99998, scaled by a step of 1, 2 or 5 times a power of ten for each channel; 99999 stands for a value that
is absent (6.3 of the 1999 text; 8.4 of 2013 leaves the field empty, on which readers fail), and the channel
"... absent" says so too.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from contract.envelope import TimeQuality
from edge.evidence.channels import Analogue, Status, channels
from edge.evidence.incident import Incident

LOWEST, HIGHEST, ABSENT = -99_999, 99_998, 99_999
_SMALLEST_STEP = 1e-9
_NAME, _CHANNEL, _UNIT = 64, 128, 32
"""Longest fields, in characters: station, device and component; channel; unit."""

_TIME_QUALITY: dict[TimeQuality, str] = {"synchronised": "A", "holdover": "F", "unknown": "F"}
"""C37.118 codes. A: within 1 s, what a kernel that follows NTP keeps; F: nobody can say, not reliable."""

_LEAP_SECONDS_UNKNOWN = 3


class NoSamplesError(Exception):
    """A capture without a single row is no fault record."""


@dataclass(frozen=True, slots=True)
class Comtrade:
    """The three files' contents."""

    cfg: str
    dat: str
    hdr: str

    def write(self, folder: Path, name: str) -> list[Path]:
        """Write `name`.cfg, .dat and .hdr into `folder`, which is made; returns their paths.

        Raises:
            OSError: One cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        parts = ((".cfg", self.cfg), (".dat", self.dat), (".hdr", self.hdr))
        paths = []
        for suffix, text in parts:
            path = folder / f"{name}{suffix}"
            path.write_bytes(text.encode("ascii"))
            paths.append(path)
        return paths


def comtrade(incident: Incident, local_offset: timedelta) -> Comtrade:
    """The fault record of an incident; `local_offset` is local time less UTC where it was recorded.

    Raises:
        NoSamplesError: The capture is empty.
    """
    if not incident.capture.scans:
        raise NoSamplesError(f"capture {incident.seq} has no samples")
    analogue, status = channels(incident)
    steps = [_step(channel.values) for channel in analogue]
    return Comtrade(
        cfg=_lines(_cfg(incident, analogue, steps, status, local_offset)),
        dat=_lines(_dat(incident, analogue, steps, status)),
        hdr=_lines(_hdr(incident)),
    )


def _cfg(
    incident: Incident,
    analogue: Sequence[Analogue],
    steps: Sequence[float],
    status: Sequence[Status],
    local_offset: timedelta,
) -> list[str]:
    hertz = incident.capture.nominal_hz
    return [
        f"{_text(incident.station, _NAME)},{_text(incident.gateway, _NAME)},2013",
        f"{len(analogue) + len(status)},{len(analogue)}A,{len(status)}D",
        *(
            f"{number},{_text(one.name, _CHANNEL)},,{_text(one.component, _NAME)},{_text(one.unit, _UNIT)},"
            f"{step:g},0,0,{LOWEST},{HIGHEST},1,1,P"
            for number, (one, step) in enumerate(zip(analogue, steps, strict=True), start=1)
        ),
        *(
            f"{number},{_text(one.name, _CHANNEL)},,{_text(one.component, _NAME)},{one.normal}"
            for number, one in enumerate(status, start=1)
        ),
        "" if hertz is None else f"{hertz:g}",
        "0",
        f"0,{len(incident.capture.scans)}",
        _date(incident.moment(incident.t_s[0])),
        _date(incident.at),
        "ASCII",
        "1",
        f"0,{_zone(local_offset)}",
        f"{_TIME_QUALITY[incident.time_quality]},{_LEAP_SECONDS_UNKNOWN}",
    ]


def _dat(
    incident: Incident, analogue: Sequence[Analogue], steps: Sequence[float], status: Sequence[Status]
) -> list[str]:
    times_s = incident.t_s
    return [
        ",".join(
            [
                str(index + 1),
                str(round((t_s - times_s[0]) * 1e6)),
                *(_count(one.values[index], step) for one, step in zip(analogue, steps, strict=True)),
                *(str(one.values[index]) for one in status),
            ]
        )
        for index, t_s in enumerate(times_s)
    ]


def _hdr(incident: Incident) -> list[str]:
    times_s = incident.t_s
    marks = (f"{mark.t_s:+.3f} s {mark.type}: {mark.detail}" for mark in incident.capture.marks)
    elements = (
        f"Element {one.name} as set: pickup {one.pickup_w:g} W, dropout {one.dropout_w:g} W, delay {one.delay_s:g} s"
        for one in incident.capture.elements
    )
    said = [
        f"{incident.station} (gateway {incident.gateway}), record {incident.seq}",
        incident.detail,
        f"Event at {incident.at.isoformat(timespec='milliseconds')}, clock {incident.time_quality}; "
        f"monotonic {incident.mono_s:.3f} s of boot {incident.boot}",
        f"From {times_s[0]:.3f} s to {times_s[-1]:.3f} s after the event, {len(times_s)} scans, each with its own time.",
        "Export is positive out to the grid; DER output is positive when generating.",
        *elements,
        *marks,
    ]
    return [_plain(line) for line in said]


def _step(values: Sequence[float | None]) -> float:
    """The smallest of 1, 2 and 5 times a power of ten by which every value is a count in range."""
    most = max((abs(value) for value in values if value is not None), default=0.0)
    if most <= HIGHEST * _SMALLEST_STEP:
        return _SMALLEST_STEP
    tens = math.floor(math.log10(most / HIGHEST))
    candidates = (float(f"{digit}e{tens + up}") for up in (-1, 0, 1) for digit in (1, 2, 5))
    return next(step for step in candidates if round(most / step) <= HIGHEST)


def _count(value: float | None, step: float) -> str:
    return str(ABSENT if value is None else round(value / step))


def _date(moment: datetime) -> str:
    return moment.strftime("%d/%m/%Y,%H:%M:%S.%f")


def _zone(offset: timedelta) -> str:
    """The time code of C37.232: 0, +2, -4h30."""
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "" if minutes == 0 else "+" if minutes > 0 else "-"
    return f"{sign}{hours}{f'h{rest:02}' if rest else ''}"


def _text(text: str, longest: int) -> str:
    """A field: printable ASCII without the comma that separates fields."""
    return _plain(text.replace(",", " "))[:longest].strip()


def _plain(text: str) -> str:
    """Printable ASCII: accents go, what has no likeness is a question mark, control characters are blanks."""
    parts = (one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    shown = (one if one.isascii() else "?" for one in parts)
    return " ".join("".join(one if one.isprintable() else " " for one in shown).split())


def _lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\r\n" for line in lines)
