"""Local files of a snapshot as training sees them: one frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.retrain.data.frames import frame_of
from pipeline.snapshots.rows import read_file

if TYPE_CHECKING:
    import pandas as pd


def read_frame(paths: Sequence[Path], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The rows of all files, in order; whole numbers with gaps stay whole."""
    table = pa.concat_tables([read_file(path, columns) for path in paths], promote_options="permissive")
    return frame_of(table, table.column_names)
