"""What is kept of a night's columns, so that it can be asked again later without its rows."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from pipeline.results.base import Kept, Number, Result
from pipeline.results.drift import Kind

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PROFILE_QUANTILES = 40
"""Numbers are counted between the reference's quantiles at 1/40, 2/40, ..."""


class SideProfile(Result):
    """One column of one snapshot, in numbers that add up.

    `cells` counts the non-missing rows: of numbers, one cell more than the profile has edges, cell i being
    (edges[i-1], edges[i]]; of categories, one for each named category and one for all others. `mean`, `deviation`
    (population), `low` and `high` are of the finite numbers, and are not kept of private columns, as in small nights
    they are values of rows; `distinct` counts categories.
    """

    rows: int
    missing: int
    cells: tuple[int, ...]
    mean: Number | None = None
    deviation: Number | None = None
    low: Number | None = None
    high: Number | None = None
    distinct: int | None = None

    @cached_property
    def counts(self) -> npt.NDArray[np.float64]:
        """Rows in each cell, shape (k,), the missing ones last; many nights ask for it."""
        import numpy as np

        return np.array([*self.cells, self.missing], np.float64)


class Pieces(Result):
    """How much the reference varies from piece to piece, each as long as a night: `count` pieces, and by view (see
    `ColumnDrift.method`) the mean squared distance of a piece from the others, beyond what chance makes of its rows,
    and the part of it along the way that they differ most, where that is not all.
    """

    count: int
    variation: dict[str, Number]
    lead: dict[str, Number] = Field(default_factory=dict)


class ColumnProfile(Result):
    """One column of a night beside its reference, counted in the same cells.

    Of numbers, `edges` are quantiles of the reference, ascending and distinct; a private column keeps none. Of
    categories, `categories` are the most frequent of the reference as they may be shown; of a private column they are
    numbered. `pieces`: None where the reference is too short to be cut into pieces.
    """

    name: str
    kind: Kind
    edges: tuple[Number, ...] = ()
    categories: tuple[str, ...] = ()
    reference: SideProfile
    production: SideProfile
    pieces: Pieces | None = None

    @cached_property
    def laid(self) -> tuple[str, int, int, int]:
        """What cells it has: under one reference two nights of a column add up where this is the same, as the reference
        alone says where they lie; what they are can change with the monitor file.
        """
        return self.kind, len(self.edges), len(self.categories), len(self.production.cells)


class NightProfile(Kept):
    """Every column of a night that can be counted. Nights of the same `reference` (a snapshot's digest) have the same
    cells, and add up. `drifted` names the columns that were found to have drifted, expected or not, on a budget of
    alarms by what they were held against, such as `reference` or `trailing 28`; `version` says how it was made.
    """

    file: ClassVar[str] = "profile"

    snapshots: str
    reference: str
    columns: tuple[ColumnProfile, ...]
    drifted: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    version: int = 1

    def to_json(self) -> bytes:
        """Strict JSON on one line a column: there are many numbers, and many nights."""
        columns = [column.model_dump_json(exclude_defaults=True) for column in self.columns]
        rest = self.model_dump(mode="json", exclude={"columns"})
        head = json.dumps(rest, allow_nan=False, ensure_ascii=False)[:-1]
        return (head + ', "columns": [\n' + ",\n".join(columns) + "\n]}\n").encode()

    @cached_property
    def by_name(self) -> dict[str, ColumnProfile]:
        """The columns by their names."""
        return {column.name: column for column in self.columns}
