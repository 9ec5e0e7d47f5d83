"""What the application declares about export control, what is blank in it, and whose function the means is.

Source: IREC 2023 Attachment 2 §2.b and Attachment 3 §2.b-c; methods of Section IV.B.3.
"""

from __future__ import annotations

from typing import Any

from edge.model.site import RELAY_METHODS, Agreement, Method, PcsMode, Site

DISCLAIMER = (
    "dergate is software on a general-purpose computer. It is not a utility-grade protective relay and not a power "
    "control system certified by a nationally recognized testing laboratory, and this report is no certificate of either."
)

METHOD_TITLES = {
    Method.REVERSE_POWER_32R: "Reverse power protection (device 32R)",
    Method.MINIMUM_POWER_32F: "Minimum power protection (device 32F)",
    Method.RELATIVE_RATING: "Relative DER rating",
    Method.DIRECTIONAL_POWER_32: "Directional power protection (device 32)",
    Method.CONFIGURED_RATING: "Configured power rating",
    Method.PCS: "Power control system (PCS)",
    Method.AGREED_MEANS: "Mutually agreed-upon means",
}

_RESPONSE_METHODS = frozenset({Method.PCS, Method.AGREED_MEANS})
_LISTED_METHODS = RELAY_METHODS | {Method.PCS}
_POINTS = {"pcc": "point of common coupling", "poc": "point of connection", "between": "between PoC and PCC"}


def declarations(site: Site) -> dict[str, Any]:
    """The form's fields with their answers, in the form's order; None where nothing is declared."""
    agreed = site.agreement
    return {
        "Method of export limitation": METHOD_TITLES[agreed.method],
        "Control power limit setting, kW": agreed.export_limit_w / 1e3,
        "Control power limit setting, kVA": None
        if agreed.export_limit_va is None
        else agreed.export_limit_va / 1e3,
        "Utility's approval reference": agreed.approval_reference,
        "Listed device (relay or PCS)": agreed.listed_device,
        "Control time delay, s": agreed.control_time_delay_s,
        "Open-loop response time, maximum, s": _stated(agreed, "olrt_max_s"),
        "Open-loop response time, average, s": _stated(agreed, "olrt_average_s"),
        "PCS modes": ", ".join(_words(mode) for mode in agreed.pcs_modes) or None,
        "Generators under control": ", ".join(agreed.controlled),
        "Method of import limitation": agreed.import_limit_method,
        "Reference point of applicability": _POINTS[agreed.rpa],
        "Justification of the reference point": agreed.rpa_justification,
        "Detection of abnormal conditions": _POINTS[agreed.detection],
        "Justification of the detection location": agreed.detection_justification,
        "Intentional island": _yes(agreed.intentional_island),
        "Emergency generation": _yes(agreed.emergency_generation),
        "Volt-watt runs at": agreed.volt_watt_at,
        "Managing device certified for volt-watt": _certified(agreed),
    }


def blanks(site: Site) -> tuple[str, ...]:
    """The declarations that this site's method asks for and that are blank."""
    agreed, asked = site.agreement, declarations(site)
    wanted = ["Control power limit setting, kW"]
    if agreed.method in _LISTED_METHODS:
        wanted.append("Listed device (relay or PCS)")
    if agreed.method is Method.AGREED_MEANS:
        wanted.append("Utility's approval reference")
    if agreed.method in _RESPONSE_METHODS:
        wanted += ["Open-loop response time, maximum, s", "Open-loop response time, average, s", "PCS modes"]
    if PcsMode.IMPORT_LIMITING_ESS in agreed.pcs_modes:
        wanted.append("Method of import limitation")
    if agreed.volt_watt_at == "plant":
        wanted.append("Managing device certified for volt-watt")
    return tuple(field for field in wanted if asked[field] is None)


def means(site: Site) -> str:
    """Whose function is the means of export limitation."""
    agreed = site.agreement
    if agreed.method in _LISTED_METHODS:
        return f"the listed device: {agreed.listed_device or 'not named'}; dergate supervises it"
    if agreed.method is Method.AGREED_MEANS:
        reference = agreed.approval_reference or "no reference given"
        return f"dergate's limiter and elements, as agreed in writing with the utility ({reference})"
    if agreed.method is Method.CONFIGURED_RATING:
        return "the configured power rating of the certified DERs, set in the DERs; dergate does not hold it"
    return "the DERs' rating against the verifiable minimum host load; no device limits export"


def _stated(agreed: Agreement, field: str) -> float | None:
    """A figure that the file states; the model's default is nobody's declaration."""
    return getattr(agreed, field) if field in agreed.model_fields_set else None


def _certified(agreed: Agreement) -> str | None:
    if agreed.volt_watt_at != "plant":
        return "not applicable"
    stated = "volt_watt_manager_certified" in agreed.model_fields_set
    return _yes(agreed.volt_watt_manager_certified) if stated else None


def _words(mode: PcsMode) -> str:
    return mode.value.replace("_", " ")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
