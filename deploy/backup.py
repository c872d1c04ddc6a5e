"""Back the stack of docker-compose.yml up, and put it back: `python3 deploy/backup.py save|verify|restore ...`.

    python3 deploy/backup.py save backups --keep 14      # while nights run
    python3 deploy/backup.py verify backups/nightjar-20260114T033000Z
    python3 deploy/backup.py restore backups/nightjar-20260114T033000Z

A backup holds the databases of Airflow and MLflow and the bucket `nightjar`: store, training sets, artifacts; with
`--snapshots` the bucket `snapshots` too. It holds no secret of `.secrets`: keep a copy of that folder elsewhere, as
passwords and connections in the databases are of no use without it. The standard library is enough.

What points at something is copied before what it points at: Airflow, which knows which nights ran, then the store, then
MLflow, then its artifacts and the training sets. A night that runs meanwhile is at worst one that Airflow runs again.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = "manifest.json"
NAME = "nightjar-"
DATABASES = ("airflow", "mlflow")
OBJECTS = {
    "store.tar.gz": ("nightjar", "store/"),
    "artifacts.tar.gz": ("nightjar", "mlflow/", "store-archive/"),
    "snapshots.tar.gz": ("snapshots", ""),
}
"""Bucket and prefixes of each tar file."""
ORDER = ("airflow.dump", "store.tar.gz", "mlflow.dump", "artifacts.tar.gz")
STAYS = {"postgres", "s3", "proxy", "reports", "pushgateway", "prometheus", "alertmanager", "grafana", "mailpit"}
"""Services that write into neither database and into no bucket by themselves."""
_HAS_TABLES = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_NEW_DATABASE = """
DROP DATABASE IF EXISTS "{name}" WITH (FORCE);
CREATE DATABASE "{name}" OWNER "{name}";
REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC;
"""


class BackupFailed(Exception):
    """Nothing was written that looks like a backup, or nothing was put back; the message says why."""


def compose(
    *arguments: str, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None, text: str | None = None
) -> str:
    """What a docker compose command prints.

    Raises:
        BackupFailed: it failed; with the end of what it said.
    """
    command = ["docker", "compose", *arguments]
    source = stdin or (subprocess.DEVNULL if text is None else subprocess.PIPE)
    try:
        process = subprocess.Popen(  # noqa: S603  # a list, and no shell
            command, cwd=ROOT, stdin=source, stdout=stdout or subprocess.PIPE, stderr=subprocess.PIPE
        )
    except FileNotFoundError:
        raise BackupFailed("docker is not installed, or not on PATH") from None
    with process:
        output, errors = process.communicate(None if text is None else text.encode())
    if process.returncode != 0:
        said = errors.decode(errors="replace").strip()[-1000:]
        raise BackupFailed(f"docker compose {' '.join(arguments[:4])} ... ended with {process.returncode}: {said}")
    return (output or b"").decode(errors="replace")


def _postgres(*command: str, **streams: IO[bytes] | None) -> str:
    return compose("exec", "-T", "postgres", *command, **streams)  # type: ignore[arg-type]


def _sql(database: str, statements: str) -> str:
    psql = ("psql", "--username=postgres", f"--dbname={database}", "--no-psqlrc", "--tuples-only", "--quiet")
    return compose("exec", "-T", "postgres", *psql, "--set=ON_ERROR_STOP=1", "--file=-", text=statements)


def _objects(*arguments: str, **streams: IO[bytes] | None) -> str:
    """`deploy/objects.py` in the service that has the server's keys and its network."""
    program = ("python", "deploy/objects.py", *arguments)
    return compose("run", "--rm", "--no-deps", "-T", "set-up-s3", *program, **streams)  # type: ignore[arg-type]


def save(folder: Path, *, keep: int | None, snapshots: bool) -> Path:
    """Write a backup into a folder of its own below `folder`, and remove older ones than the newest `keep`.

    Raises:
        BackupFailed: a part could not be read, or another backup is being written there; nothing is left then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        for left in folder.glob(f".{NAME}*.part"):  # of one that was killed
            shutil.rmtree(left)
        final = _save(folder, snapshots)
        for old in _backups(folder)[:-keep] if keep is not None else []:
            shutil.rmtree(old)
            print(f"{old.name}: removed")
    return final


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Of two at once the second fails. The system lets go of the lock with the process, however that ends."""
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupFailed(f"{folder}: another backup is being written here") from None
    finally:
        os.close(place)


