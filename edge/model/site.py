"""The site file's model: what was agreed with the utility, what is installed, and how it is controlled.

Strict: unknown keys are refused, every bound is stated, nothing is coerced. Powers in W, times in s,
percentages of nameplate. Field names follow the interconnection application (IREC 2023, Attachment 2 §2.b
and Attachment 3 §2.b-c).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Uri = Annotated[str, Field(min_length=1, max_length=400)]
Watts = Annotated[float, Field(ge=0, le=1e9)]
Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Strict(BaseModel):
    """Base of every table of the site file: frozen, no unknown keys, no silent coercion."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Method(StrEnum):
    """Methods of export limitation (IREC 2023 Section IV.B.3)."""

    REVERSE_POWER_32R = "reverse_power_32r"
    MINIMUM_POWER_32F = "minimum_power_32f"
    RELATIVE_RATING = "relative_rating"
    DIRECTIONAL_POWER_32 = "directional_power_32"
    CONFIGURED_RATING = "configured_rating"
    PCS = "pcs"
    AGREED_MEANS = "agreed_means"


RELAY_METHODS = frozenset({Method.REVERSE_POWER_32R, Method.MINIMUM_POWER_32F, Method.DIRECTIONAL_POWER_32})
NON_EXPORT_METHODS = frozenset({Method.REVERSE_POWER_32R, Method.MINIMUM_POWER_32F, Method.RELATIVE_RATING})


class PcsMode(StrEnum):
    """PCS operating modes and abilities an applicant declares (Attachment 2 §2.b)."""

    UNRESTRICTED = "unrestricted"
    EXPORT_ONLY = "export_only"
    IMPORT_ONLY = "import_only"
    NO_EXCHANGE = "no_exchange"
    EXPORT_LIMITING_ALL = "export_limiting_all_sources"
    EXPORT_LIMITING_ESS = "export_limiting_from_ess"
    IMPORT_LIMITING_ESS = "import_limiting_to_ess"


class Source(Strict):
    """The grid up to the primary point nearest the site, as the utility states it: for the Inadvertent Export Screen."""

    r_ohm: float = Field(ge=0, le=10_000)
    x_ohm: float = Field(ge=0, le=10_000)
    primary_v: float = Field(gt=0, le=1e6, description="line-to-line voltage there")
    power_factor: float = Field(1.0, gt=0, le=1, description="of the DERs, absorbing")
    transformer_z_pct: float | None = Field(
        None, gt=0, le=50, description="service transformer, on its rating"
    )
    transformer_x_over_r: float | None = Field(None, ge=0, le=1000)

    @model_validator(mode="after")
    def _transformer_is_whole(self) -> Source:
        return _both(self, "transformer_z_pct", "transformer_x_over_r")


class Place(Strict):
    """The premises and their connection."""

    id: Name = Field(description="identity of the gateway, as in its certificate")
    name: Text
    transformer_va: Watts = Field(gt=0, description="service transformer's nominal base rating")
    nominal_v: float = Field(gt=0, le=100_000, description="nominal line-to-neutral voltage at the meter")
    nominal_hz: Literal[50, 60] = 60
    network: Literal["radial", "area", "spot"] = "radial"
    host_load_w: Watts | None = Field(None, description="largest load of the applicant")
    source: Source | None = None


class Agreement(Strict):
    """What was agreed with the utility: Attachment 2 §2.b, Attachment 3 §2.b-c. A blank blocks the report."""

    method: Method
    export_limit_w: Watts
    export_limit_va: Watts | None = None
    approval_reference: Text | None = Field(None, description="the utility's written approval")
    listed_device: Text | None = Field(None, description="maker, model and serial of the relay or PCS")
    control_time_delay_s: Seconds = 0.0
    olrt_max_s: float = Field(30.0, gt=0, le=30, description="maximum open-loop response time")
    olrt_average_s: float = Field(30.0, gt=0, le=30, description="average open-loop response time")
    pcs_modes: tuple[PcsMode, ...] = Field(())
    controlled: tuple[Name, ...] = Field(description="the DERs that the control covers")
    import_limit_method: Text | None = None
    rpa: Literal["pcc", "poc", "between"] = "pcc"
    rpa_justification: Text
    detection: Literal["pcc", "poc", "between"] = "pcc"
    detection_justification: Text
    intentional_island: bool = False
    emergency_generation: bool = False
    volt_watt_at: Literal["inverter", "plant", "none"] = "inverter"
    volt_watt_manager_certified: bool = False


