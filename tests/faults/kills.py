"""Kills a command of Nightjar right before an operation that changes something, and runs it again.

`python -m tests.faults.kills HOME TEMPLATE COMMAND...` reads one line at a time: a seed, or `count` for an undisturbed
run. For each it copies TEMPLATE to HOME and answers with a line of JSON. It imports everything once and forks, so that
kills hit work and not imports. Nothing in it may start a thread before it forks.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "socket.connect"}
_WRITING = os.O_WRONLY | os.O_RDWR
# What differs between two undisturbed runs: the id of an MLflow run, and when something was told or written.
_BY_NATURE = (
    (re.compile(rb"\b[0-9a-f]{32}\b"), b"<run>"),
    (re.compile(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z| UTC|\+00:00)?"), b"<moment>"),
)


def changes_something(event: str, arguments: tuple[Any, ...], home: str) -> bool:
    """Whether an audit event is one before which a kill leaves another state than the one before it."""
    if event == "open":
        path, _, flags = arguments
        return isinstance(path, str) and path.startswith(home) and bool(flags and flags & _WRITING)
    return event in CHANGES


def in_fork(work: Callable[[], int]) -> int:
    """What a fork of this process ends with: its exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            sys.stdout.flush()
            with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
                code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run(command: list[str], home: Path, kill_at: int | None, counted: Path | None = None) -> int:
    """Run a command in this process; before its n-th operation it is killed. `counted`: where to write how many."""
    from pipeline.cli import main

    seen = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if changes_something(event, arguments, str(home)):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    if kill_at is not None or counted is not None:
        sys.addaudithook(watch)
    code = main(command)
    many = seen
    if counted is not None:
        counted.write_text(str(many))
    return code


def state_of(home: Path) -> dict[str, str]:
    """Every file of the run store by its path, links followed, with a digest of what does not differ by nature."""
    store = home / "var" / "store"
    found = {}
    for path in sorted(store.rglob("*")):
        relative = path.relative_to(store)
        if path.is_file() and ".nights" not in relative.parts and path.name != ".lock" and path.suffix != ".lock":
            found[str(relative)] = _digest(path)
    for link in sorted(store.glob("*/20*")):
        found |= {f"{link.relative_to(store)}/{item.name}": _digest(item) for item in link.iterdir()}
    return found


def _digest(path: Path) -> str:
    content = _plain(path.read_bytes())
    if path.name == "night.json":  # digests of pages that name a run differ by nature; that they are right does not
        for item in path.parent.iterdir():
            content = content.replace(hashlib.sha256(item.read_bytes()).hexdigest().encode(), b"<right>")
    return hashlib.sha256(content).hexdigest()


def _plain(content: bytes) -> bytes:
    for pattern, words in _BY_NATURE:
        content = pattern.sub(words, content)
    return content


def runs_of(home: Path) -> int:
    """Runs that MLflow has and nobody deleted."""
    with contextlib.closing(sqlite3.connect(home / "var" / "mlflow.db")) as database:
        if not database.execute("select 1 from sqlite_master where name = 'runs'").fetchone():
            return 0
        query = "select count(*) from runs where lifecycle_stage = 'active'"
        return int(database.execute(query).fetchone()[0])


def fresh(home: Path, template: Path) -> None:
    """The state from which a command starts."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(template, home, symlinks=True)


def main() -> None:
    """Answer the lines."""
    home, template, command = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    import great_expectations  # noqa: F401
    import mlflow  # noqa: F401
    import sklearn.ensemble  # noqa: F401

    import pipeline.cli
    import pipeline.publish.evidently_report
    import pipeline.publish.mlflow_run
    import pipeline.steps.walk  # noqa: F401

    counted, operations = home.with_name("operations"), 0
    for line in map(str.strip, sys.stdin):
        fresh(home, template)
        told: dict[str, Any] = {}
        if line == "count":
            told["first"] = in_fork(partial(run, command, home, None, counted))
            operations = int(counted.read_text())
        else:
            at = random.Random(int(line)).randint(1, operations)
            told |= {"at": at, "first": in_fork(partial(run, command, home, at))}
            told["again"] = in_fork(partial(run, command, home, None))
        told |= {"operations": operations, "state": state_of(home), "runs": runs_of(home)}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
