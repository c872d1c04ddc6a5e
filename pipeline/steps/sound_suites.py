"""Suites that were found sound are known again: to ask Great Expectations takes seconds of imports.

Known is only what has no mistake, by a digest of everything that the answer came from: the bytes of the suite, the
columns that it was held against, the code of the checks, and the libraries and the Python that answered. A suite with
mistakes is asked about each time, for its words.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import checks
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

_LIBRARIES = ("great_expectations", "pydantic", "duckdb", "pandas", "numpy", "pyarrow")
_FOLDER, _MOST = "sound_suites", 1_000


def problems(suite: Path, schema: pa.Schema | None, cache_dir: Path) -> list[str]:
    """Every mistake of a suite file, each with its position; none where it is known to be sound.

    Args:
        suite: its file.
        schema: the columns of production; None where nobody knows them.
        cache_dir: the folder of the cache. One that cannot be used only costs time.
    """
    entry = _entry(suite, schema, cache_dir)
    if entry is not None and _is_known(entry):
        return []
    found = _found(suite, schema)
    if not found and entry is not None:
        _remember(entry)
    return found


def _found(path: Path, schema: pa.Schema | None) -> list[str]:
    from pipeline.checks.quality import load_suite, suite_problems

    try:
        return suite_problems(load_suite(path), schema)
    except ConfigError as error:
        return list(error.problems)


def _entry(suite: Path, schema: pa.Schema | None, cache_dir: Path) -> Path | None:
    """The file that says so, named by what the answer comes from; None where that cannot be read."""
    try:
        content = suite.read_bytes()
        columns = b"" if schema is None else schema.remove_metadata().serialize().to_pybytes()
        parts = (_answering(), hashlib.sha256(content).digest(), hashlib.sha256(columns).digest())
    except OSError:
        return None
    return cache_dir / _FOLDER / hashlib.sha256(b"".join(parts)).hexdigest()


@cache
def _answering() -> bytes:
    """A digest of the code that answers."""
    digest = hashlib.sha256(sys.version.encode())
    for library in _LIBRARIES:
        digest.update(f"\n{library} {version(library)}".encode())
    for path in sorted(_sources()):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def _sources() -> Iterator[Path]:
    for folder in checks.__path__:
        yield from Path(folder).rglob("*.py")


def _is_known(entry: Path) -> bool:
    """Whether the whole entry is there: one that was cut short says something else."""
    with suppress(OSError, ValueError):
        if entry.read_text() == entry.name:
            os.utime(entry)
            return True
    return False


def _remember(entry: Path) -> None:
    with suppress(OSError):
        if _is_own(entry.parent):
            entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            entry.write_text(entry.name)
            _forget_oldest(entry.parent)


def _is_own(folder: Path) -> bool:
    """Whether making it leaves nothing that another user, who runs the nights, could not write to."""
    place = next(place for place in (folder, *folder.parents) if place.exists())
    return place.stat().st_uid == os.geteuid()


def _forget_oldest(folder: Path) -> None:
    entries = list(folder.iterdir())
    if len(entries) > _MOST:
        for entry in sorted(entries, key=lambda entry: entry.stat().st_mtime_ns)[:-_MOST]:
            entry.unlink()
