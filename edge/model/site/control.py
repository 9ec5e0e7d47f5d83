"""How the site is controlled and protected: limiter, guard, enter service."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from edge.model.site.base import Seconds, Strict, Watts


class Element(Strict):
    """A relay-style power element on the PCC."""

    kind: Literal["32R", "32F", "32", "import"]
    pickup_w: Watts | Literal["auto"] = "auto"
    pickup_phase_w: Watts | Literal["auto"] = Field("auto", description="of each phase that has a limit")
    delay_s: Annotated[float, Field(gt=0, le=2.0)] | Literal["auto"] = "auto"
    reset_delay_s: Seconds = 0.0


class Guard(Strict):
    """Protection behind the limiter."""

    element: tuple[Element, ...] = Field(())
    olrt_bound_s: float = Field(30.0, gt=0, le=30, description="longest continuous excursion (PCS bound)")
    reset_s: float = Field(10.0, gt=0, le=600)
    over_1h_s: Seconds = Field(60.0, description="alarm: time above the limit within an hour, in sum")
    over_24h_s: Seconds = Field(300.0, description="alarm: the same within 24 hours")
    over_1h_wh: float | None = Field(
        None, ge=0, le=1e9, description="alarm: energy; default nameplate for 30 s"
    )
    over_24h_wh: float | None = Field(
        None, ge=0, le=1e9, description="alarm: energy; default nameplate for 2 min"
    )
    reset: Literal["manual", "auto"] = "manual"
    lockout_trips: int = Field(3, ge=1, le=100, description="trips in 24 h after which reset is manual")


class Control(Strict):
    """The limiter."""

    scan_s: float = Field(0.2, gt=0, le=5, description="longest gap between scans")
    ramp_up_pct_per_s: float = Field(10.0, gt=0, le=1000, description="of total nameplate")
    margin_floor_pct: float = Field(0.2, ge=0, le=10)
    margin_cap_pct: float = Field(10.0, ge=0, le=20)
    fallback_hold_s: float = Field(5.0, ge=0, le=3600)
    reassert_s: float = Field(3.0, gt=0, le=10)
    dispatch: Literal["proportional", "priority", "equal"] = Field(
        "proportional", description="how a limit on the sum is shared; priority: in the order of [[der]]"
    )
    site_limit_w: Watts | None = Field(None, description="tighter than the agreement, by the owner's wish")


class EnterService(Strict):
    """IEEE 1547-2018 4.10: the window, and what must pass before DERs come back after a trip."""

    v_low_pu: float = Field(0.917, ge=0.88, le=0.95)
    v_high_pu: float = Field(1.05, ge=1.05, le=1.06)
    f_low_hz: float = Field(59.5, ge=49.0, le=59.9)
    f_high_hz: float = Field(60.1, ge=50.1, le=61.0)
    delay_s: float = Field(300.0, ge=0, le=600)
    ramp_s: float = Field(300.0, ge=1, le=1000)
