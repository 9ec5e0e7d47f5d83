"""`python tests/oracle/oracle_report.py [--cases N] [--family NAME ...]`: the agreement with OpenDER as a table.

Exit status 1 when a case that counts does not agree; it is named, so that it can be made again.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

import numpy as np
import oracle_run
from oracle_compare import Agreement
from oracle_run import Result
from oracle_suite import FAMILIES
from rich.console import Console
from rich.progress import track
from rich.table import Table

HEADINGS = (
    *("family", "cases", "left out", "steps", "transitions", "late"),
    *("P worst", "P median", "Q worst", "Q median", "agrees"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the families and print the table; the exit status."""
    wanted = _parse(arguments)
    console = Console(width=150)
    results = {
        name: oracle_run.family(name, range(wanted.first, wanted.first + wanted.cases))
        for name in track(wanted.family, description="asking", console=Console(stderr=True))
    }
    table = Table(*HEADINGS, title="Our fleet beside OpenDER 2.2.0; powers in % of rating")
    for name, found in results.items():
        table.add_row(name, *row(found))
    everything = [result for found in results.values() for result in found]
    table.add_section()
    table.add_row("all", *row(everything))
    console.print(table)
    for key, count in Counter(key for result in everything for key in result.excluded).most_common():
        console.print(f"left out {count}: {key}")
    astray = [result for result in everything if not result.excluded and not result.agreement.holds]
    for result in astray:
        console.print(f"does not agree: {result.case.name}, {_worst(result.agreement)}")
    return 1 if astray else 0


def row(results: Sequence[Result]) -> list[str]:
    """The cells of a row after its name."""
    counted = [result.agreement for result in results if not result.excluded]
    p_pu = np.concatenate([found.p_pu for found in counted] or [np.zeros(1)])
    q_pu = np.concatenate([found.q_pu for found in counted] or [np.zeros(1)])
    late = max((found.late_steps for found in counted), default=0)
    agrees = sum(found.holds for found in counted)
    return [
        f"{len(results)}",
        f"{len(results) - len(counted)}",
        f"{len(p_pu)}",
        f"{sum(found.transitions for found in counted)}",
        f"{late}",
        *(f"{100 * value:.3f}" for value in (p_pu.max(), np.median(p_pu), q_pu.max(), np.median(q_pu))),
        f"{agrees} of {len(counted)}",
    ]


def _worst(found: Agreement) -> str:
    astray = f", other states at steps {found.astray[:5]}" if found.astray else ""
    return f"P {100 * found.p_pu.max(initial=0):.2f} %, Q {100 * found.q_pu.max(initial=0):.2f} %{astray}"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The agreement of our fleet with OpenDER as a table.")
    parser.add_argument("--cases", type=int, default=20, help="cases of each family")
    parser.add_argument("--first", type=int, default=0, help="number of the first")
    parser.add_argument("--family", nargs="+", choices=list(FAMILIES), default=list(FAMILIES))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
