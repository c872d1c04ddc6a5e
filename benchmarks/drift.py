"""Races drift over every row: Nightjar, the floor, and on request Evidently and NannyML, each in its own process.

python benchmarks/drift.py --rows 1000000 --columns 30 --peers --output docs/benchmarks.md
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_CONTENDERS = Path(__file__).with_name("contenders.py")
_TABLES = Path(__file__).with_name("tables.py")


@dataclass(frozen=True)
class Outcome:
    """One contender's run: seconds, mebibytes, and the scores it gave, if any; `note` when it has no figures."""

    name: str
    wall: float = 0.0
    imports: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    scores: dict[str, float] | None = None
    note: str = ""


def run(name: str, python: str, folder: Path, threads: int, limit: float) -> Outcome:
    """Runs one contender, from the start of its process to the end, and stops it after `limit` seconds."""
    command = [python, str(_CONTENDERS), name, str(folder), str(threads)]
    started = time.perf_counter()
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(command, stdout=printed, stderr=complaints)
        timer = threading.Timer(limit, child.kill)
        timer.start()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - started
        timer.cancel()
        printed.seek(0)
        complaints.seek(0)
        lines, last_words = printed.read().splitlines(), complaints.read().decode(errors="replace").splitlines()[-1:]
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    if wall >= limit:
        return Outcome(name, note=f"stopped after the limit of {limit:.0f} s, at {peak:,.0f} MiB")
    if child.returncode:
        return Outcome(name, note=f"failed: {' '.join(last_words)[:120]}")
    told = json.loads(lines[-1])
    return Outcome(name, wall, told["imports"], cpu, peak, told["scores"])


def rows_of(outcomes: list[Outcome]) -> list[list[str]]:
    """The table's cells, one row for each contender, ratios to Nightjar."""
    ours = next((outcome for outcome in outcomes if outcome.name == "nightjar" and not outcome.note), None)
    cells = []
    for outcome in outcomes:
        if outcome.note:
            cells.append([outcome.name, outcome.note, "", "", "", "", ""])
            continue
        ratios = ["", ""]
        if ours:
            ratios = [f"{outcome.wall / ours.wall:.2f}", f"{outcome.peak / ours.peak:.2f}"]
        cells.append([
            outcome.name, f"{outcome.wall:.2f}", f"{outcome.imports:.2f}", f"{outcome.cpu:.2f}",
            f"{outcome.peak:,.0f}", *ratios,
        ])  # fmt: skip
    return cells


HEADER = ["contender", "wall s", "of it imports s", "CPU s", "peak MiB", "wall / Nightjar", "peak / Nightjar"]


def table(cells: list[list[str]]) -> str:
    """Cells as a markdown table with aligned columns."""
    widths = [max(len(row[place]) for row in [HEADER, *cells]) for place in range(len(HEADER))]

    def line(row: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"

    return "\n".join([line(HEADER), line(["-" * width for width in widths]), *(line(row) for row in cells)])


def agreement(outcomes: list[Outcome]) -> str:
    """How far Nightjar's scores are from Evidently's, where both ran."""
    by_name = {outcome.name: outcome.scores for outcome in outcomes if outcome.scores}
    if not {"nightjar", "evidently"} <= by_name.keys():
        return ""
    ours, theirs = by_name["nightjar"], by_name["evidently"]
    gaps = [abs(ours[name] - theirs[name]) / max(abs(theirs[name]), 1e-300) for name in theirs if name in ours]
    return (
        f"{len(gaps)} of {len(theirs)} scores compared with Evidently's: largest relative difference {max(gaps):.1e}."
    )


def machine() -> str:
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if "MemTotal" in line), 0.0)
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pyarrow", "evidently"))
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}; "
        f"Python {platform.python_version()}, {versions}; {datetime.now(UTC):%Y-%m-%d}"
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=100_000, help="of each snapshot")
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="for Nightjar and the floor")
    parser.add_argument("--peers", action="store_true", help="also run Evidently, and NannyML where given")
    parser.add_argument("--nannyml-python", help="an interpreter that can import nannyml")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds after which a contender is stopped")
    parser.add_argument("--repeat", type=int, default=1, help="runs of Nightjar and the floor; the fastest counts")
    parser.add_argument("--output", type=Path, help="markdown file to append the result to")
    return parser.parse_args()


def contenders(options: argparse.Namespace) -> list[tuple[str, str, int]]:
    """Name, interpreter and number of runs of each."""
    chosen = [("floor", sys.executable, options.repeat), ("nightjar", sys.executable, options.repeat)]
    if options.peers:
        chosen.append(("evidently", sys.executable, 1))
    if options.peers and options.nannyml_python:
        chosen.append(("nannyml", options.nannyml_python, 1))
    return chosen


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        # In a process of its own: a child's peak memory starts at its parent's, so this one stays small.
        subprocess.run([sys.executable, str(_TABLES), made, str(options.rows), str(options.columns)], check=True)
        size = sum(path.stat().st_size for path in folder.iterdir()) / 2**20
        outcomes = []
        for name, python, runs in contenders(options):
            tries = [run(name, python, folder, options.threads, options.limit) for _ in range(runs)]
            outcomes.append(min(tries, key=lambda outcome: (bool(outcome.note), outcome.wall)))
    title = f"{options.rows:,} rows x {options.columns} columns on both sides"
    facts = (
        f"{size:,.0f} MiB of parquet, {options.threads} threads for the floor and Nightjar, "
        f"best of {options.repeat}. {machine()}."
    )
    text = "\n\n".join(part for part in (f"## {title}", table(rows_of(outcomes)), agreement(outcomes), facts) if part)
    print(text)
    if options.output:
        with options.output.open("a") as file:
            file.write(text + "\n\n")


if __name__ == "__main__":
    main()
