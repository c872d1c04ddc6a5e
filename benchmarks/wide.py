"""What a night of many columns costs by the command line: this version beside another one, in one run.

    git worktree add /somewhere/else ef577c8
    python -m benchmarks.wide --against /somewhere/else --columns 100 250
    python -m benchmarks.wide --columns 250 1000 5000

Reference and production have 150 rows, as where there are more columns than rows; the suite asks two things of each
column, and the built-in checks ask theirs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import race
from benchmarks.nights import FIRST, ROOT, Cost, Version

_WRITER = """
import sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
path, columns, rows, seed = sys.argv[1], *map(int, sys.argv[2:])
rng = np.random.default_rng(seed)
pq.write_table(pa.table({f"f{place}": rng.normal(size=rows) for place in range(columns)}), path)
"""


def lay_out(version: Version, columns: int, rows: int) -> None:
    """A monitor of so many numbers, with its snapshots and its suite."""
    for seed, side in enumerate(("reference", f"production/dt={FIRST}")):
        folder = version.folder / "data" / side
        folder.mkdir(parents=True)
        arguments = [str(folder / "part.parquet"), str(columns), str(rows), str(seed)]
        subprocess.run([sys.executable, "-c", _WRITER, *arguments], check=True)
    names = [f"f{place}" for place in range(columns)]
    snapshots = {"reference": "data/reference/", "production": "data/production/dt={date}/"}
    monitor = {
        "name": "wide", "owner": "ml-team@example.com", "schedule": "0 2 * * *", "snapshots": snapshots,
        "columns": {"numerical": names}, "quality": {"suite": "wide"},
    }  # fmt: skip
    expectations = [
        {"type": f"expect_column_values_to_{kind}", "kwargs": {"column": name, **limits}}
        for name in names
        for kind, limits in (("not_be_null", {}), ("be_between", {"min_value": -6, "max_value": 6}))
    ]
    suite = {"name": "wide", "expectations": expectations}
    for name, content in (("monitors/wide.yaml", monitor), ("expectations/wide.json", suite)):
        path = version.folder / name
        path.parent.mkdir()
        path.write_text(json.dumps(content))  # JSON is YAML, too


def night(checkout: Path, name: str, columns: int, rows: int) -> Cost:
    """What one night cost."""
    with tempfile.TemporaryDirectory() as folder:
        version = Version(name, checkout, Path(folder))
        lay_out(version, columns, rows)
        return version.by_command("run", "wide", "--date", str(FIRST))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--columns", type=int, nargs="+", default=[250, 1000, 5000])
    parser.add_argument("--rows", type=int, default=150)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    checkouts = {"this": ROOT} | ({options.against.name: options.against.resolve()} if options.against else {})
    lines = ["| columns | version | wall s | CPU s | MiB | CPU ratio |", "|---|---|---|---|---|---|"]
    for columns in options.columns:
        costs = {name: night(checkout, name, columns, options.rows) for name, checkout in checkouts.items()}
        for name, cost in costs.items():
            figures = f"{cost.wall:.1f} | {cost.cpu:.1f} | {cost.memory:,.0f} | {cost.cpu / costs['this'].cpu:.2f}"
            lines.append(f"| {columns:,} | {name} | {figures} |")
    race.report([race.machine("great_expectations", "duckdb"), "\n".join(lines)], options.output)


if __name__ == "__main__":
    main()
