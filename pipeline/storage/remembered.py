"""What was found out once at some cost and can be again: kept whole or not at all, and bounded.

An entry that is damaged is none, and a folder that cannot be used costs time alone.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

_DIGEST_LETTERS = 64


@dataclass(frozen=True)
class Remembered:
    """At most `most` entries in a folder of their own; those that were not asked for longest go."""

    folder: Path
    most: int

    def get(self, name: str) -> bytes | None:
        """The entry of that name; None where there is none that is whole."""
        entry = self.folder / name
        with suppress(OSError):
            digest, content = _apart(entry.read_bytes())
            if digest == _digest(content):
                os.utime(entry)
                return content
        return None

    def put(self, name: str, content: bytes) -> None:
        """Keep an entry. Where a kill cuts it short, or two write it at once, its digest tells so."""
        with suppress(OSError):
            if _is_own(self.folder):
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                (self.folder / name).write_bytes(_digest(content) + content)
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        entries = list(self.folder.iterdir())
        if len(entries) > self.most:
            for entry in sorted(entries, key=lambda entry: entry.stat().st_mtime_ns)[: -self.most]:
                entry.unlink()


@lru_cache(maxsize=8)
def version_digest(libraries: tuple[str, ...], sources: tuple[Path, ...]) -> bytes:
    """A digest of what an answer comes from, besides what it is about: Python, libraries, modules or folders of them.

    Raises:
        OSError: a module cannot be read.
    """
    digest = hashlib.sha256(sys.version.encode())
    for library in libraries:
        digest.update(f"\n{library} {version(library)}".encode())
    for path in sorted(_modules(sources)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()


def _modules(sources: Iterable[Path]) -> list[Path]:
    return [path for source in sources for path in ([source] if source.is_file() else source.rglob("*.py"))]


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _apart(entry: bytes) -> tuple[bytes, bytes]:
    return entry[:_DIGEST_LETTERS], entry[_DIGEST_LETTERS:]


def _is_own(folder: Path) -> bool:
    """Whether making it leaves nothing that another user, who runs the nights, could not write to."""
    place = next(place for place in (folder, *folder.parents) if place.exists())
    return place.stat().st_uid == os.geteuid()
