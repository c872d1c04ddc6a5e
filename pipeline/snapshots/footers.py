"""What a parquet file says of itself before a row is read: whether its counts can be true.

A footer is a claim. Readers allocate by it and results repeat it, so that a few changed bytes would be a terabyte of
memory, or a healthy night of one row.
"""

from __future__ import annotations

from itertools import islice
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import SnapshotUnreadable
from pipeline.snapshots.listed import Listed
from pipeline.snapshots.page_headers import NotReadable, values_of_pages
from pipeline.wording import count, size

if TYPE_CHECKING:
    import pyarrow.parquet as pq

# Some seconds of looking: pages usually hold 20,000 rows, so that this is 4 billion values.
_MOST_PAGES = 200_000
# A page of a column without any information takes some 20 bytes for its header, and holds 20,000 rows as usual writers
# write it: 1,000 for a byte. Files of several columns are far from it.
_MOST_PER_BYTE = 1_000
_DEEPEST = 100  # readers walk a type once for every level and more


def require_true_counts(footer: pq.FileMetaData, listed: Listed) -> None:
    """Compare the rows of a file, of its row groups and of their columns, and with what fits into so many bytes.

    Raises:
        SnapshotUnreadable: they disagree, or there are more than the file can hold; or values are nested too deep.
    """
    columns = [footer.schema.column(place) for place in range(footer.num_columns)]
    if max((column.max_repetition_level for column in columns), default=0) > _DEEPEST:
        raise SnapshotUnreadable(f"{listed.uri}: a column is nested more than {count(_DEEPEST, 'level')} deep")
    groups = [footer.row_group(place) for place in range(footer.num_row_groups)]
    rows = sum(group.num_rows for group in groups)
    if rows != footer.num_rows or any(group.num_rows < 0 for group in groups):
        raise _untrue(listed, f"it says {count(footer.num_rows, 'row')}, its row groups {count(rows)}")
    flat = [column.max_repetition_level == 0 for column in columns]
    for group in groups:
        for place, one_each in enumerate(flat):
            chunk = group.column(place)
            if chunk.num_values != group.num_rows if one_each else chunk.num_values < group.num_rows:
                words = f"a row group says {count(group.num_rows, 'row')}, a column in it {count(chunk.num_values)}"
                raise _untrue(listed, words)
            if chunk.num_values > _MOST_PER_BYTE * listed.size:
                words = f"{count(chunk.num_values, 'value')} of a column cannot be in {size(listed.size)}"
                raise _untrue(listed, words)


def require_true_pages(footer: pq.FileMetaData, listed: Listed, path: Path) -> None:
    """Compare the values of each column in each row group with those that its pages hold: where all of a footer says
    fewer rows than there are, readers would never come to the others.

    Of a file of very many pages the first ones are looked at, see `_MOST_PAGES`.

    Args:
        footer: of the file.
        listed: the same, as it was listed.
        path: where its bytes lie.

    Raises:
        SnapshotUnreadable: they disagree.
    """
    if not footer.num_row_groups or not footer.num_columns:
        return
    left = _MOST_PAGES
    with open(path, "rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
        for place in range(footer.num_columns):
            for group in range(footer.num_row_groups):
                chunk = footer.row_group(group).column(place)
                held, pages = _held(chunk, content, left)
                left -= pages
                if held is not None and held != chunk.num_values:
                    words = f"it says {count(chunk.num_values, 'value')} of a column, its pages hold {count(held)}"
                    raise _untrue(listed, words)
                if left <= 0:
                    return


def _held(chunk: pq.ColumnChunkMetaData, content: mmap, most: int) -> tuple[int | None, int]:
    """How many values the pages of a column hold in a row group, and how many pages were looked at; None where there
    are more pages than may be looked at, or they cannot be read, which whoever reads the column tells.
    """
    first = chunk.dictionary_page_offset if chunk.has_dictionary_page else None
    start = min(chunk.data_page_offset, first) if first else chunk.data_page_offset
    pages = values_of_pages(content, start, start + chunk.total_compressed_size)
    try:
        found = list(islice(pages, most))
    except NotReadable:
        return None, 1
    return sum(found) if len(found) < most else None, len(found) + 1


def _untrue(listed: Listed, words: str) -> SnapshotUnreadable:
    return SnapshotUnreadable(f"{listed.uri}: its footer is not true: {words}; it is damaged: write it again")
