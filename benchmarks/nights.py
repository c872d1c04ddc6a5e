"""What small nights cost through a real Airflow and by the command line: this version beside another one, in one run.

    git worktree add /somewhere/else ef577c8
    python -m benchmarks.nights --against /somewhere/else                # one monitor, night after night
    python -m benchmarks.nights --against /somewhere/else --monitors 50  # so many, due at once

Each version brings its own demo, monitor and suite; the data is made up anew by this one. Versions take turns, each
with an Airflow of its own (SQLite, LocalExecutor) for `--nights` nights, of which the first is left out: a new Airflow
has everything to look up. CPU is that of all of Airflow's processes and of what they started; memory is shared out
among those who share it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks import race

ROOT = Path(__file__).resolve().parent.parent
FIRST = date(2026, 1, 4)
_WORKER = Path(__file__).with_name("nights_of_airflow.py")


@dataclass(frozen=True)
class Cost:
    """Of one thing: seconds of wall and of CPU, and mebibytes at most (0 where they are not looked at)."""

    wall: float
    cpu: float
    memory: float = 0.0


@dataclass(frozen=True)
class Version:
    """A checkout, and a folder of its own for everything that its nights need and leave behind."""

    name: str
    checkout: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        left_out = ("PIPELINE_", "AIRFLOW", "PYTHON")  # with bytecode of modules kept, as on everybody's machine
        own = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return own | {
            "PYTHONPATH": f"{self.checkout}{os.pathsep}{self.checkout / 'dags'}",
            "PIPELINE_MONITORS_DIR": str(self.folder / "monitors"),
            "PIPELINE_EXPECTATIONS_DIR": str(self.folder / "expectations"),
            "PIPELINE_STORE": str(self.folder / "store"),
            "PIPELINE_CACHE_DIR": str(self.folder / "cache"),
        }

    def prepare(self, data: Path, monitors: int) -> None:
        """Lay out `monitors` monitors, the first of which is churn, over the same snapshots."""
        shutil.copytree(self.checkout / "expectations", self.folder / "expectations")
        (self.folder / "monitors").mkdir()
        (self.folder / "data").symlink_to(data)
        text = (self.checkout / "monitors/churn.yaml").read_text()
        for name in names(monitors):
            named = re.sub(r"^name: churn\b", f"name: {name}", text, flags=re.MULTILINE)
            (self.folder / "monitors" / f"{name}.yaml").write_text(named)

    def through_airflow(self, nights: int, monitors: int, tasks: int) -> list[Cost]:
        """What each of some nights cost, of all monitors together."""
        command = [sys.executable, str(_WORKER), str(self.folder), str(self.checkout), str(nights), str(tasks)]
        done = subprocess.run(
            [*command, *names(monitors)], env=self.environment, cwd=self.folder, stdout=subprocess.PIPE, check=True
        )
        return [Cost(**cost) for cost in json.loads(done.stdout.splitlines()[-1])]

    def by_command(self, *arguments: str) -> Cost:
        """What one command of the command line cost, which has to go well."""
        started = time.perf_counter()
        command = [sys.executable, "-m", "pipeline", *arguments]
        child = subprocess.Popen(command, env=self.environment, cwd=self.folder, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{self.name}: {' '.join(arguments)} ended with {child.returncode}")
        return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def names(monitors: int) -> list[str]:
    """Of so many monitors."""
    return ["churn", *(f"churn-{number:02}" for number in range(2, monitors + 1))]


def median(costs: Sequence[Cost]) -> Cost:
    """The middle of each figure."""
    middle = {name: statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "memory")}
    return Cost(**middle)


def measured(versions: Sequence[Version], options: argparse.Namespace) -> dict[str, dict[str, list[Cost]]]:
    """By what was done and by version: what it cost each time."""
    nights = f"a night of {options.monitors} monitors" if options.monitors > 1 else "a night"
    through = f"{nights} through Airflow, {options.tasks} tasks at a time"
    commands = {
        "a night by the command line": ("run", "churn", "--date"),
        "check, once it knows the suites": ("check",),
        "--help": ("--help",),
    }
    costs: dict[str, dict[str, list[Cost]]] = {name: {} for name in (through, *commands)}
    for version in versions:  # whatever is kept for the next time is kept
        version.by_command("check")
        version.by_command("run", "churn", "--date", str(FIRST - timedelta(days=1)))
    for turn in range(options.repeat):
        for version in versions:
            found = version.through_airflow(options.nights, options.monitors, options.tasks)
            costs[through].setdefault(version.name, []).extend(found[1:] if len(found) > 1 else found)
            for name, command in commands.items():
                day = [str(FIRST + timedelta(days=turn))] if command[0] == "run" else []
                costs[name].setdefault(version.name, []).append(version.by_command(*command, *day))
    return costs


def table(costs: dict[str, dict[str, list[Cost]]]) -> str:
    """Medians, and their ratios to the first version."""
    lines = [
        "| what | version | times | wall s | CPU s | MiB | wall ratio | CPU ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for what, by_version in costs.items():
        first = median(next(iter(by_version.values())))
        for version, each in by_version.items():
            one = median(each)
            ratios = f"{one.wall / first.wall:.2f} | {one.cpu / first.cpu:.2f}"
            figures = f"{len(each)} | {one.wall:.2f} | {one.cpu:.2f} | {one.memory:,.0f}"
            lines.append(f"| {what} | {version} | {figures} | {ratios} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="another checkout")
    parser.add_argument("--monitors", type=int, default=1)
    parser.add_argument("--nights", type=int, default=6, help="of each Airflow; the first is left out")
    parser.add_argument("--tasks", type=int, default=2, help="at the same time")
    parser.add_argument("--repeat", type=int, default=2, help="turns of each version")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    checkouts = {"this": ROOT} | ({options.against.name: options.against.resolve()} if options.against else {})
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        subprocess.run([sys.executable, "-m", "demo.churn", "--root", str(data / "churn")], cwd=ROOT, check=True)
        versions = []
        for name, checkout in checkouts.items():
            (Path(folder) / name).mkdir()
            versions.append(Version(name, checkout, Path(folder) / name))
            versions[-1].prepare(data, options.monitors)
        found = table(measured(versions, options))
    race.report([race.machine("apache-airflow"), found], options.output)


if __name__ == "__main__":
    main()