class Instruments(Strict):
    """How wrong the meter can be at the PCC, its transformers included: for a 32R pickup, which is small."""

    expected_var: float = Field(ge=0, le=1e9, description="largest reactive flow expected, either way")
    meter_error_pct: float = Field(ge=0, le=100, description="of apparent power")
    ratio_error_pct: float = Field(0.0, ge=0, le=100, description="current and voltage transformers together")
    angle_error_min: float = Field(
        0.0, ge=0, le=5400, description="phase displacement of the transformers, minutes of arc"
    )
    creep_w: Watts = Field(0.0, description="what the meter may show with no load on it")
    ct_primary_a: float | None = Field(None, gt=0, le=100_000)
    ct_secondary_a: float | None = Field(None, gt=0, le=100)
    pt_primary_v: float | None = Field(None, gt=0, le=1e6)
    pt_secondary_v: float | None = Field(None, gt=0, le=1000)

    @model_validator(mode="after")
    def _pairs_are_whole(self) -> Instruments:
        _both(self, "ct_primary_a", "ct_secondary_a")
        return _both(self, "pt_primary_v", "pt_secondary_v")


class Meter(Strict):
    """The PCC meter, and what is known of its timing."""

    uri: Uri
    profile: Name = "sunspec-meter"
    sign: Literal["export_positive", "import_positive"] = Field(
        description="what a positive W of this meter means; proved by commissioning"
    )
    period_s: float = Field(gt=0, le=60, description="how often the meter renews its registers")
    latency_s: Seconds = Field(description="from measuring to showing, at most")
    averaging_s: Seconds = 0.0
    max_repeat_s: Seconds = Field(0.0, description="unchanged registers still count as new for this long")
    poll_s: float | None = Field(None, gt=0, le=10, description="default: a fifth of the period")
    timeout_s: float = Field(0.15, gt=0, le=5)
    retries: int = Field(1, ge=0, le=3)
    noise_w: Watts = Field(0.0, description="σ of the measured power, as fixed at commissioning")
    count_w: Watts = Field(1.0, description="one count of the power register")
    instruments: Instruments | None = None

    @property
    def polling_s(self) -> float:
        """The gap between two requests."""
        return self.poll_s if self.poll_s is not None else self.period_s / 5

    @property
    def transaction_s(self) -> float:
        """The longest a request can take, with its retries."""
        return self.timeout_s * (1 + self.retries)


class Reversion(Strict):
    """What an inverter does by itself when it hears nothing: SunSpec 704 reversion."""

    safe_w: Watts
    timer_s: int = Field(10, ge=1, le=30)


class ConfiguredRating(Strict):
    """A Power Rating Configuration Setting of one generator (IREC 2023 Section IV.B.3.b.ii; IEEE 1547-2018 10.4)."""

    limit_w: Watts | None = None
    limit_va: Watts | None = None
    certificate: Text | None = Field(None, description="of the setting, to IEEE 1547.1-2020")
    derating_tag: Text | None = Field(None, description="where the reduced rating is shown")

    @model_validator(mode="after")
    def _has_a_setting(self) -> ConfiguredRating:
        if self.limit_w is None and self.limit_va is None:
            raise _misfit_here("needs limit_w or limit_va")
        return self

    @property
    def rated_w(self) -> float:
        """The most active power the setting lets through."""
        return min(limit for limit in (self.limit_w, self.limit_va) if limit is not None)


class Der(Strict):
    """One inverter or storage unit under control, and what is known of how it answers."""

    name: Name
    uri: Uri
    profile: Name
    nameplate_w: Watts = Field(gt=0)
    nameplate_va: Watts | None = None
    configured: ConfiguredRating | None = None
    kind: Literal["pv", "storage"] = "pv"
    dead_time_s: Seconds = Field(description="from a limit on the wire until the output starts to move")
    slope_pct_per_s: float = Field(gt=0, le=10_000, description="of nameplate")
    min_pct: float = Field(0.0, ge=0, lt=100)
    power_up_w: Watts | None = Field(None, description="proven limit after a restart; default nameplate")
    reversion: Reversion | None = None
    contact: Name | None = Field(None, description="the trip output that disconnects this DER")
    poll_s: float = Field(0.5, gt=0, le=10)
    timeout_s: float = Field(0.3, gt=0, le=5)
    retries: int = Field(1, ge=0, le=3)
    lost_after_s: float = Field(2.0, gt=0, le=60, description="no answer for this long: unreachable")

    @property
    def rated_va(self) -> float:
        """Its rating in VA; where the file gives none, the one in W at a power factor of 1."""
        return self.nameplate_w if self.nameplate_va is None else self.nameplate_va

    @property
    def slope_w_per_s(self) -> float:
        """Its slope in watts a second."""
        return self.nameplate_w * self.slope_pct_per_s / 100


class TripOutput(Strict):
    """A Modbus coil whose module opens it by itself when it is no longer written."""

    name: Name
    uri: Uri
    profile: Name = "modbus-coil"
    coil: int = Field(0, ge=0, le=65_535)
    feedback: int | None = Field(None, ge=0, le=65_535, description="discrete input with the 52a contact")
    watchdog_s: float | None = Field(None, gt=0, le=30, description="the module's communication watchdog")
    watchdog_register: int | None = Field(None, ge=0, le=65_535, description="holds the watchdog in ms")
    actuation_s: float = Field(0.05, ge=0, le=2)
    timeout_s: float = Field(0.1, gt=0, le=5)

    @property
    def dead_man_s(self) -> float | None:
        """From the last write until the contact is open, or None when nothing opens it by itself."""
        return None if self.watchdog_s is None else self.watchdog_s + self.actuation_s


