"""Configured power ratings of the generators, as an application shows them. Pure; what is wrong is in `edge.guard.ratings`."""

from __future__ import annotations

from dataclasses import dataclass

from edge.model.site import Site


@dataclass(frozen=True, slots=True)
class Configured:
    """One generator's setting beside its nameplate; W and VA, None where nothing is set or on record."""

    name: str
    nameplate_w: float
    nameplate_va: float
    limit_w: float | None
    limit_va: float | None
    share: float
    certificate: str | None
    derating_tag: str | None


def configured_ratings(site: Site) -> tuple[Configured, ...]:
    """Every generator that has a setting."""
    return tuple(
        Configured(
            name=der.name,
            nameplate_w=der.nameplate_w,
            nameplate_va=der.rated_va,
            limit_w=der.configured.limit_w,
            limit_va=der.configured.limit_va,
            share=der.configured.rated_w / der.nameplate_w,
            certificate=der.configured.certificate,
            derating_tag=der.configured.derating_tag,
        )
        for der in site.der
        if der.configured is not None
    )
