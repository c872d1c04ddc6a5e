"""An S3 API that asks who is there, as its own process: `moto_with_accounts.py`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.processes import LOOPBACK, serving


@contextmanager
def run_s3_with_accounts(directory: Path, root_key: str, root_secret: str) -> Iterator[str]:
    """Run an S3 API that knows its root account alone; yields its endpoint."""

    def command(port: int) -> list[str]:
        program = str(Path(__file__).with_name("moto_with_accounts.py"))
        return [sys.executable, program, LOOPBACK, str(port), root_key, root_secret]

    log = directory / "s3-accounts.log"
    with serving(command, health="/health", log=log, env={"PYTHONWARNINGS": "ignore"}) as url:
        yield url
