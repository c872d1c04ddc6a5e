"""Where data comes from: snapshots are listed, pinned, and fetched into a shared cache."""

from pipeline.snapshots.cache import Cache
from pipeline.snapshots.frames import read_frame
from pipeline.snapshots.pin import open_snapshot, pin
from pipeline.snapshots.rows import read_table
from pipeline.snapshots.schema import schema_at

__all__ = ["Cache", "open_snapshot", "pin", "read_frame", "read_table", "schema_at"]
