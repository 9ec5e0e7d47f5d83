"""Settings whose values have to be there."""

from __future__ import annotations

from tiir.setting import TiirError
from tiir.values import Values, number


def amount(settings: Values, label: str) -> float:
    """The number that `settings` hold for `label`, in the setting's unit.

    Raises:
        TiirError: They hold none.
    """
    value = number(settings.get(label))
    if value is None:
        raise TiirError(f"{label} is needed here, and no number is given for it")
    return value


def enabled(settings: Values, label: str) -> bool:
    """Whether `settings` switch `label` on; what they do not hold is off."""
    return settings.get(label) is True
