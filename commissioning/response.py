"""The response to a lowered limit, read off the recorded scans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from contract.socket import Scan

_REST_S = 1.0
"""The end of the record, taken as where export came to rest."""


@dataclass(frozen=True, slots=True)
class Response:
    """When export was at or below the target for good (None: never), and how far below it went.

    `undershoot_w` is how far the lowest sample lay below where export came to rest or below the target,
    whichever is lower, so that a host load that grew meanwhile does not count.
    """

    at_s: float | None
    undershoot_w: float | None
    settled_w: float | None


def response(scans: Sequence[Scan], start_s: float, target_w: float, band_w: float) -> Response:
    """Judge the scans from `start_s` on against `target_w` + `band_w`."""
    known = [
        (scan.at_s, scan.export_w) for scan in scans if scan.at_s >= start_s and scan.export_w is not None
    ]
    if not known:
        return Response(None, None, None)
    end_s = known[-1][0]
    settled_w = fmean(export_w for at_s, export_w in known if at_s >= end_s - _REST_S)
    lowest_w = min(export_w for _, export_w in known)
    above = [at_s for at_s, export_w in known if export_w > target_w + band_w]
    after = [at_s for at_s, _ in known if not above or at_s > above[-1]]
    return Response(
        at_s=after[0] if after else None,
        undershoot_w=max(0.0, min(target_w, settled_w) - lowest_w),
        settled_w=settled_w,
    )
