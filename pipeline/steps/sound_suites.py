"""Suites that were found sound are known again: to ask Great Expectations takes seconds of imports.

Known is only what has no mistake, by a digest of everything that the answer came from: the bytes of the suite, the
columns that it was held against, the code of the checks, and the libraries and the Python that answered. A suite with
mistakes is asked about each time, for its words.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import checks
from pipeline.errors import ConfigError
from pipeline.storage.remembered import Remembered, version_digest

if TYPE_CHECKING:
    import pyarrow as pa

_LIBRARIES = ("great_expectations", "pydantic", "duckdb", "pandas", "numpy", "pyarrow")
_SOURCES = tuple(map(Path, checks.__path__))
_FOLDER, _MOST = "sound_suites", 1_000


def problems(suite: Path, schema: pa.Schema | None, cache_dir: Path) -> list[str]:
    """Every mistake of a suite file, each with its position; none where it is known to be sound.

    Args:
        suite: its file.
        schema: the columns of production; None where nobody knows them.
        cache_dir: the folder of the cache. One that cannot be used only costs time.
    """
    sound, name = Remembered(cache_dir / _FOLDER, _MOST), _name(suite, schema)
    if name is not None and sound.get(name) is not None:
        return []
    found = _found(suite, schema)
    if not found and name is not None:
        sound.put(name, b"")
    return found


def _found(path: Path, schema: pa.Schema | None) -> list[str]:
    from pipeline.checks.quality import load_suite, suite_problems

    try:
        return suite_problems(load_suite(path), schema)
    except ConfigError as error:
        return list(error.problems)


def _name(suite: Path, schema: pa.Schema | None) -> str | None:
    """A digest of what the answer comes from; None where that cannot be read."""
    columns = b"" if schema is None else schema.remove_metadata().serialize().to_pybytes()
    try:
        parts = (suite.read_bytes(), columns)
        digests = [version_digest(_LIBRARIES, _SOURCES), *(hashlib.sha256(part).digest() for part in parts)]
    except OSError:
        return None
    return hashlib.sha256(b"".join(digests)).hexdigest()
