"""Where the IREC 2023 model procedures speak of each method, and how an application names it."""

from __future__ import annotations

from edge.model.site import Method

EXPORT_CAPACITY = "IREC 2023 Section I.B (Export Capacity), Section IV.B.1, Attachments 2 and 3 §2"
RELATIVE_RATING = "IREC 2023 Section IV.B.3.a.iii"
CONFIGURED_RATING = "IREC 2023 Section IV.B.3.b.ii, IEEE 1547-2018 10.4"
SCREEN = "IREC 2023 Section III.B.3.b"
PICKUPS = "IREC 2023 Section IV.B.3.a.i-ii and IV.B.3.b.i"

METHOD: dict[Method, tuple[str, str]] = {
    Method.REVERSE_POWER_32R: ("Section IV.B.3.a.i", "reverse power protection (device 32R)"),
    Method.MINIMUM_POWER_32F: ("Section IV.B.3.a.ii", "minimum power protection (device 32F)"),
    Method.RELATIVE_RATING: ("Section IV.B.3.a.iii", "relative DER rating"),
    Method.DIRECTIONAL_POWER_32: ("Section IV.B.3.b.i", "directional power protection (device 32)"),
    Method.CONFIGURED_RATING: ("Section IV.B.3.b.ii", "configured power rating"),
    Method.PCS: ("Section IV.B.3.c.i", "certified power control system"),
    Method.AGREED_MEANS: ("Section IV.B.3.c.ii", "mutually agreed-upon means"),
}
