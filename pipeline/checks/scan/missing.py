"""What is missing, for drift, quality checks and profiles alike: null, also within a dictionary, NaN, and NaT.

Infinity is a value, and so are empty text and an empty list. A list with a gap in it is there. In SQL the same is
said by the views of `quality/engines/sql.py`, in which NaN is NULL; pandas' own `isna` agrees.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def missing_in(values: pa.Array) -> int:
    """How many values of an array of any type are missing."""
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if isinstance(values, pa.DictionaryArray):
        return _missing_codes(values)
    return int(values.null_count) + nans_in(values)


def nans_in(values: pa.Array) -> int:
    """How many are NaN and not null."""
    if not pa.types.is_floating(values.type):
        return 0
    floats = values.cast(pa.float32()) if pa.types.is_float16(values.type) else values
    return int(pc.sum(pc.is_nan(floats)).as_py() or 0)


def _missing_codes(values: pa.DictionaryArray) -> int:
    """Codes that are null, or stand for null or NaN."""
    labels = values.dictionary
    if not missing_in(labels):
        return int(values.indices.null_count)
    gone = [place for place, label in enumerate(labels) if missing_in(labels.slice(place, 1))]
    codes = pa.array(gone, values.indices.type)
    return int(values.indices.null_count) + int(pc.sum(pc.is_in(values.indices, value_set=codes)).as_py() or 0)
