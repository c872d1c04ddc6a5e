"""The summary of a column as a file, so that a snapshot that did not change is neither decoded nor sorted again.

A file starts with `_MAGIC` and the length of its header, eight bytes each. After the header, in JSON, come the sorted
values as float64 and, where they are wanted, the cell of each row, in order, as a signed byte. All numbers are
little-endian. Nothing depends on a library's own format, and reading gives back every bit of what was written.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from io import FileIO
from pathlib import Path
from typing import Any, Protocol, TypeGuard

import numpy as np

import pipeline
from pipeline.checks.scan.summary import CategoricalSummary, Moments, NumericalSummary, Presence, SortedValues, Summary
from pipeline.checks.scan.table import Table
from pipeline.checks.scan.types import FloatArray, IntArray
from pipeline.errors import named
from pipeline.results import Kind

log = logging.getLogger(__name__)

_VERSION = 1  # of the file; and of what a scan makes of a column, which a new version of Nightjar may change
_MAGIC = b"NJKEPT\r\n"
_START = 16


class Shelf(Protocol):
    """Where files are kept of one snapshot; see `pipeline.snapshots.shelf`."""

    def open(self, what: str) -> FileIO | None:
        """A file as it was written; None where it is not here."""

    def keep(self, what: str, write: Callable[[Path], object]) -> None:
        """Have a file written and keep it, all of it or nothing."""

    def drop(self, what: str) -> None:
        """Remove a file."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What was kept of a column: its summary, and the cells of those of its rows that were asked for, shape (n,)."""

    summary: NumericalSummary | CategoricalSummary
    places: IntArray


def read_kept(shelf: Shelf, table: Table, name: str, kind: Kind, rows: IntArray) -> Kept | None:
    """What is kept of a column; None where nothing is.

    What is not what was written, or not all that is asked for, is removed, so that what is read instead can be kept.

    Args:
        shelf: of the snapshot.
        table: the same.
        name: of the column.
        kind: how it was looked at.
        rows: whose cells are asked for, shape (pieces, n), ascending.
    """
    what = _named(name, kind)
    stream = shelf.open(what)
    if stream is None:
        return None
    try:
        with stream:
            found = _Reader(stream, what, table, name).read(rows)
    except (OSError, ValueError, TypeError, KeyError) as error:
        log.warning("a kept column of the reference is not what was written, and is read again: %s", named(error))
        found = None
    if found is None:
        shelf.drop(what)
    return found


def keep(
    shelf: Shelf, summary: NumericalSummary | CategoricalSummary, kind: Kind, places: Iterable[IntArray] = ()
) -> None:
    """Keep what a scan found.

    Args:
        shelf: of the snapshot.
        summary: exact, as `scan` gives it.
        kind: how the column was looked at.
        places: the cell of each row, in order, -1 where it has none; or nothing.
    """
    what = _named(summary.name, kind)
    values = _values_of(summary)
    header = {
        "what": what,
        "presence": astuple(summary.presence),
        "values": values.size,
        "moments": _written(summary.moments) if isinstance(summary, NumericalSummary) else None,
        "counts": list(summary.counts.items()) if isinstance(summary, CategoricalSummary) else None,
    }

    def write(path: Path) -> None:
        with open(path, "wb") as file:
            said = json.dumps(header, allow_nan=False).encode()
            file.write(_MAGIC + len(said).to_bytes(8, "little") + said)
            file.write(values.astype("<f8", copy=False).data)
            file.writelines(part.astype(np.int8).data for part in places)

    shelf.keep(what, write)


def is_exact(summary: Summary) -> TypeGuard[NumericalSummary | CategoricalSummary]:
    """Whether a summary holds every value, so that it can be kept."""
    return isinstance(summary, CategoricalSummary) or (isinstance(summary, NumericalSummary) and summary.exact)


def _named(name: str, kind: Kind) -> str:
    return repr((_VERSION, pipeline.__version__, kind, name))


def _values_of(summary: NumericalSummary | CategoricalSummary) -> FloatArray:
    held = summary.distribution if isinstance(summary, NumericalSummary) else None
    return held.values if isinstance(held, SortedValues) else np.empty(0)


def _written(moments: Moments) -> list[Any]:
    return [moments.count, *(number.hex() for number in astuple(moments)[1:])]


class _Reader:
    """One kept file. Its methods raise what a file raises that is not what was written."""

    def __init__(self, stream: FileIO, what: str, table: Table, name: str) -> None:
        self._stream = stream
        self._table = table
        self._name = name
        size = os.fstat(stream.fileno()).st_size
        start = self._at(0, _START)
        length = int.from_bytes(start[len(_MAGIC) :], "little")
        if start[: len(_MAGIC)] != _MAGIC or length > size:
            raise ValueError("it starts as another file")
        self._header = json.loads(self._at(_START, length))
        self._values_at = _START + length
        self._cells_at = self._values_at + 8 * self._header["values"]
        self._has_cells = size > self._cells_at
        if self._header["what"] != what or size != self._cells_at + table.rows * self._has_cells:
            raise ValueError("it is of something else, or not all of it")

    def read(self, rows: IntArray) -> Kept | None:
        if rows.size and not self._has_cells:
            return None
        return Kept(self._summary(), self._places(rows))

    def _summary(self) -> NumericalSummary | CategoricalSummary:
        presence, form = Presence(*self._header["presence"]), self._table.form_of(self._name) or "null"
        if self._header["counts"] is not None:
            return CategoricalSummary(self._name, form, presence, dict(self._header["counts"]))
        count, *numbers = self._header["moments"]
        moments, values = Moments(count, *map(float.fromhex, numbers)), self._values()
        if values.size and (moments.count, moments.low, moments.high) != (values.size, values[0], values[-1]):
            raise ValueError("its values are not those that its header tells of")
        whole = self._table.is_whole(self._name) and not presence.missing
        return NumericalSummary(self._name, form, presence, moments, SortedValues(values), whole=whole)

    def _values(self) -> FloatArray:
        values = np.empty(self._header["values"], "<f8")
        if values.size:
            self._fill(self._values_at, values.data.cast("B"))
        return values.astype(np.float64, copy=False)

    def _places(self, rows: IntArray) -> IntArray:
        """A piece at a time, so that no more is held than a night has rows."""
        found = [np.empty(0, np.int8)]
        for piece in rows:
            first = int(piece[0])
            cells = self._at(self._cells_at + first, int(piece[-1]) - first + 1)
            found.append(np.frombuffer(cells, np.int8)[piece - first])
        return np.concatenate(found).astype(np.int64)

    def _at(self, place: int, length: int) -> bytearray:
        content = bytearray(length)
        self._fill(place, memoryview(content))
        return content

    def _fill(self, place: int, target: memoryview) -> None:
        self._stream.seek(place)
        while target.nbytes:
            got = self._stream.readinto(target)
            if not got:
                raise ValueError("it is cut off")
            target = target[got:]
