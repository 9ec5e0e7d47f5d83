"""`python -m benchmarks.peers`: the full comparison as a table, a picture and JSON; `--tune` searches first."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks.peers import tuning
from benchmarks.peers.study import FULL_THIN, study, tune
from benchmarks.peers.table import as_json, markdown


def main(arguments: list[str] | None = None) -> int:
    """Compare, and say it; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--thin", type=int, default=FULL_THIN, help="one plant of the grid out of so many")
    parser.add_argument("--jobs", type=int, help="worker processes; all cores by default")
    parser.add_argument("--out", type=Path, help="draw the picture into this PNG file")
    parser.add_argument("--json", type=Path, help="write everything into this file")
    parser.add_argument(
        "--tune", action="store_true", help="search for the best tunings first (about an hour)"
    )
    given = parser.parse_args(arguments)
    if given.tune:
        tuning.write(tune(given.jobs))
    found = study(given.thin, given.jobs)
    if given.json:
        given.json.write_text(json.dumps(as_json(found), indent=1) + "\n", encoding="utf-8")
    if given.out:
        from benchmarks.peers.picture import draw

        draw(given.out, found)
    print("\n".join(markdown(found)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
