"""Races drift over every row: Nightjar, the floor, and on request Evidently and NannyML, each in its own process.

python -m benchmarks.drift --rows 1000000 --columns 30 --peers --output docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.race import Outcome, Race, machine, report, table, write_tables


def agreement(outcomes: list[Outcome]) -> str:
    """How far Nightjar's scores are from Evidently's, where both ran."""
    by_name = {outcome.name: outcome.told["scores"] for outcome in outcomes if outcome.told.get("scores")}
    if not {"nightjar", "evidently"} <= by_name.keys():
        return ""
    ours, theirs = by_name["nightjar"], by_name["evidently"]
    gaps = [abs(ours[name] - theirs[name]) / max(abs(theirs[name]), 1e-300) for name in theirs if name in ours]
    return (
        f"{len(gaps)} of {len(theirs)} scores compared with Evidently's: largest relative difference {max(gaps):.1e}."
    )


def without_imports(outcomes: list[Outcome]) -> str:
    """CPU of the work alone: tasks of a scheduler that preloads have the imports for nothing, and end at once."""
    work = [f"{item.name} {item.told['work_cpu']:.2f} s" for item in outcomes if not item.note]
    return f"CPU without imports: {', '.join(work)}."


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000, help="of each snapshot")
    parser.add_argument("--night-rows", type=int, help="of production, where it has fewer than the reference")
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="for Nightjar and the floor")
    parser.add_argument(
        "--kept", action="store_true", help="also Nightjar with a reference that it keeps, and decoding"
    )
    parser.add_argument("--peers", action="store_true", help="also run Evidently, and NannyML where given")
    parser.add_argument("--nannyml-python", help="an interpreter that can import nannyml")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds after which a contender is stopped")
    parser.add_argument("--repeat", type=int, default=1, help="runs of Nightjar and the floor; the fastest counts")
    parser.add_argument("--output", type=Path, help="markdown file to append the result to")
    return parser.parse_args()


def contenders(options: argparse.Namespace) -> list[tuple[str, str, int]]:
    """Name, interpreter and number of runs of each."""
    chosen = [("floor", sys.executable, options.repeat), ("nightjar", sys.executable, options.repeat)]
    if options.kept:
        again = ("nightjar_again", sys.executable, options.repeat)
        chosen = [("decoding", sys.executable, options.repeat), *chosen, ("nightjar_first", sys.executable, 1), again]
    if options.peers:
        chosen.append(("evidently", sys.executable, 1))
    if options.peers and options.nannyml_python:
        chosen.append(("nannyml", options.nannyml_python, 1))
    return chosen


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        write_tables(folder, options.rows, options.columns, "reference")
        size = write_tables(folder, options.night_rows or options.rows, options.columns, "production")
        race = Race(folder, options.threads, options.limit)
        if options.kept:
            race.run("pinned")
        outcomes = [race.best_of(runs, name, python) for name, python, runs in contenders(options)]
    facts = (
        f"{size:,.0f} MiB of parquet, {options.threads} threads for the floor and Nightjar, "
        f"best of {options.repeat}. {machine('numpy', 'pyarrow', 'evidently')}."
    )
    night = f"against a night of {options.night_rows:,}" if options.night_rows else "on both sides"
    title = f"## {options.rows:,} rows x {options.columns} columns {night}"
    report([title, table(outcomes), agreement(outcomes), without_imports(outcomes), facts], options.output)


if __name__ == "__main__":
    main()
