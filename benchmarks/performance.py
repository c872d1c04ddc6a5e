"""Races a labelled day: Nightjar with intervals, scikit-learn's values alone, and NannyML where it is given.

python -m benchmarks.performance --rows 1000000 --nannyml-python /path/to/other/venv/bin/python
"""

from __future__ import annotations

import argparse
import dataclasses
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.race import Outcome, Race, machine, report, table


def agreement(outcomes: list[Outcome]) -> str:
    """How far Nightjar's values are from scikit-learn's."""
    told = {outcome.name: outcome.told["metrics"] for outcome in outcomes if outcome.told.get("metrics")}
    if not {"nightjar", "scikit-learn"} <= told.keys():
        return ""
    gaps = [abs(told["nightjar"][name] - value) for name, value in told["scikit-learn"].items()]
    return f"{len(gaps)} values compared with scikit-learn's: largest difference {max(gaps):.1e}."


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000, help="labelled rows of the day, and of the reference")
    parser.add_argument("--nannyml-python", help="an interpreter that can import nannyml")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds after which a contender is stopped")
    parser.add_argument("--output", type=Path, help="markdown file to append the result to")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        # in a process of its own: a child's peak memory starts at its parent's
        command = [sys.executable, "-m", "benchmarks.estimates", "make", str(options.rows), made]
        subprocess.run(command, check=True)
        race = Race(folder, 1, options.limit)
        outcomes = [
            dataclasses.replace(race.run(contender), name=name)
            for name, contender in (("nightjar", "labelled_day"), ("scikit-learn", "scikit_learn"),
                                    ("nightjar's estimate", "estimate"))
        ]  # fmt: skip
        if options.nannyml_python:
            outcomes.append(
                dataclasses.replace(race.run("nannyml_performance", options.nannyml_python), name="nannyml")
            )
        else:
            outcomes.append(Outcome("nannyml", note="left out: no environment was given (--nannyml-python)"))
    facts = f"One thread for Nightjar. {machine('numpy', 'pyarrow', 'scikit-learn')}."
    title = f"## A labelled day of {options.rows:,} rows"
    report([title, table(outcomes), agreement(outcomes), facts], options.output)


if __name__ == "__main__":
    main()
