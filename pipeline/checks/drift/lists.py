"""Columns of lists of numbers, which have no score of their own: what the reason says of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pipeline.checks.scan import is_number_list, open_table
from pipeline.results import ColumnDrift

_LOOKED_AT = "the column holds lists of numbers, which are looked at as a whole under drift.together"
_COULD_BE = (
    "the column holds lists of numbers, which are looked at as a whole where the monitor file has "
    "drift: {together: {per_nights: 365}}"
)


def lists_told(
    columns: Sequence[ColumnDrift], reference: Sequence[str], aside: Collection[str], *, together: bool
) -> tuple[ColumnDrift, ...]:
    """The columns; the reason of those that are lists of numbers says where they are looked at.

    Args:
        columns: as they were compared.
        reference: local parquet files of the reference.
        aside: columns that nobody looks at.
        together: whether the monitor asks for it.

    Raises:
        SnapshotUnreadable: a file is gone, or not parquet.
    """
    if all(item.status == "evaluated" for item in columns):
        return tuple(columns)
    table, reason = open_table(reference), _LOOKED_AT if together else _COULD_BE

    def told(item: ColumnDrift) -> ColumnDrift:
        lists = item.status != "evaluated" and item.failure is None and item.name not in aside
        lists = lists and any(map(is_number_list, table.types_of(item.name)))
        return item.model_copy(update={"reason": reason}) if lists else item

    return tuple(map(told, columns))
