"""Columns of labels, predictions and ids as Arrow has them: what they hold, whichever way they are stored.

Not through pandas: there, whole numbers with a gap become floats, and long ones lose their last digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


class LabelsUnusable(Exception):
    """The columns cannot be used as what they are said to be; the message is a sentence for people, without a value.

    It becomes the reason of a result, and never ends a night.
    """


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values without the way they are stored: no dictionary, no run lengths, no views, no type of an extension.

    Text becomes large_string and bytes large_binary, so that no column is too long for one array; half floats and small
    decimals what they are a part of, as Arrow neither counts nor encodes them.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        stored = plain(_chunked([chunk.storage for chunk in column.chunks], kind.storage_type))
        return stored.cast(pa.bool_()) if kind.extension_name == "arrow.bool8" else stored
    if pa.types.is_dictionary(kind):
        return plain(_chunked([chunk.dictionary_decode() for chunk in column.chunks], kind.value_type))
    if pa.types.is_run_end_encoded(kind):
        return plain(_chunked([pc.run_end_decode(chunk) for chunk in column.chunks], kind.value_type))
    return column.cast(_wide(kind))


def _wide(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if pa.types.is_string(kind) or pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary(kind) or pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.large_binary()
    if pa.types.is_decimal32(kind) or pa.types.is_decimal64(kind):
        return pa.decimal128(kind.precision, kind.scale)
    return pa.float32() if pa.types.is_float16(kind) else kind


def present(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether there is a value, row by row: null is none, nor is NaN, nor a text of nothing but blanks."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = plain(column)
    there = pc.invert(pc.is_null(values, nan_is_null=True))
    if pa.types.is_large_string(values.type):
        there = pc.and_(there, pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(values), ""), False))
    return there


def type_words(column: pa.ChunkedArray) -> str:
    """The type as people know it from their files: `int64`, `string`, `decimal128(10, 2)`, `string categories`."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        return f"{column.type.value_type} categories"
    return str(column.type)


def _chunked(chunks: list[pa.Array], kind: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa

    return pa.chunked_array(chunks, type=kind)
