"""Configured power rating as the means: every generator set below its nameplate, by a certified setting. Pure.

Source: IREC 2023 Section IV.B.3.b.ii; IEEE 1547-2018 subclause 10.4, Table 28.
"""

from __future__ import annotations

from collections.abc import Iterator

from edge.guard.finding import Finding
from edge.model.site import ConfiguredRating, Der, Method, Site


def configured(site: Site) -> Iterator[Finding]:
    """What the method asks of each generator and of their sum; nothing where it is another method."""
    if site.agreement.method is not Method.CONFIGURED_RATING:
        return
    for index, der in enumerate(site.der):
        path = f"der[{index}].configured"
        if der.configured is None:
            yield Finding(
                "problem",
                path,
                f"is required for method configured_rating: {der.name} needs a setting below its nameplate; one that"
                " is not applied to each generator takes agreed-upon means",
            )
        else:
            yield from _setting(der, der.configured, path)
    yield from _sum(site)


def exported_w(der: Der) -> float:
    """What a generator exports at most by its configured rating; its nameplate where there is none."""
    return der.nameplate_w if der.configured is None else min(der.nameplate_w, der.configured.rated_w)


def _setting(der: Der, setting: ConfiguredRating, path: str) -> Iterator[Finding]:
    if setting.rated_w >= der.nameplate_w:
        yield Finding(
            "problem",
            path,
            f"{setting.rated_w:g} W (or VA) must be below the {der.nameplate_w:g} W nameplate of {der.name}",
        )
    if setting.certificate is None:
        yield Finding(
            "problem", f"{path}.certificate", "is required: the setting must be certified to IEEE 1547.1-2020"
        )
    if setting.derating_tag is None:
        yield Finding(
            "warning",
            f"{path}.derating_tag",
            f"nothing says where the reduced rating of {der.name} is shown (replaced nameplate or a tag)",
        )


def _sum(site: Site) -> Iterator[Finding]:
    sum_w = site.unmanaged.nameplate_w + sum(exported_w(der) for der in site.der)
    limit_w = site.agreement.export_limit_w
    if sum_w > limit_w:
        yield Finding(
            "problem",
            "der.configured",
            f"the configured ratings, unmanaged generation included, sum to {sum_w:g} W, above the limit of"
            f" {limit_w:g} W",
        )
