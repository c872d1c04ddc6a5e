"""Nights through the Airflow of whatever checkout is on PYTHONPATH: one process of `benchmarks.nights`.

python nights_of_airflow.py FOLDER CHECKOUT NIGHTS TASKS MONITOR...

Its last line is what each night cost, of all monitors together: seconds of wall and CPU, and mebibytes at most.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path

from demo.embedded_airflow import EmbeddedAirflow

FIRST = date(2026, 1, 4)
_TICK = os.sysconf("SC_CLK_TCK")


def main() -> None:
    folder, checkout = Path(sys.argv[1]), Path(sys.argv[2])
    nights, tasks, monitors = int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:]
    home = folder / f"airflow-{os.getpid()}"
    with EmbeddedAirflow(home, checkout / "dags", parallelism=tasks) as airflow:
        airflow.wait_for_dags(*(f"nightly_{name}" for name in monitors))
        time.sleep(10)  # what starts up beside the components is no part of a night
        costs = [_cost(airflow, monitors, FIRST + timedelta(days=night)) for night in range(nights)]
    print(json.dumps(costs))


def _cost(airflow: EmbeddedAirflow, monitors: list[str], day: date) -> dict[str, float]:
    before, started = _cpu(), time.perf_counter()
    with _watched() as peak:
        dags = [f"nightly_{name}" for name in monitors]
        runs = {dag: airflow.trigger(dag, {"run_date": str(day)}) for dag in dags}
        for dag, run in runs.items():
            state = airflow.wait_run(dag, run, timeout=3_600)
            if state != "success":
                raise SystemExit(f"{dag} on {day} ended as {state}: {airflow.task_states(dag, run)}")
        wall = time.perf_counter() - started
    return {"wall": wall, "cpu": _cpu() - before, "memory": max(peak)}


def _processes() -> Iterator[Path]:
    """Everything this process has started that is alive, wherever its session is."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError, ValueError, IndexError):
                parents.setdefault(int(_stat(entry)[1]), []).append(int(entry.name))
    waiting = list(parents.get(os.getpid(), []))
    while waiting:
        pid = waiting.pop()
        waiting += parents.get(pid, [])
        yield Path(f"/proc/{pid}")


def _stat(entry: Path) -> list[str]:
    """From the state on, see proc(5)."""
    return (entry / "stat").read_text().rpartition(")")[2].split()


def _cpu() -> float:
    """Seconds of all processes, with those of their children that have ended."""
    total = 0
    for entry in _processes():
        with suppress(OSError):
            total += sum(map(int, _stat(entry)[11:15]))
    return total / _TICK


@contextmanager
def _watched() -> Iterator[list[float]]:
    """Mebibytes of all processes, looked at each second; what is shared counts once."""
    seen, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(1.0):
            total = 0
            for entry in _processes():
                with suppress(OSError, StopIteration):
                    lines = (entry / "smaps_rollup").read_text().splitlines()
                    total += int(next(line for line in lines if line.startswith("Pss:")).split()[1])
            seen.append(total / 1024)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


if __name__ == "__main__":
    main()
