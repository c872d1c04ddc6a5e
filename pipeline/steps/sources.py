"""The snapshots of a monitor as the retrain room reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from pipeline.results import QualityResult, Snapshot, SnapshotPair
from pipeline.steps.night import Night

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.snapshots import Cache


@dataclass(frozen=True)
class Snapshots:
    """A `gather.Source` of the retrain room that validates nothing: a night is sound unless it was found not to be."""

    night: Night
    cache: Cache

    def pin(self, template: str, day: date) -> Snapshot | None:
        """What lies at a location on a day, pinned; None where there is nothing."""
        return self.night.pin_if_there(template, day, self.cache)

    def read(self, snapshot: Snapshot, columns: Sequence[str] | None = None, part: int | None = None) -> pa.Table:
        """Rows of a pinned snapshot, or of one of its objects."""
        from pipeline.snapshots import read_table

        return read_table(snapshot, self.cache, columns, part)

    def is_sound(self, day: date, production: Snapshot) -> bool:
        """Whether nothing is known against a night's production."""
        return self.found_sound(day, production) is not False

    def found_sound(self, day: date, production: Snapshot) -> bool | None:
        """As a published night found it; None without one, and where the data is no longer the same."""
        night = self.night.on(day)
        pair, quality = night.read(SnapshotPair), night.read(QualityResult)
        known = pair is not None and quality is not None and pair.production.digest == production.digest
        return quality.passed if known and quality is not None else None
