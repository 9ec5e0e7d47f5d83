"""What storage may cause at the PCC: the operating modes and abilities of a PCS, reduced to three numbers.

UL 1741 CRD for Power Control Systems; IREC 2023, Attachment 2 §2.b. Three numbers, because an agreement may speak of
the power that storage itself exchanges with the grid, or of the site's import while storage charges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from edge.model.site.agreement import Agreement, PcsMode

NO_CHARGE_FROM_GRID = frozenset({PcsMode.EXPORT_ONLY, PcsMode.NO_EXCHANGE})
NO_DISCHARGE_TO_GRID = frozenset({PcsMode.IMPORT_ONLY, PcsMode.NO_EXCHANGE})


@dataclass(frozen=True, slots=True)
class StorageRules:
    """In W, infinite where nothing was agreed.

    `export_w`: what storage may send to the grid. `import_w`: what it may take from the grid. `site_import_w`: what
    the site may import while storage charges.
    """

    export_w: float = math.inf
    import_w: float = math.inf
    site_import_w: float = math.inf

    @staticmethod
    def of(agreement: Agreement) -> StorageRules:
        """The tightest that the agreed modes and abilities say together."""
        modes = set(agreement.pcs_modes)
        export_w = 0.0 if modes & NO_DISCHARGE_TO_GRID else _agreed(agreement.ess_export_limit_w)
        import_w = 0.0 if modes & NO_CHARGE_FROM_GRID else _agreed(agreement.ess_import_limit_w)
        return StorageRules(export_w, import_w, _agreed(agreement.import_limit_w))

    def clear_of(self, import_w: float) -> StorageRules:
        """The same, charging also kept below an import at which protection would operate."""
        return replace(self, site_import_w=min(self.site_import_w, import_w))

    @property
    def limits_export(self) -> bool:
        """Whether discharging is held to anything beyond the site's export limit."""
        return self.export_w < math.inf

    @property
    def limits_import(self) -> bool:
        """Whether charging is held to anything."""
        return min(self.import_w, self.site_import_w) < math.inf

    @property
    def blind_discharge_w(self) -> float:
        """What storage may give without sight of the PCC: what it may send to the grid at zero host load."""
        return self.export_w

    @property
    def blind_charge_w(self) -> float:
        """What storage may take without sight of the PCC: nothing, where import is limited."""
        return 0.0 if self.limits_import else math.inf


NO_RULES = StorageRules()
"""Nothing was agreed of storage."""


def _agreed(limit_w: float | None) -> float:
    return math.inf if limit_w is None else limit_w
