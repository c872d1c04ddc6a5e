"""What was made of a snapshot, kept in the cache beside it, and found again as long as the snapshot is the same."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from pipeline.errors import NightjarError, SourceUnavailable
from pipeline.results import Snapshot
from pipeline.snapshots.cache import Cache, Known, Lease

log = logging.getLogger(__name__)

FEWEST_ROWS = 50_000
"""Of fewer, finding what was made of them takes about as long as making it again."""
_SEEN = "seen"
_PATIENCE_SECONDS = 5.0  # for who keeps the same just now, and may stand still


def shelf_of(snapshot: Snapshot, cache: Cache) -> Shelf | None:
    """Where to keep what is made of a snapshot; None where it would not pay: of few rows, and the first time that this
    machine is asked, as most snapshots are never seen again.
    """
    shelf = reading_shelf_of(snapshot, cache)
    if shelf is None:
        return None
    before = shelf.open(_SEEN)
    if before is None:
        shelf.keep(_SEEN, lambda path: path.write_text(_SEEN))
        return None
    before.close()
    return shelf


def reading_shelf_of(snapshot: Snapshot, cache: Cache) -> Shelf | None:
    """Where to find what other nights kept of a snapshot, without a word of this one; None where it would not pay."""
    return Shelf(cache, snapshot) if snapshot.rows >= FEWEST_ROWS else None


class Shelf:
    """Files by what they are of. They count towards the bound of the cache, and make room, like objects.

    Nothing here is needed: what cannot be read or written is told in the log, and is made anew.
    """

    def __init__(self, cache: Cache, snapshot: Snapshot) -> None:
        self._cache = cache
        self._uri = snapshot.uri
        self._snapshot = snapshot.digest, snapshot.form
        self._objects = [item.sha256 for item in snapshot.objects]

    def open(self, what: str) -> FileIO | None:
        """What was kept, as it was written; None where it is not here. It can be read to its end whoever removes it."""
        try:
            lease = self._cache.lease(self._address(what))
            if lease is None:
                return None
            with lease:
                return open(lease.path, "rb", buffering=0)
        except (OSError, SourceUnavailable) as error:
            log.warning("what is kept of %s is not read: %s", self._uri, error)
            return None

    def keep(self, what: str, write: Callable[[Path], object]) -> None:
        """Have something written and keep it, all of it or nothing; what is there already stays.

        Args:
            what: names it, and how it is written.
            write: writes the file that it is given.
        """
        address = self._address(what)
        state = f"kept {address}"
        try:
            with self._cache.partial(self._uri, state, _PATIENCE_SECONDS) as partial:
                if (here := self._cache.lease(address)) is None:  # whoever was here before may have made just this
                    here = self._written(partial, write, Known(address), state)
                with here:
                    return
        except (OSError, NightjarError) as error:
            log.warning("nothing is kept of %s: %s", self._uri, error)

    def _written(self, partial: Path, write: Callable[[Path], object], found: Known, state: str) -> Lease:
        try:
            write(partial)
            return self._cache.add(partial, found, self._uri, state, self._objects)
        finally:
            partial.unlink(missing_ok=True)

    def drop(self, what: str) -> None:
        """Remove what turned out to be of no use."""
        try:
            self._cache.drop(self._address(what))
        except SourceUnavailable as error:
            log.warning("what is kept of %s is not removed: %s", self._uri, error)

    def _address(self, what: str) -> str:
        return hashlib.sha256(repr((*self._snapshot, what)).encode()).hexdigest()
