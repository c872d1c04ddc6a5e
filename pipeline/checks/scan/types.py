"""What a parquet type means for drift: its kind, its form, and its values as numbers or as category keys.

Nullable, dictionary-encoded, large and extension types carry the same values as their plain twins, so everything
here looks at the value type underneath.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.results import Kind

Key = str | int | float | bool
FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
N = TypeVar("N", np.float64, np.int64)

_UNITS_PER_SECOND = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_FORMS: tuple[tuple[str, Callable[[pa.DataType], bool]], ...] = (
    ("integer", pa.types.is_integer),
    ("float", pa.types.is_floating),
    ("decimal", pa.types.is_decimal),
    ("boolean", pa.types.is_boolean),
    ("text", lambda t: pa.types.is_string(t) or pa.types.is_large_string(t) or pa.types.is_string_view(t)),
    ("date", pa.types.is_date),
    ("timestamp", pa.types.is_timestamp),
    ("null", pa.types.is_null),
)
FAMILIES = {
    "integer": "number",
    "float": "number",
    "decimal": "number",
    "boolean": "boolean",
    "text": "text",
    "date": "date",
    "timestamp": "timestamp",
    "null": "null",
}
"""Forms of one family may be compared. Integers, floats and decimals share one: a column that gains its first null
often turns from integer to float on its way through pandas, and that alone is no change of meaning."""


def plain_type(arrow_type: pa.DataType) -> pa.DataType:
    """The type of the values: dictionary encoding and extension wrappers removed."""
    while True:
        if pa.types.is_dictionary(arrow_type):
            arrow_type = arrow_type.value_type
        elif isinstance(arrow_type, pa.BaseExtensionType):
            arrow_type = arrow_type.storage_type
        else:
            return arrow_type


def form_of(arrow_type: pa.DataType) -> str | None:
    """The plain word for what a type holds, whatever its width or encoding; None is a type drift cannot look at."""
    value = plain_type(arrow_type)
    for form, matches in _FORMS:
        if matches(value):
            return form
    return None


def is_number_list(arrow_type: pa.DataType) -> bool:
    """Whether values are lists of numbers, of one size or of any, such as embeddings."""
    value = plain_type(arrow_type)
    if not (pa.types.is_list(value) or pa.types.is_large_list(value) or pa.types.is_fixed_size_list(value)):
        return False
    return FAMILIES.get(form_of(value.value_type) or "") == "number" and not pa.types.is_dictionary(value.value_type)


def joint_form(forms: Iterable[str]) -> str | None:
    """The form of a column whose parts have these forms; None when they do not belong together."""
    known = set(forms) - {"null"}
    if len(known) <= 1:
        return known.pop() if known else "null"
    return "float" if {FAMILIES[form] for form in known} == {"number"} else None


def infer_kind(arrow_type: pa.DataType) -> Kind | None:
    """How a column is looked at when the monitor does not say.

    Numbers are numerical. Text, booleans and dictionary-encoded text are categorical; a dictionary of numbers is
    categorical too, because somebody declared it a category. Dates and timestamps are None: almost every table has a
    time column, and it moves by design every night. Listing one as numerical compares it in epoch seconds.
    Nested, binary and other types are None.
    """
    family = FAMILIES.get(form_of(arrow_type) or "")
    if family == "number" and not pa.types.is_dictionary(arrow_type):
        return "numerical"
    return "categorical" if family in ("text", "boolean", "number") else None


def is_whole(arrow_type: pa.DataType) -> bool:
    """Whether values are whole numbers by type. Bins of such columns are never narrower than 1."""
    value = plain_type(arrow_type)
    return bool(pa.types.is_integer(value) or pa.types.is_boolean(value))


def to_floats(values: pa.Array) -> FloatArray:
    """Shape (n,) array of numbers, booleans, dates or timestamps as float64, with NaN where null.

    Dates and timestamps become seconds since 1970-01-01 UTC. Integers beyond 2**53 and decimals of more than 15 digits
    are rounded to the nearest float64.
    """
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    arrow_type, scale = values.type, 1.0
    if pa.types.is_timestamp(arrow_type):
        values, scale = values.cast(pa.int64()), _UNITS_PER_SECOND[arrow_type.unit]
    elif pa.types.is_date32(arrow_type):
        values, scale = values.cast(pa.int32()), 1 / 86400
    elif pa.types.is_date64(arrow_type):
        values, scale = values.cast(pa.int64()), 1e3
    elif pa.types.is_null(arrow_type):
        return np.full(len(values), np.nan)
    floats = _buffer_of(values.cast(pa.float64(), safe=False), np.float64, np.nan)
    return floats if scale == 1.0 else floats / scale


def extremes_of(values: pa.Array) -> tuple[Any, Any] | None:
    """The smallest and the largest of an array of numbers, as Python has them; None where all are missing."""
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if isinstance(values, pa.DictionaryArray):
        values = values.dictionary_decode()
    found = pc.min_max(values).as_py()
    return None if found["min"] is None else (found["min"], found["max"])


def _buffer_of(values: pa.Array, kind: type[N], missing: float) -> npt.NDArray[N]:
    """The values, without a copy where none is null; `missing` where one is.

    Arrow's own `to_numpy` would import pandas, which costs a second and 50 MB.
    """
    count, offset = len(values), values.offset
    validity, data = values.buffers()
    if not count:
        return np.empty(0, kind)
    plain = np.frombuffer(data, kind, count, offset * 8)
    if not values.null_count:
        return plain
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), count=offset + count, bitorder="little")
    filled = plain.copy()
    np.copyto(filled, kind(missing), where=bits[offset:] == 0)  # nulls are few: faster than to choose for each value
    return filled


def canonical_key(value: object) -> Key:
    """One category label: equal values of twin types give equal keys.

    Whole floats and decimals become int, other numbers float, dates and timestamps ISO text (UTC, microseconds).
    """
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        number = float(value)
        return int(value) if math.isfinite(number) and value == int(value) else number
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return moment.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no category key for {type(value).__name__}")


def key_counts(values: pa.Array) -> Iterable[tuple[Key, int]]:
    """(key, occurrences) of the non-null values of one array; a key may come more than once."""
    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if isinstance(values, pa.DictionaryArray) and values.dictionary.null_count:
        values = values.dictionary_decode()
    labels, counts = _tally(values)
    return (
        (canonical_key(label), count)
        for label, count in zip(_plain_list(labels), counts, strict=True)
        if label is not None
    )


def _tally(values: pa.Array) -> tuple[pa.Array, list[int]]:
    """Labels that occur, and how often each does."""
    if isinstance(values, pa.DictionaryArray) and len(values.dictionary) <= len(values):
        return _tally_of_codes(values)
    tally = countable(values).value_counts()
    labels = tally.field("values")
    if isinstance(labels, pa.DictionaryArray):
        labels = labels.dictionary_decode()
    return labels, tally.field("counts").to_pylist()


def _tally_of_codes(values: pa.DictionaryArray) -> tuple[pa.Array, list[int]]:
    """Counted by their places, three times faster than by a hash of each; for dictionaries that are not the longer."""
    size = len(values.dictionary)
    places = _buffer_of(values.indices.cast(pa.int64()), np.int64, size)
    found = np.bincount(places, minlength=size + 1)[:size]
    present = np.flatnonzero(found).astype(np.int64, copy=False)
    chosen = pa.Array.from_buffers(pa.int64(), present.size, [None, pa.py_buffer(present)])  # `array` imports pandas
    return values.dictionary.take(chosen), found[present].tolist()


def countable(values: pa.Array) -> pa.Array:
    """Arrow counts half floats and small decimals only as what they are a part of."""
    if pa.types.is_float16(values.type):
        return values.cast(pa.float32())
    if pa.types.is_decimal32(values.type) or pa.types.is_decimal64(values.type):
        return values.cast(pa.decimal128(values.type.precision, values.type.scale))
    return values


def _plain_list(labels: pa.Array) -> list[object]:
    if pa.types.is_timestamp(labels.type):
        # Nanoseconds would need pandas to become Python values; a category finer than a microsecond is noise.
        zone = labels.type.tz
        micros = labels.cast(pa.timestamp("us", tz=zone), safe=False).cast(pa.int64()).to_numpy(zero_copy_only=False)
        valid = labels.is_valid().to_pylist()
        stamps = np.nan_to_num(micros).astype("datetime64[us]").astype(object)
        return [stamp if ok else None for stamp, ok in zip(stamps, valid, strict=True)]
    return list(labels.to_pylist())
