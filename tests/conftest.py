"""The order in which tests begin."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that are given the longest begin first, so that tests side by side end together."""
    items.sort(key=_given_s, reverse=True)


def _given_s(item: pytest.Item) -> float:
    given = item.get_closest_marker("timeout")
    return float(given.args[0]) if given else 0.0
