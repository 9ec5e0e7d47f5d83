"""Every setting of IEEE 1547-2018 for one DER, as its site's profile requires it."""

from __future__ import annotations

from edge.model.site import Der, Site
from tiir.complete import complete
from tiir.profile import required, shipped
from tiir.values import Values


def required_settings(site: Site, der: Der) -> Values:
    """What the site's shipped profile requires of a DER, over the standard's defaults.

    Raises:
        TiirError: There is no such profile, or it cannot be asked of this DER.
    """
    profile = shipped(site.tiir_profile)
    asked_of = profile.der(
        bidirectional=der.kind == "storage", rated_va=der.nameplate_va, p_min_pu=der.min_pct / 100
    )
    return complete(required(profile, asked_of), asked_of)
