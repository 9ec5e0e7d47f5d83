"""Which functions of IEEE 1547-2018 the gateway runs, for which DER, and what of the response times is left for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge.core.plant_functions import PlantFunctions
from edge.model.required import required_settings
from edge.model.site import Site


def run_here(site: Site, *, stale_s: float, chains_s: Mapping[str, float]) -> Iterator[PlantFunctions]:
    """The functions of each DER that has any run by the gateway, with the settings that the site's profile requires.

    Args:
        site: The site file.
        stale_s: Age past which a PCC sample no longer counts as sight.
        chains_s: By DER, from a change of voltage or frequency until its output starts to move.
    """
    for der in site.der:
        if der.gateway_functions:
            yield PlantFunctions(
                der=der.name,
                rated_w=der.nameplate_w,
                rated_va=der.rated_va,
                functions=frozenset(der.gateway_functions),
                settings=required_settings(site, der),
                at_inverter=der.gateway_voltage == "inverter",
                chain_s=chains_s[der.name],
                fresh_s=der.lost_after_s if der.gateway_voltage == "inverter" else stale_s,
            )
