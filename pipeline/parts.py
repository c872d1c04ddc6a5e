"""Files on their way: each lies beside the one that it is to replace until it is whole. Who is killed leaves one, and
who next writes a file of the folder removes it.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
from contextlib import suppress
from pathlib import Path

_DAY_SECONDS = 86_400.0
_OF = re.compile(r"\..+~(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-[^-]+(-journal)?")  # SQLite's own, of a database


def part_prefix(target: Path) -> str:
    """How the names of this process's files on their way to a place begin."""
    return f".{target.name}~{_host()}-{os.getpid()}-"


def sweep_parts(target: Path) -> None:
    """Remove what killed processes left beside a file, also of others, which nobody may write again: of this machine at
    once, of another one, whose processes nobody sees here, after a day.
    """
    for item in target.parent.iterdir():
        found = _OF.fullmatch(item.name)
        if found is not None and _is_left(item, found["host"], int(found["pid"])):
            item.unlink(missing_ok=True)


def _is_left(item: Path, host: str, pid: int) -> bool:
    with suppress(FileNotFoundError):  # it is in its place by now
        age = time.time() - item.stat().st_mtime
        return not _runs(pid) if host == _host() else age > _DAY_SECONDS
    return False


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
