"""Runs commands of Nightjar in forks of a process that has imported everything: at once, and killed where told.

`python -m tests.faults.forks` reads a line of JSON at a time, a list of jobs; it starts all of them, waits for all, and
answers with a list of how they ended. So kills hit work and not imports, and several commands begin within
milliseconds. Nothing in it may start a thread before it forks.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 3_600.0
# Each is one before which a kill leaves another state than a kill before the one before it.
_CHANGES = frozenset(
    {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.truncate"}
    | {"socket.connect", "sqlite3.connect", "subprocess.Popen"}
)
_READS = (b"GET ", b"HEAD ")
_WRITING = os.O_WRONLY | os.O_RDWR
_IMPORTED = (
    "boto3", "great_expectations", "mlflow", "mlflow.store.tracking.sqlalchemy_store", "sklearn.ensemble",
    "pipeline.cli", "pipeline.publish.evidently_report", "pipeline.publish.mlflow_run", "pipeline.steps.retraining",
    "pipeline.retrain.challenge", "pipeline.steps.walk", "tests.retrain.trainers",
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """A command, with variables beside those of all.

    Attributes:
        command: what follows `nightjar`.
        environment: its variables.
        kill_at: it is killed before the n-th operation that changes a file, opens a connection or sends a request.
        kill_after: it is killed after so many seconds.
        lease_seconds: a lease on S3 runs out so soon; None for as it is.
    """

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    kill_at: int | None = None
    kill_after: float | None = None
    lease_seconds: float | None = None


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code or minus the signal, what it changed and took, and what it said."""

    code: int
    operations: int
    seconds: float
    said: str

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Forks:
    """Asks the process that forks."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, *jobs: Job) -> list[Ended]:
        """Start all of these at once; how they ended. Whoever takes longer than the limit is killed."""
        lines, answers = self._process.stdin, self._process.stdout
        assert lines is not None
        assert answers is not None
        lines.write(json.dumps([asdict(job) for job in jobs]) + "\n")
        lines.flush()
        return [Ended(**found) for found in json.loads(answers.readline())]


@contextmanager
def forking(environment: Mapping[str, str]) -> Iterator[Forks]:
    """A process that has imported everything, with these variables for all that it runs."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PIPELINE_", "MLFLOW_"))}
    program = [sys.executable, "-m", "tests.faults.forks"]
    with subprocess.Popen(
        program,
        env={**own, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "COVERAGE_PROCESS_CONFIG": "", **environment},
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        yield Forks(process)
        assert process.stdin is not None
        process.stdin.close()


def changes_something(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an audit event is of an operation that leaves something else behind."""
    if event == "open":
        path, _, flags = arguments
        return isinstance(path, str | bytes) and bool(flags and flags & _WRITING) and str(path) != os.devnull
    if event == "http.client.send":  # of a request its head, and then its body
        return not (isinstance(arguments[1], bytes) and arguments[1].startswith(_READS))
    return event in _CHANGES


def _watch(kill_at: int | None, counted: int) -> None:
    """Count what this process changes from now on into a file, and kill it where told."""
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if changes_something(event, arguments):
            seen += 1
            os.pwrite(counted, f"{seen:9}".encode(), 0)
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _run(job: Job, said: int, counted: int) -> int:
    from pipeline.cli import main
    from pipeline.storage import lease

    os.dup2(said, 1)
    os.dup2(said, 2)
    os.environ.update(job.environment)
    tempfile.tempdir = None  # it follows the environment
    if job.lease_seconds is not None:
        lease.EXPIRES_SECONDS, lease._RENEW_SECONDS = job.lease_seconds, job.lease_seconds / 4
    _watch(job.kill_at, counted)
    return main(list(job.command))


class _Fork:
    """A job that was started."""

    def __init__(self, job: Job, folder: Path) -> None:
        self._files = [(folder / name).open("wb+", buffering=0) for name in ("said", "counted")]
        self._job, self._started = job, time.monotonic()
        self._ended: Ended | None = None
        self._pid = os.fork()
        if self._pid == 0:
            code = 70
            try:
                code = _run(job, *(file.fileno() for file in self._files))
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)

    def ended(self) -> Ended | None:
        """How it ended; None while it runs, which it does no longer than it may."""
        passed = time.monotonic() - self._started
        if self._ended is None:
            if passed > min(self._job.kill_after or LIMIT_SECONDS, LIMIT_SECONDS):
                os.kill(self._pid, signal.SIGKILL)
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                said, counted = (os.pread(file.fileno(), 100_000, 0).decode(errors="replace") for file in self._files)
                for file in self._files:
                    file.close()
                self._ended = Ended(os.waitstatus_to_exitcode(status), int(counted or 0), passed, said[-4_000:])
        return self._ended


def _all(jobs: Sequence[Job], folder: Path) -> list[Ended]:
    forks = []
    for number, job in enumerate(jobs):
        (folder / str(number)).mkdir(exist_ok=True)
        forks.append(_Fork(job, folder / str(number)))
    while True:
        found = [ended for fork in forks if (ended := fork.ended()) is not None]
        if len(found) == len(forks):
            return found
        time.sleep(0.002)


def main() -> None:
    """Answer the lines."""
    for name in _IMPORTED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            found = _all([Job(**job) for job in json.loads(line)], Path(folder))
            sys.stdout.write(json.dumps([asdict(ended) for ended in found]) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
