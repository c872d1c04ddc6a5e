"""Ids as keys that can be compared: exact, of one kind, and never floats.

Whole numbers of every type are one kind, text of every type is one, and so on. Kinds do not meet: 5 and "5" may or may
not be the same customer, and whoever guesses wrong measures nonsense.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.labels.columns import LabelsUnusable, plain, type_words

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["whole numbers", "text", "bytes", "booleans", "days and times", "moments", "times of day", "nothing"]

_LARGEST_EXACT = 2**53  # beyond it not every whole number is a float64


@dataclass(frozen=True)
class Keys:
    """The ids of some rows, null where there is none.

    `name` and `type` are those of the column, `where` says which rows these are, such as `production`. Keys of one kind
    have arrays of one type but for whole numbers beyond int64, and times to the nanosecond: see `alike`.
    """

    name: str
    type: str
    where: str
    kind: Kind
    values: pa.Array

    @property
    def words(self) -> str:
        """`customer_id is int64 in production`."""
        return f"{self.name} is {self.type} in {self.where}"


def keys(column: pa.ChunkedArray, name: str, where: str, written: str | None = None) -> Keys:
    """A column of ids as keys.

    Args:
        column: the ids, as they were read.
        name: of the column.
        where: which rows these are, for messages.
        written: the type that the column was written as, where it is no longer that.

    Raises:
        LabelsUnusable: it is of a type that cannot tell rows apart, such as fractions or lists.
    """
    kind_words = written or type_words(column)
    kind, values = _canonical(column, f"{name} is {kind_words} in {where}")
    return Keys(name, kind_words, where, kind, values.combine_chunks())


def alike(first: Keys, second: Keys) -> tuple[pa.Array, pa.Array]:
    """Both columns of keys as arrays of one type.

    Raises:
        LabelsUnusable: their kinds do not meet; the message names both types.
    """
    import pyarrow as pa

    if "nothing" in (first.kind, second.kind):  # a column of nulls has no kind, and no row of it is told
        kind = second.values.type if first.kind == "nothing" else first.values.type
        return tuple(
            pa.nulls(len(one.values), kind) if one.kind == "nothing" else one.values for one in (first, second)
        )
    if first.kind != second.kind:
        raise LabelsUnusable(
            f"{first.words} and {second.type} in {second.where}, so no row can be told by it: write the ids as one type"
        )
    if first.values.type == second.values.type:
        return first.values, second.values
    wider = pa.decimal128(38, 0) if first.kind == "whole numbers" else _finer(first.values.type, second.values.type)
    try:
        return first.values.cast(wider), second.values.cast(wider)
    except pa.ArrowInvalid as error:
        raise LabelsUnusable(
            f"{first.words} and {second.type} in {second.where}, and not all values fit into one of them: "
            "write the ids as one type"
        ) from error


def _finer(first: pa.DataType, second: pa.DataType) -> pa.DataType:
    return first if first.unit == "ns" else second


def _canonical(column: pa.ChunkedArray, words: str) -> tuple[Kind, pa.ChunkedArray]:
    import pyarrow as pa

    values, types = plain(column), pa.types
    kind = values.type
    as_they_are: list[tuple[Callable[[pa.DataType], bool], Kind]] = [
        (types.is_null, "nothing"),
        (types.is_boolean, "booleans"),
        (types.is_large_string, "text"),
        (types.is_large_binary, "bytes"),
    ]
    for is_one, name in as_they_are:
        if is_one(kind):
            return name, values
    if types.is_integer(kind) or types.is_decimal(kind) or types.is_floating(kind):
        return "whole numbers", _whole(values, words)
    if types.is_date(kind) or types.is_timestamp(kind):
        return _moments(values, words)
    if types.is_time(kind):
        return "times of day", values.cast(pa.time64("ns"))
    raise LabelsUnusable(f"{words}, which cannot tell rows apart: columns.id needs whole numbers or text")


def _whole(values: pa.ChunkedArray, words: str) -> pa.ChunkedArray:
    """As int64; as decimals where a number does not fit."""
    import pyarrow as pa

    if pa.types.is_floating(values.type):
        values = _exact_floats(values, words)
    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        pass
    try:
        return values.cast(pa.decimal128(38, 0))
    except pa.ArrowInvalid as error:
        raise LabelsUnusable(
            f"{words}, and not all of them are whole numbers of at most 38 digits: write the ids as whole numbers or "
            "text"
        ) from error


def _exact_floats(values: pa.ChunkedArray, words: str) -> pa.ChunkedArray:
    """Floats that are whole and exact, NaN as null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    wide = values.cast(pa.float64())
    wide = pc.if_else(pc.is_nan(wide), pa.scalar(None, pa.float64()), wide)
    # A float32 is exact to 2**24 only, and a longer id was rounded before it was written.
    largest = 2**24 if values.type == pa.float32() else _LARGEST_EXACT
    sound = pc.and_(pc.equal(wide, pc.floor(wide)), pc.less(pc.abs(wide), float(largest)))
    if pc.all(sound).as_py() is False:
        raise LabelsUnusable(
            f"{words}, with values that no float holds exactly or that are not whole: "
            "write the ids as whole numbers or text"
        )
    return wide


def _moments(values: pa.ChunkedArray, words: str) -> tuple[Kind, pa.ChunkedArray]:
    """To the microsecond, or to the nanosecond where that loses something; those with a time zone in UTC.

    A day is its midnight. With a time zone and without are two kinds: which one was meant, nobody says.
    """
    import pyarrow as pa

    zone = "UTC" if pa.types.is_timestamp(values.type) and values.type.tz is not None else None
    kind: Kind = "moments" if zone else "days and times"
    for unit in ("us", "ns"):
        try:
            return kind, values.cast(pa.timestamp(unit, zone))
        except pa.ArrowInvalid:
            continue
    raise LabelsUnusable(f"{words}, with moments out of all range: write the ids as whole numbers or text")
