"""Names for the arrays of this package, and what is asked of a quantity that may be one for all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int8]
Quantity = float | Floats
"""One value for all units, or one for each."""

SLACK_S = 1e-6
"""What the sum of many time steps may be off by when a timer is compared with its setting."""


def all_of(flags: Flags) -> bool:
    """Whether all `flags` are set; several times as fast as NumPy's own on few units."""
    return 0 not in flags.tobytes()


def any_of(flags: Flags) -> bool:
    """Whether one of `flags` is set."""
    return 1 in flags.tobytes()


def least(x: Quantity) -> float:
    """The smallest of `x`."""
    return float(x.min()) if isinstance(x, np.ndarray) else x


def greatest(x: Quantity) -> float:
    """The largest of `x`."""
    return float(x.max()) if isinstance(x, np.ndarray) else x
