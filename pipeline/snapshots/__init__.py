"""Where data comes from: snapshots are listed, pinned, and fetched into a shared cache."""

from pipeline.snapshots.cache import Cache
from pipeline.snapshots.locations import state_at
from pipeline.snapshots.pin import open_snapshot, pin, told_by_sources
from pipeline.snapshots.rows import read_sample, read_table
from pipeline.snapshots.schema import schema_at
from pipeline.snapshots.shelf import Shelf, reading_shelf_of, shelf_of

__all__ = [
    "Cache",
    "Shelf",
    "open_snapshot",
    "pin",
    "read_sample",
    "read_table",
    "reading_shelf_of",
    "schema_at",
    "shelf_of",
    "state_at",
    "told_by_sources",
]
