"""A PostgreSQL server as the stack has it: set up by deploy/postgres/create-databases.sh."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.processes import free_port

CREATE = Path(__file__).parents[2] / "deploy" / "postgres" / "create-databases.sh"
ROOT_PASSWORD = "root-password"


@contextmanager
def run_postgres(passwords: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run a server with a database and a role for each password; yields the environment that reaches it.

    Without PostgreSQL a test is skipped, except in CI, where it fails.
    """
    # Debian keeps the server's programs off PATH.
    path = os.pathsep.join([os.environ["PATH"], *map(str, Path("/usr/lib/postgresql").glob("*/bin"))])
    if shutil.which("initdb", path=path) is None or shutil.which("psql", path=path) is None:
        message = "PostgreSQL is not installed: apt-get install postgresql"
        if os.environ.get("CI") == "true":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    # The server refuses to run as root; Debian's package brings this user.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    folder = Path(tempfile.mkdtemp(prefix="nightjar-postgres-"))
    shutil.chown(folder, user)
    port = str(free_port())
    reach = {
        "PGHOST": "127.0.0.1",
        "PGPORT": port,
        "POSTGRES_USER": "postgres",
        "PATH": path,
    }

    def run(*command: str) -> None:
        subprocess.run(command, user=user, cwd=folder, env={"PATH": path}, check=True, capture_output=True, timeout=60)

    (folder / "password").write_text(ROOT_PASSWORD)
    for role, password in passwords.items():
        (folder / f"{role}_database_password").write_text(password)
    shutil.chown(folder / "password", user)
    run("initdb", "--pgdata=data", "--username=postgres", "--auth=scram-sha-256", "--pwfile=password")
    # The log goes to a file: a server that keeps the pipe open would keep pg_ctl's caller waiting.
    run("pg_ctl", "--pgdata=data", "--log=log", "--wait", f"--options=-p {port} -k {folder} -h 127.0.0.1", "start")
    try:
        environment = reach | {"PGPASSWORD": ROOT_PASSWORD, "SECRETS": str(folder)}
        subprocess.run(["sh", "-eu", str(CREATE)], env=environment, check=True, capture_output=True, timeout=60)
        yield reach
    finally:
        run("pg_ctl", "--pgdata=data", "--wait", "--mode=immediate", "stop")
        shutil.rmtree(folder)
