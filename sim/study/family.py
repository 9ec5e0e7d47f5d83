"""What may differ from site to site, as a closed list: each parameter with its bounds, its unit in its name."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from edge.model.site import Strict
from sim.study.draw import Draw, share_of


class Within:
    """Bounds of a parameter, and whether it counts something."""

    def __init__(self, low: float, high: float, *, whole: bool = False) -> None:
        self.low, self.high, self.whole = low, high, whole


class Family(Strict):
    """The parameters of a site; one that is not drawn stays as the base scenario has it.

    `_pu` is of the site's nameplate, `_share` of the host load. DERs are copies of the base scenario's first,
    and share the nameplate equally. `_ratio` is what the device does over what its profile says.
    """

    nameplate_w: Annotated[Draw | None, Within(1e3, 1e7)] = None
    ders: Annotated[Draw | None, Within(1, 100, whole=True)] = None
    limit_pu: Annotated[Draw | None, Within(0.0, 1.0)] = None
    sun_pu: Annotated[Draw | None, Within(0.0, 2.0)] = None
    dead_time_s: Annotated[Draw | None, Within(0.0, 30.0)] = None
    slope_pct_per_s: Annotated[Draw | None, Within(0.1, 1e4)] = None
    dead_time_ratio: Annotated[Draw | None, Within(0.2, 5.0)] = None
    slope_ratio: Annotated[Draw | None, Within(0.2, 5.0)] = None
    meter_period_s: Annotated[Draw | None, Within(0.05, 60.0)] = None
    meter_latency_s: Annotated[Draw | None, Within(0.0, 60.0)] = None
    load_pu: Annotated[Draw | None, Within(0.0, 10.0)] = None
    load_noise_pu: Annotated[Draw | None, Within(0.0, 1.0)] = None
    load_drop_share: Annotated[Draw | None, Within(0.0, 1.0)] = None
    cloud_cover: Annotated[Draw | None, Within(0.01, 0.99)] = None
    wind_m_s: Annotated[Draw | None, Within(0.1, 50.0)] = None

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        for name, draw, within in self._given():
            low, high = draw.support()
            if low < within.low or high > within.high:
                said = f"can draw {low:g} to {high:g}; allowed is {within.low:g} to {within.high:g}"
                raise _misfit(name, said)
            if within.whole and not (draw.choice and all(value % 1 == 0 for value in draw.choice)):
                raise _misfit(name, "counts something: give a choice of whole numbers")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that are drawn, in the order of this list."""
        return tuple(name for name, _, _ in self._given())

    def drawn(self, seed: int, site: int) -> dict[str, float]:
        """The parameters of site number `site` by name; the same whatever else is drawn or run."""
        return {name: draw.at(share_of(seed, site, name)) for name, draw, _ in self._given()}

    def _given(self) -> list[tuple[str, Draw, Within]]:
        return [
            (name, draw, within)
            for name, field in type(self).model_fields.items()
            if isinstance(draw := getattr(self, name), Draw)
            for within in field.metadata
            if isinstance(within, Within)
        ]


def _misfit(name: str, message: str) -> PydanticCustomError:
    path = ("family", name)
    return PydanticCustomError("family", "{message}", {"message": message, "path": path})
