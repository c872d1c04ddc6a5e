"""Nights of production that are there already: the newest ones, as many as are looked at in a reasonable time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

from pipeline.authoring.observe import Night, observe
from pipeline.checks.quality.check import Limits
from pipeline.checks.quality.validate import open_files
from pipeline.config import Settings, resolve_location
from pipeline.errors import NightjarError

MOST_NIGHTS = 14
_MOST_BYTES = 2**30


@contextmanager
def local_files(settings: Settings, location: str, day: date, dates: Collection[str] = ()) -> Iterator[list[Path]]:
    """The files behind an address on a date, on this machine until the context ends.

    `dates` are names of folders that say which night it is, see `pipeline.snapshots.pin`.

    Raises:
        SnapshotMissing, SnapshotUnreadable, SourceUnavailable: they cannot be read.
    """
    from pipeline.snapshots import Cache, open_snapshot, pin

    cache = Cache(settings.cache_dir, settings.cache_max_bytes)
    snapshot = pin(resolve_location(location, day, settings.data_root), cache, dates)
    with open_snapshot(snapshot, cache) as paths:
        yield paths


@contextmanager
def newest_nights(
    settings: Settings, production: str, today: date, limits: Limits, dates: Collection[str] = ()
) -> Iterator[tuple[Night, ...]]:
    """The newest nights, oldest first, with their files at hand until the context ends.

    Two weeks of them, or as many as lie within a gigabyte. A night that cannot be read is left out: it says nothing of
    what is usual.

    Args:
        settings: where the cache is.
        production: an address, with or without `{date}`.
        today: stands for the date where the address has none.
        limits: memory and cores.
        dates: names of folders that say which night it is.
    """
    with ExitStack() as stack:
        nights = []
        for day in _days(settings, production, today):
            try:
                paths = stack.enter_context(local_files(settings, production, day, dates))
                rows, seen = observe(paths, limits)
            except NightjarError:
                continue
            nights.append(Night(day, rows, seen, tuple(paths), tuple(open_files(paths).schema.names)))
        yield tuple(nights)


def _days(settings: Settings, production: str, today: date) -> list[date]:
    from pipeline.snapshots.dates import dates_with_data

    sizes = dates_with_data(production, settings.data_root)
    chosen: list[date] = []
    left = _MOST_BYTES
    for day in sorted(sizes, reverse=True)[:MOST_NIGHTS]:
        left -= sizes[day]
        if chosen and left < 0:
            break
        chosen.append(day)
    return sorted(chosen) or [today]
