"""Publishes a night again and again, in a process of its own: python -m tests.storage.publisher STORE TOKEN TIMES."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date

from pipeline.storage.run_store import RunStore

DAY = date(2026, 1, 14)


def night(token: str) -> dict[str, bytes]:
    """Files that all hold the token, one of them large."""
    return {
        "drift.json": token.encode(),
        "drift_report.html": token.encode() * 10_000,
        "index.html": token.encode(),
        "quality.json": token.encode(),
    }


def start(uri: str, token: str, times: int) -> subprocess.Popen[str]:
    """A process that publishes nights of the token; it has begun."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.publisher", uri, token, str(times)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    return process


if __name__ == "__main__":
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    store = RunStore(sys.argv[1])
    for number in range(int(sys.argv[3])):
        store.publish_night("churn", DAY, night(f"{sys.argv[2]}{number}."))
        store.replace_in_night("churn", DAY, {f"{sys.argv[2]}.json": b"%d" % number})
