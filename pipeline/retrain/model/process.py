"""Runs the worker: shows its progress, and kills it with all its children when it takes too long."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event
from typing import Any

from pipeline.config.home import make_importable
from pipeline.errors import TrainingFailed
from pipeline.log_context import beside
from pipeline.retrain.progress import Progress
from pipeline.wording import seconds, value

_STILL_SECONDS = 30.0
_LAST_WORDS_SECONDS = 5.0
_PASSED = re.compile(
    "PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_.*|TZ|TMPDIR|TEMP|TMP|SOURCE_DATE_EPOCH|VIRTUAL_ENV|PYTHON.*"
    "|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|CUDA_VISIBLE_DEVICES|NVIDIA_VISIBLE_DEVICES|PIPELINE_HOME"
    "|(OMP|MKL|OPENBLAS|BLIS|NUMEXPR|NUMBA|VECLIB|KMP|LOKY|JOBLIB|TRAINER)_.*"
)
"""Variables that a trainer is given; `TRAINER_...` are for what one of your own needs beside the usual ones."""


def run(command: str, folder: Path, left_seconds: float, limit_minutes: float, progress: Progress) -> dict[str, Any]:
    """One job of `pipeline.retrain.model.worker`; what it wrote to `done.json`.

    Args:
        command: `train` or `answer`.
        folder: the job's files.
        left_seconds: when to kill it.
        limit_minutes: the limit that is named when it was killed; several jobs share it.
        progress: is given what the worker prints.

    Raises:
        TrainingFailed: it failed, was killed, or did not end in time.
    """
    deadline = time.monotonic() + left_seconds
    worker = _start(command, folder)
    ended = Event()
    reader = beside(_show, worker, progress, ended)
    try:
        _wait(worker, deadline, limit_minutes, progress)
    finally:
        _kill(worker)
        reader.join(timeout=_LAST_WORDS_SECONDS)
        ended.set()
        if worker.stdin is not None:
            worker.stdin.close()
    return _outcome(worker.returncode, folder)


def _start(command: str, folder: Path) -> subprocess.Popen[str]:
    make_importable()
    # A session of its own, so that a trainer's children can be killed with it.
    return subprocess.Popen(  # noqa: S603  (this very program)
        [sys.executable, "-m", "pipeline.retrain.model.worker", command, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        env=_environment(),
    )


def _environment() -> dict[str, str]:
    """What a trainer is given of the environment: none of the secrets that Nightjar publishes with."""
    found = {name: value for name, value in os.environ.items() if _PASSED.fullmatch(name)}
    return {**found, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONUNBUFFERED": "1"}


def _show(worker: subprocess.Popen[str], progress: Progress, ended: Event) -> None:
    """Show what is printed, and close it. A process that a trainer has started in a session of its own goes on and may
    have the other end for days, which nobody else waits for: to close a stream, too, waits for who reads it.
    """
    if worker.stdout is None:
        return
    with worker.stdout as lines:
        for line in lines:
            if ended.is_set():
                return
            progress(f"  {line.rstrip()}")


def _wait(worker: subprocess.Popen[str], deadline: float, limit_minutes: float, progress: Progress) -> None:
    started = time.monotonic()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TrainingFailed(
                f"stopped after {value(limit_minutes)} minutes, retrain.time_limit_minutes of the monitor file"
            )
        try:
            worker.wait(min(left, _STILL_SECONDS))
            return
        except subprocess.TimeoutExpired:
            if time.monotonic() < deadline:
                progress(f"  still at it after {seconds(time.monotonic() - started)}")


def _kill(worker: subprocess.Popen[str]) -> None:
    """The worker's whole session: also children that outlived it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def _outcome(code: int, folder: Path) -> dict[str, Any]:
    failed, done = folder / "failed.json", folder / "done.json"
    if code == 0 and done.is_file():
        found: dict[str, Any] = json.loads(done.read_text())
        return found
    if failed.is_file():
        raise TrainingFailed(str(json.loads(failed.read_text())["message"]))
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    hint = "; was there enough memory?" if code == -signal.SIGKILL else ""
    raise TrainingFailed(f"the training process ended with {how} and no result{hint}")
