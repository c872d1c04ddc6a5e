"""Races the quality gate: one suite through Nightjar and through Great Expectations on pandas.

python -m benchmarks.quality --rows 1000000 --output docs/quality-benchmark.md
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.race import Outcome, Race, machine, report, table, write_tables
from benchmarks.suites import write_suite
from pipeline.checks.quality.check import Check, Evaluation
from pipeline.checks.quality.outcomes import outcome_of

_NUMBER = re.compile(r"-?[0-9.]+(?:e[-+][0-9]+)?")
_COMPARED = ("passed", "observed", "unexpected_rows", "unexpected_share", "error")


def agreement(entries: list[dict[str, Any]], ours: Outcome, theirs: Outcome) -> str:
    """In how many expectations both came to the same, to the six digits that people read.

    Raises:
        SystemExit: they differ in one; says in which.
    """
    if ours.note or theirs.note:
        return ""
    passed = 0
    for entry, first, second in zip(entries, ours.told["outcomes"], theirs.told["results"], strict=True):
        check = Check(entry["type"], entry["kwargs"], entry["severity"], "")
        told = outcome_of(check, Evaluation("pandas", second["success"], second["details"])).model_dump(mode="json")
        wrong = {key: (first[key], told[key]) for key in _COMPARED if not _same(first[key], told[key])}
        if wrong:
            sys.exit(f"{entry['type']} {entry['kwargs']}: Nightjar and Great Expectations on pandas differ: {wrong}")
        passed += first["passed"]
    engines = ", ".join(f"{number} by {engine}" for engine, number in ours.told["engines"].items())
    return (
        f"Success, observed values and unexpected rows of all {len(entries)} expectations are the same in both, "
        f"quantiles to 1% as the two define them one rank apart; {passed} hold. Nightjar evaluated {engines}. Without "
        f"imports: {_work(ours)} for Nightjar; {_work(theirs)} for pandas."
    )


def _work(outcome: Outcome) -> str:
    return f"{outcome.wall - outcome.imports:.2f} s, {outcome.cpu - outcome.told['imports_cpu']:.2f} s of CPU"


def _beside(ours: Outcome, written: Outcome) -> str:
    """What the work itself took beside one hand-written query."""
    if ours.note or written.note:
        return ""
    cpu = [outcome.cpu - outcome.told["imports_cpu"] for outcome in (ours, written)]
    return (
        f"One query written by hand for the same figures, which judges nothing: {_work(written)}, without imports. "
        f"Nightjar took {cpu[0] / cpu[1]:.2f} times its CPU."
    )


def _same(first: Any, second: Any) -> bool:
    """Shares to nine digits; of texts about quantiles the numbers to 1%."""
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=1e-9)
    if isinstance(first, str) and isinstance(second, str) and "quantile" in first:
        numbers = zip(_NUMBER.findall(first), _NUMBER.findall(second), strict=True)
        return all(math.isclose(float(one), float(other), rel_tol=0.01, abs_tol=0.01) for one, other in numbers)
    return bool(first == second)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--patterns", action="store_true", help="add regular expressions")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="for Nightjar")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds after which a contender is stopped")
    parser.add_argument("--repeat", type=int, default=1, help="runs of each; the fastest counts")
    parser.add_argument("--output", type=Path, help="markdown file to append the result to")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        size = write_tables(folder, options.rows, options.columns, "production")
        many = write_suite(folder / "suite.json", options.columns, patterns=options.patterns)
        entries = json.loads((folder / "suite.json").read_text())["expectations"]
        race = Race(folder, options.threads, options.limit)
        names = ("gate", "great_expectations", *(() if options.patterns else ("one_query",)))
        ours, theirs, *written = (race.best_of(options.repeat, name) for name in names)
    ours, theirs = dataclasses.replace(ours, name="nightjar"), dataclasses.replace(theirs, name="pandas")
    extra = ", regular expressions among them" if options.patterns else ""
    facts = (
        f"{size:,.0f} MiB of parquet, {options.threads} threads for Nightjar, best of {options.repeat}. "
        f"{machine('great_expectations', 'duckdb', 'pandas')}."
    )
    title = f"## {options.rows:,} rows x {options.columns} columns, {many} expectations{extra}"
    floor = [dataclasses.replace(outcome, name="one query") for outcome in written]
    told = [agreement(entries, ours, theirs), *(_beside(ours, outcome) for outcome in written)]
    report([title, table([ours, theirs, *floor]), *told, facts], options.output)


if __name__ == "__main__":
    main()
