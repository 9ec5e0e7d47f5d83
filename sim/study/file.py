"""The study file: what it asks, of which scenario, what differs from site to site, how many (TOML, strict)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from edge.model import strict_toml
from edge.model.site import Name, Strict, Text
from sim.study.family import Family

SHIPPED = Path(__file__).parent.parent / "studies"

MINUTE_S = 60
"""A feeder's planning counts in means of a minute."""


class Feeder(Strict):
    """A section of a feeder: so many sites with limits behind it, all hit by the scenario's event.

    `common`: at the same moment, as by a cloud or a disturbance of the grid. `scattered`: each at its own
    random moment within `window_s`, as by loads that know nothing of one another.
    """

    sites: int = Field(ge=2, le=10_000)
    event: Literal["common", "scattered"]
    window_s: int = Field(3600, ge=60, le=86_400)
    from_s: int = Field(0, ge=0, le=86_400, description="of a run, what comes before is left out")


class StudyFile(Strict):
    """A whole study."""

    name: Name
    asks: Text
    scenario: Text = Field(description="a shipped scenario's name, or a file beside this one")
    sites: int = Field(ge=1, le=1_000_000)
    seeds: Annotated[int, Field(ge=1, le=10_000)] = Field(1, description="runs of each site")
    seed: int = Field(1, ge=0, le=2**63 - 1, description="of the study: another gives other sites")
    family: Family
    feeder: Feeder | None = None


def study_names() -> tuple[str, ...]:
    """The studies that come with the product."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


def study_path(name_or_path: str) -> Path:
    """Where a study is: a shipped one by its name, any other by its path."""
    return SHIPPED / f"{name_or_path}.toml" if name_or_path in study_names() else Path(name_or_path)


def load_study(path: Path) -> StudyFile:
    """Read and check a study file.

    Raises:
        FileRefusedError: When it cannot be read or is refused; one sentence for each mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise strict_toml.FileRefusedError([f"{path}: cannot be read: {reason}"]) from error
    return strict_toml.load(StudyFile, text, str(path))
