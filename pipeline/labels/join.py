"""How labels and rows come together: one contract, for the metrics of a night and for the training set alike.

- A row has the label of its id; ids are compared exactly, see `pipeline.labels.keys`.
- Entries without a label (null, NaN, blank text) or without an id are dropped first: they know nothing, and erase
  nothing. Of what is left, the last entry of an id counts, in the order of the files.
- An id that several rows have gives its label to all of them. Labels of ids that no row has are counted, and left.
- Where there are no labels beside production, each row has its own, and is without one by the same rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pipeline.labels.columns import LabelsUnusable, plain, present, type_words
from pipeline.labels.keys import alike, keys
from pipeline.wording import listed

if TYPE_CHECKING:
    import pyarrow as pa

Values = TypeVar("Values", "pa.Array", "pa.ChunkedArray")


@dataclass(frozen=True)
class Join:
    """Which label each of some rows has.

    `labels` is as long as the rows and null where a row has none. `known` counts the ids that have a label,
    `elsewhere` those of them that no row has, `replaced` entries with a label that a later one of the same id replaced,
    `empty` entries without a label or without an id.
    """

    labels: pa.ChunkedArray
    known: int = 0
    elsewhere: int = 0
    replaced: int = 0
    empty: int = 0

    @property
    def labelled(self) -> int:
        """Rows that have a label."""
        return len(self.labels) - int(self.labels.null_count)

    @property
    def unlabelled(self) -> int:
        """Rows that have none."""
        return int(self.labels.null_count)


def join(rows: pa.Table, labels: pa.Table, id_column: str | None, label: str, where: tuple[str, str]) -> Join:
    """The label of each row, by id. In time and memory linear in both; measured with five million of each.

    Args:
        rows: with the id.
        labels: with the id and the label.
        id_column: the name of the id in both.
        label: the name of the label.
        where: what rows and labels are, and where they lie, for messages.

    Raises:
        LabelsUnusable: a column is not there, or the ids do not meet.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if id_column is None:
        raise LabelsUnusable(f"columns.id of the monitor file names no id, by which {where[1]} could be joined")
    for table, column, place in ((rows, id_column, where[0]), (labels, id_column, where[1]), (labels, label, where[1])):
        require_column(table, column, place)
    type_of_ids, entries, has_label = type_words(labels[id_column]), len(labels), present(labels[label])
    outcomes = _where(labels[label], has_label)
    told = keys(_where(plain(labels[id_column]), has_label), id_column, where[1], type_of_ids)
    del labels, has_label  # each of these is as long as a night
    wanted, known = alike(keys(rows[id_column], id_column, where[0]), told)
    del told, rows
    has_id = pc.is_valid(known)
    outcomes, known = _where(outcomes, has_id), _where(known, has_id)
    # The entries are looked up as well as the rows: one table of hashes tells which of them count.
    at = pc.index_in(pa.chunked_array([wanted, known], type=known.type), value_set=known, skip_nulls=True)
    many = len(wanted)
    del wanted, known
    pa.default_memory_pool().release_unused()  # that table is several times what is left, and others need the memory
    first = at.slice(many).to_numpy()
    last = np.empty(len(first), dtype=np.int64)
    last[first] = np.arange(len(first))  # of equal ids the last one is assigned
    met, sought = np.zeros(len(first), dtype=bool), at.slice(0, many)
    met[sought.drop_null()] = True
    different = int((first == np.arange(len(first))).sum())
    return Join(
        labels=outcomes.take(pa.chunked_array([pa.array(last)]).take(sought)),
        known=different,
        elsewhere=different - int(met.sum()),
        replaced=len(first) - different,
        empty=entries - len(first),
    )


def _where(values: Values, mask: pa.Array | pa.ChunkedArray) -> Values:
    """Those of some values; all of them are not copied."""
    import pyarrow.compute as pc

    return values if pc.all(mask).as_py() is not False else values.filter(mask)


def own(rows: pa.Table, label: str) -> Join:
    """The label that each row has itself; null where it is missing, and in all rows where there is no such column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if label not in rows.column_names:
        return Join(pa.chunked_array([pa.nulls(len(rows))]))
    there = present(rows[label])
    labels = pc.if_else(there, rows[label], pa.scalar(None, rows[label].type))
    return Join(labels, empty=int(labels.null_count))


def labelled(rows: pa.Table, joined: Join, label: str) -> pa.Table:
    """The rows that have a label, with it under its name as the last column."""
    import pyarrow.compute as pc

    others = rows.drop_columns([label]) if label in rows.column_names else rows
    return others.append_column(label, joined.labels).filter(pc.is_valid(joined.labels))


def require_column(table: pa.Table, column: str, where: str) -> None:
    """Make sure that a column is there.

    Raises:
        LabelsUnusable: it is not; the message names the ones that are.
    """
    if column not in table.column_names:
        raise LabelsUnusable(f"{where} has no column {column!r}, only {listed(table.column_names)}")