def _save(folder: Path, snapshots: bool) -> Path:
    final = folder / f"{NAME}{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    part = folder / f".{final.name}.part"
    part.mkdir(mode=0o700)
    try:
        for name in [*ORDER, *(["snapshots.tar.gz"] if snapshots else [])]:
            _save_one(part / name)
            print(f"{name}: {(part / name).stat().st_size:,} bytes")
        files = {path.name: _digest(path) for path in sorted(part.iterdir())}
        _write(part / MANIFEST, json.dumps({"files": files}, indent=2))
        part.rename(final)  # a backup that was killed keeps the other name
    finally:
        shutil.rmtree(part, ignore_errors=True)
    os.sync()
    return final


def _save_one(path: Path) -> None:
    with path.open("xb") as out:
        if path.name in OBJECTS:
            _objects("save", *OBJECTS[path.name], stdout=out)
        else:
            dump = ("pg_dump", "--username=postgres", "--format=custom", f"--dbname={path.stem}")
            _postgres(*dump, stdout=out)
        os.fsync(out.fileno())


def _write(path: Path, text: str) -> None:
    with path.open("x", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _backups(folder: Path) -> list[Path]:
    """Whole backups, oldest first."""
    return sorted(path.parent for path in folder.glob(f"{NAME}*/{MANIFEST}"))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def verify(backup: Path) -> list[str]:
    """Names of its files, all of them as they were written.

    Raises:
        BackupFailed: it is no backup, or a file is missing or changed.
    """
    try:
        files: dict[str, str] = json.loads((backup / MANIFEST).read_text(encoding="ascii"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BackupFailed(
            f"{backup}: no backup that was written to its end ({MANIFEST} is missing or broken)"
        ) from None
    if missing := [name for name in ORDER if name not in files]:
        raise BackupFailed(f"{backup / MANIFEST}: does not name {', '.join(missing)}")
    for name, digest in files.items():
        path = backup / name
        if not path.is_file() or _digest(path) != digest:
            raise BackupFailed(f"{path}: missing, or not as it was written: use another backup")
    return list(files)


def restore(backup: Path, *, replace: bool) -> None:
    """Put everything back into servers that are up and empty, or whose content may go.

    Raises:
        BackupFailed: it is broken, something still writes, or the servers are not empty; nothing was changed then.
            Or a server failed in the middle: run it again with `replace`.
    """
    names = verify(backup)
    running = set(compose("ps", "--services", "--status", "running").split())
    if not {"postgres", "s3"} <= running:
        raise BackupFailed("start the servers first: docker compose up -d --wait postgres s3")
    if writing := sorted(running - STAYS):
        raise BackupFailed(f"these would write meanwhile: docker compose stop {' '.join(writing)}")
    if not replace:
        for database in DATABASES:
            if _sql(database, _HAS_TABLES).strip() != "0":
                raise BackupFailed(f"the database {database} is not empty: --replace removes what is there")
    compose("run", "--rm", "--no-deps", "-T", "set-up-s3")
    tars = [name for name in names if name in OBJECTS]
    for name in [] if replace else tars:
        _objects("empty", *OBJECTS[name])
    for name in tars:
        with (backup / name).open("rb") as source:
            print(_objects("load", *OBJECTS[name], *(["--replace"] if replace else []), stdin=source), end="")
    for database in DATABASES:
        _sql("postgres", _NEW_DATABASE.format(name=database))
        put = ("pg_restore", "--username=postgres", f"--dbname={database}", "--single-transaction", "--exit-on-error")
        with (backup / f"{database}.dump").open("rb") as source:
            _postgres(*put, stdin=source)
        print(f"database {database}: restored")


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Back the compose stack up, and put it back.")
    commands = parser.add_subparsers(dest="command", required=True)
    saving = commands.add_parser("save", help="write a backup, whole or not at all")
    saving.add_argument("folder", type=Path, help="where backups are kept, each in a folder of its own")
    saving.add_argument("--keep", type=_count, help="remove older backups than so many (default: none)")
    saving.add_argument("--snapshots", action="store_true", help="the bucket of snapshots, too")
    commands.add_parser("verify", help="compare every file with its digest").add_argument("backup", type=Path)
    restoring = commands.add_parser("restore", help="put a backup back into empty servers")
    restoring.add_argument("backup", type=Path)
    restoring.add_argument("--replace", action="store_true", help="remove what is in databases and buckets before")
    options = parser.parse_args(arguments)
    try:
        if options.command == "save":
            print(f"{save(options.folder, keep=options.keep, snapshots=options.snapshots)}: written")
        elif options.command == "verify":
            print(f"{options.backup}: {len(verify(options.backup))} files, all as they were written")
        else:
            restore(options.backup, replace=options.replace)
            print("next: docker compose up -d")
    except (BackupFailed, OSError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
