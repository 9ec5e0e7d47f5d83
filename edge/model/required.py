"""Which settings of IEEE 1547-2018 a site requires of one DER: of the DER itself, and of who runs its functions."""

from __future__ import annotations

from edge.model.site import Der, Site
from tiir.complete import complete
from tiir.elsewhere import run_elsewhere
from tiir.held import site_requires
from tiir.profile import required, shipped
from tiir.values import Value, Values


def required_settings(site: Site, der: Der) -> Values:
    """Every setting that the site's shipped profile requires for a DER, over the standard's defaults, whoever runs it.

    Raises:
        TiirError: There is no such profile, or it cannot be asked of this DER.
    """
    profile = shipped(site.tiir_profile)
    asked_of = profile.der(
        bidirectional=der.kind == "storage", rated_va=der.nameplate_va, p_min_pu=der.min_pct / 100
    )
    return complete(required(profile, asked_of), asked_of)


def device_requires(site: Site, der: Der) -> Values:
    """What a DER's own settings must be, by the site's shipped profile.

    Raises:
        TiirError: There is no such profile, or it cannot be asked of this DER.
    """
    asked = site_requires(site.tiir_profile, bidirectional=der.kind == "storage", rated_va=der.nameplate_va)
    return asked_of_device(asked, der)


def asked_of_device(asked: Values, der: Der) -> dict[str, Value]:
    """What `asked` by a profile comes to for the device: functions of the gateway off, its configured rating set."""
    of_device = run_elsewhere(asked, der.gateway_functions)
    rating = der.configured
    if rating is not None and rating.limit_w is not None:
        of_device["CFG_P_MAX"] = rating.limit_w
    if rating is not None and rating.limit_va is not None:
        of_device["CFG_VA_MAX"] = rating.limit_va
    return of_device
