"""The reference's side of columns: read, or as it was kept on another night with the same reference."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.checks.profile.cells import places_of
from pipeline.checks.scan import IntArray, Kept, Shelf, Summary, Table, is_exact, keep, read_kept
from pipeline.results import Kind


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The reference of a night. `rows`: those of its pieces, shape (pieces, n). `shelf`: where its columns are kept, if
    they are. `sorted`: whether numerical columns are held sorted; the summary of a longer one depends on production.
    """

    table: Table
    rows: IntArray
    shelf: Shelf | None
    sorted: bool

    def kept(self, name: str, kind: Kind) -> Kept | None:
        """A column as it was kept; None where it has to be read."""
        shelf = self._shelf(kind)
        return None if shelf is None else read_kept(shelf, self.table, name, kind, self.rows)

    def picking(self) -> Table:
        """The files, to read a column from them."""
        return self.table.picking(self.rows.ravel()) if self.rows.size else self.table

    def keep(self, found: Summary, kind: Kind) -> None:
        """Keep a column that was read. Which rows its pieces are depends on production, so that where it has any, the
        cells of all rows are kept; for these it is read a second time, as its values are sorted by now.
        """
        shelf = self._shelf(kind)
        if shelf is not None and is_exact(found):
            batches = self.table.batches(found.name) if self.rows.size else ()
            keep(shelf, found, kind, places_of(found, batches))

    def _shelf(self, kind: Kind) -> Shelf | None:
        return self.shelf if self.sorted or kind == "categorical" else None
