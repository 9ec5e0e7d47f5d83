"""The stack of limits that status shows."""

from __future__ import annotations

import pytest
from plant import settled


def test_the_export_limit_stands_in_the_stack_beside_the_tighter_dropout() -> None:
    plant = settled().run(1)
    allowed_w = {narrowing.by: narrowing.limit_w for narrowing in plant.reasons.limits if not narrowing.der}
    assert set(allowed_w) == {"32-dropout", "export-limit", "nameplate"}
    assert allowed_w["export-limit"] - allowed_w["32-dropout"] == pytest.approx(500.0)
    assert plant.reasons.limits[0].by == "32-dropout"
