"""What was agreed with the utility: the application of IREC 2023, Attachment 2 §2.b and Attachment 3 §2.b-c."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from edge.model.site.base import Name, Seconds, Strict, Text, Watts


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


class Agreement(Strict):
    """What was agreed with the utility: Attachment 2 §2.b, Attachment 3 §2.b-c. A blank blocks the report."""

    method: Method
    export_limit_w: Watts
    export_limit_va: Watts | None = None
    export_limit_phase_w: Watts | None = Field(None, description="on each phase of the site")
    export_limit_phase_va: Watts | None = Field(None, description="on each phase of the site")
    approval_reference: Text | None = Field(None, description="the utility's written approval")
    listed_device: Text | None = Field(None, description="maker, model and serial of the relay or PCS")
    control_time_delay_s: Seconds = 0.0
    olrt_max_s: float = Field(30.0, gt=0, le=30, description="maximum open-loop response time")
    olrt_average_s: float = Field(30.0, gt=0, le=30, description="average open-loop response time")
    pcs_modes: tuple[PcsMode, ...] = Field(())
    import_limit_w: Watts | None = Field(None, description="of the site's import while storage charges")
    ess_import_limit_w: Watts | None = Field(None, description="of what storage takes from the grid")
    ess_export_limit_w: Watts | None = Field(None, description="of what storage sends to the grid")
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
