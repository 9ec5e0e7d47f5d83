"""A spool belongs to the link that came last."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge.link.claim import Claim
from edge.spool import SpoolError


def test_the_newest_link_holds_the_spool(tmp_path: Path) -> None:
    claim = Claim(tmp_path / "spool.sqlite")
    assert not claim.is_ours()
    claim.take()
    assert claim.is_ours()
    code = "import sys; from pathlib import Path; from edge.link.claim import Claim; Claim(Path(sys.argv[1])).take()"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "spool.sqlite")], check=True)
    assert not claim.is_ours()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match="cannot be written"):
        Claim(tmp_path / "none" / "spool.sqlite").take()
