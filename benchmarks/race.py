"""Runs contenders one after the other, each in a process of its own, and sets what they took side by side."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

_CONTENDERS = Path(__file__).with_name("contenders.py")
_TABLES = Path(__file__).with_name("tables.py")


@dataclass(frozen=True)
class Outcome:
    """One contender's run: seconds, mebibytes, and what it told of its results; `note` when it has no figures."""

    name: str
    wall: float = 0.0
    imports: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    told: dict[str, Any] = field(default_factory=dict)
    note: str = ""


def write_tables(folder: Path, rows: int, columns: int, *sides: str) -> float:
    """Mebibytes written. In a process of its own: a child's peak memory starts at its parent's, so this stays small."""
    subprocess.run([sys.executable, str(_TABLES), str(folder), str(rows), str(columns), *sides], check=True)
    return sum(path.stat().st_size for path in folder.glob("*.parquet")) / 2**20


@dataclass(frozen=True)
class Race:
    """One folder of tables, threads for who has a choice, and seconds after which a contender is stopped."""

    folder: Path
    threads: int
    limit: float

    def best_of(self, runs: int, name: str, python: str = sys.executable) -> Outcome:
        """The fastest of several runs of one contender."""
        tries = [self.run(name, python) for _ in range(runs)]
        return min(tries, key=lambda outcome: (bool(outcome.note), outcome.wall))

    def run(self, name: str, python: str = sys.executable) -> Outcome:
        """From the start of the contender's process to its end."""
        command = [python, str(_CONTENDERS), name, str(self.folder), str(self.threads)]
        started = time.perf_counter()
        with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as complaints:
            child = subprocess.Popen(command, stdout=printed, stderr=complaints)
            timer = threading.Timer(self.limit, child.kill)
            timer.start()
            _, status, used = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            wall = time.perf_counter() - started
            timer.cancel()
            printed.seek(0)
            complaints.seek(0)
            lines, last = printed.read().splitlines(), complaints.read().decode(errors="replace").splitlines()[-1:]
        cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
        if wall >= self.limit:
            return Outcome(name, note=f"stopped after the limit of {self.limit:.0f} s, at {peak:,.0f} MiB")
        if child.returncode:
            return Outcome(name, note=f"failed: {' '.join(last)[:120]}")
        told = json.loads(lines[-1])
        return Outcome(name, wall, told.pop("imports"), cpu, peak, told)


HEADER = ["contender", "wall s", "of it imports s", "CPU s", "peak MiB", "wall / Nightjar", "peak / Nightjar"]


def table(outcomes: Sequence[Outcome]) -> str:
    """A markdown table, one row for each contender, ratios to Nightjar, columns aligned."""
    rows = [HEADER, *_cells(outcomes)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEADER))]

    def line(row: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"

    return "\n".join([line(HEADER), line(["-" * width for width in widths]), *(line(row) for row in rows[1:])])


def _cells(outcomes: Sequence[Outcome]) -> list[list[str]]:
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


def machine(*packages: str) -> str:
    """Processor, memory, versions, date, and how busy the machine is now."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if "MemTotal" in line), 0.0)
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return (
        f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, load average "
        f"{os.getloadavg()[0]:.1f}; Python {platform.python_version()}, {versions}; {datetime.now(UTC):%Y-%m-%d}"
    )


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def report(parts: Sequence[str], output: Path | None) -> None:
    """Print paragraphs, and append them to a markdown file where one is named."""
    text = "\n\n".join(part for part in parts if part)
    print(text)
    if output:
        with output.open("a") as file:
            file.write(text + "\n\n")
