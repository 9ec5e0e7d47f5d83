"""`docs/oracle.md` tells every known difference."""

from __future__ import annotations

import re
from pathlib import Path

from oracle_differences import DIFFERENCES, TRANSLATED

TEXT = (Path(__file__).parents[2] / "docs" / "oracle.md").read_text(encoding="utf-8")


def test_the_differences_are_those_of_the_document() -> None:
    told = re.findall(r"(?m)^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", TEXT)
    known = [each.key for each in (*DIFFERENCES, *TRANSLATED)]
    assert [key for key in told if key != "difference"] == known
