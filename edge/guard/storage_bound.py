"""The PCS bound of storage: what it takes from the grid and sends to it, held against what was agreed.

Where the PCC imports while storage charges, the grid gives storage the lesser of the two: the rest of its charge is
generation's, the rest of the import the host's. Likewise for what it sends.
"""

from __future__ import annotations

from edge.guard.settings import BOUND_TOLERANCE, DerSettings, StorageBound
from edge.model.image import DerReading, Image
from edge.model.sample import Sample

MAX_AGE_S = 10.0
"""An output older than this says nothing any more."""


def exchanged(
    bound: StorageBound,
    export: Sample,
    image: Image,
    ders: tuple[DerSettings, ...],
    now_s: float,
    *,
    closed: bool,
) -> Sample:
    """What the bound is about, in W, measured with the PCC sample `export`."""
    export_w = export.otherwise(0.0)
    sends = bound.kind == "sent"
    flow_w = export_w if sends else -export_w
    storage_w = sum(
        _most_w(der, reading, now_s, sends=sends, closed=closed)
        for der, reading in zip(ders, image.ders, strict=True)
        if der.is_storage
    )
    if bound.kind == "import":
        value_w = flow_w if storage_w > BOUND_TOLERANCE * sum(der.nameplate_w for der in ders) else 0.0
    else:
        value_w = min(flow_w, storage_w)
    return Sample.good(value_w, export.oldest_s, export.newest_s)


def _most_w(der: DerSettings, reading: DerReading, now_s: float, *, sends: bool, closed: bool) -> float:
    """What a storage unit gives (`sends`) or takes at most: as measured, else what it may do unheard."""
    output_w = reading.output_w.fresh(now_s, MAX_AGE_S)
    if output_w is not None:
        return max(0.0, output_w if sends else -output_w)
    if der.contact is not None and not closed:
        return 0.0
    return der.unheard_w if sends else der.unheard_charge_w
