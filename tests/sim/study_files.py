"""Small studies for tests: a few sites, a few simulated seconds."""

from __future__ import annotations

from pathlib import Path

from sim.study.file import SHIPPED
from sim.study.plan import Plan, load_plan

FAMILY = """
nameplate_w = { choice = [20e3, 100e3] }
ders = { choice = [1, 3] }
limit_pu = { uniform = [0.1, 0.4] }
meter_period_s = { choice = [0.2, 1.0], weights = [2.0, 1.0] }
load_drop_share = { uniform = [0.3, 0.9] }
"""

FEEDER = """
[feeder]
sites = 2
event = "scattered"
window_s = 60
"""


def write_study(
    folder: Path, *, sites: int = 6, seeds: int = 1, family: str = FAMILY, feeder: str = FEEDER
) -> Path:
    """A study of runs of four seconds; its scenario is a shipped one, cut short."""
    text = (SHIPPED / "scenarios" / "contact.toml").read_text(encoding="utf-8")
    for long, short in (
        ("duration_s = 70.0", "duration_s = 4.0"),
        ("judged_from_s = 20.0", "judged_from_s = 1.0"),
        ("at_s = 30.0", "at_s = 2.0"),
        ("at_s = 50.0", "at_s = 3.0"),
    ):
        assert long in text
        text = text.replace(long, short)
    (folder / "short.toml").write_text(text, encoding="utf-8")
    study = folder / "tiny.toml"
    study.write_text(
        f"""name = "tiny"
asks = "Does it work?"
scenario = "short.toml"
sites = {sites}
seeds = {seeds}
[family]{family}{feeder}""",
        encoding="utf-8",
    )
    return study


def tiny_plan(folder: Path, *, sites: int = 6, seeds: int = 1, feeder: str = "") -> Plan:
    """The plan of such a study."""
    return load_plan(write_study(folder, sites=sites, seeds=seeds, feeder=feeder))