class Element(Strict):
    """A relay-style power element on the PCC."""

    kind: Literal["32R", "32F", "32", "import"]
    pickup_w: Watts | Literal["auto"] = "auto"
    delay_s: Annotated[float, Field(gt=0, le=2.0)] | Literal["auto"] = "auto"
    reset_delay_s: Seconds = 0.0


class Guard(Strict):
    """Protection behind the limiter."""

    element: tuple[Element, ...] = Field(())
    olrt_bound_s: float = Field(30.0, gt=0, le=30, description="longest continuous excursion (PCS bound)")
    reset_s: float = Field(10.0, gt=0, le=600)
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
    site_limit_w: Watts | None = Field(None, description="tighter than the agreement, by the owner's wish")


class EnterService(Strict):
    """IEEE 1547-2018 4.10: the window, and what must pass before DERs come back after a trip."""

    v_low_pu: float = Field(0.917, ge=0.88, le=0.95)
    v_high_pu: float = Field(1.05, ge=1.05, le=1.06)
    f_low_hz: float = Field(59.5, ge=49.0, le=59.9)
    f_high_hz: float = Field(60.1, ge=50.1, le=61.0)
    delay_s: float = Field(300.0, ge=0, le=600)
    ramp_s: float = Field(300.0, ge=1, le=1000)


class Unmanaged(Strict):
    """Generation behind the PCC that nobody here can limit; it counts at nameplate."""

    nameplate_w: Watts = 0.0


class Link(Strict):
    """The way to the utility's portal."""

    broker: str = Field(pattern=r"^mqtts?://.+")
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


class Site(Strict):
    """A whole site file, checked."""

    site: Place
    agreement: Agreement
    meter: Meter
    der: tuple[Der, ...] = Field(max_length=200)
    trip_output: tuple[TripOutput, ...] = Field(())
    guard: Guard = Guard()
    control: Control = Control()
    enter_service: EnterService = EnterService()
    unmanaged: Unmanaged = Unmanaged()
    link: Link | None = None
    tiir_profile: Name = "irec-2023-inverter"
    state_dir: str | None = Field(None, description="default: next to the site file")

    @property
    def nameplate_w(self) -> float:
        """Sum of the ratings under control."""
        return sum(der.nameplate_w for der in self.der)

    @property
    def limit_w(self) -> float:
        """The export limit in force: the agreement's, or tighter by the owner's wish."""
        own_w = self.control.site_limit_w
        agreed_w = self.agreement.export_limit_w
        return agreed_w if own_w is None else min(own_w, agreed_w)

    @model_validator(mode="after")
    def _names_fit(self) -> Site:
        ders = [der.name for der in self.der]
        outputs = [output.name for output in self.trip_output]
        if not ders:
            raise _misfit("at least one [[der]] is required", "der")
        for table, names in (("der", ders), ("trip_output", outputs)):
            for index, name in enumerate(names):
                if name in names[:index]:
                    raise _misfit(f"{name!r} is used twice; names must be unique", table, index, "name")
        for index, der in enumerate(self.der):
            if der.contact is not None and der.contact not in outputs:
                known = f"declared: {', '.join(outputs)}" if outputs else "none is declared"
                raise _misfit(f"no trip_output is named {der.contact!r}; {known}", "der", index, "contact")
            if der.rated_va < der.nameplate_w:
                raise _misfit(
                    f"must not be below nameplate_w, {der.nameplate_w:g} W", "der", index, "nameplate_va"
                )
            if der.reversion is not None and der.reversion.safe_w > der.nameplate_w:
                raise _misfit(
                    f"must not exceed nameplate_w, {der.nameplate_w:g} W", "der", index, "reversion", "safe_w"
                )
        if sorted(self.agreement.controlled) != sorted(ders):
            raise _misfit(
                f"must name every der once and nothing else: {', '.join(ders)}", "agreement", "controlled"
            )
        return self


def _misfit(message: str, *path: str | int) -> PydanticCustomError:
    """A mistake between fields, told at the key path where it can be mended."""
    return PydanticCustomError("misfit", "{message}", {"message": message, "path": path})


def _misfit_here(message: str, *under: str) -> PydanticCustomError:
    """The same within one table, told at a key path below that table."""
    return PydanticCustomError("misfit", "{message}", {"message": message, "under": under})


M = TypeVar("M", bound=Strict)


def _both(table: M, one: str, other: str) -> M:
    """Refuse one of two keys that say nothing without each other."""
    given = {key: getattr(table, key) is not None for key in (one, other)}
    for key, missing in ((one, other), (other, one)):
        if given[key] and not given[missing]:
            raise _misfit_here(f"is required with {key}", missing)
    return table
