"""Columns of a model's inputs as the numbers that scikit-learn's gradient boosting reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.checks.performance.labelled_rows import Rows
from pipeline.config import ColumnRoles
from pipeline.labels.classes import Class, canonical
from pipeline.labels.columns import LabelsUnusable, plain, present
from pipeline.labels.numbers import numbers

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.checks.performance.estimated.expected import Floats

_MOST_CATEGORIES = 200  # histograms have 255 bins, one of them for what is missing


@dataclass(frozen=True)
class Features:
    """Names of the columns that the monitor compares; those that the model wrote, id and label are left out."""

    numerical: Sequence[str] = ()
    categorical: Sequence[str] = ()

    def without(self, roles: ColumnRoles) -> Features:
        """Without what is no input of the model."""
        no_input = {roles.id, roles.label, roles.model_version, *roles.answers}
        return Features(
            [name for name in self.numerical if name not in no_input],
            [name for name in self.categorical if name not in no_input],
        )

    @property
    def names(self) -> list[str]:
        """All of them."""
        return [*self.numerical, *self.categorical]


@dataclass(frozen=True)
class Encoder:
    """Columns as numbers, as the reference has them: of each category its place, all that is rare in one."""

    numerical: tuple[str, ...] = ()
    categories: dict[str, dict[Class, int]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in the order of `matrix`."""
        return (*self.numerical, *self.categories)

    @property
    def categorical(self) -> list[bool]:
        """Which of them are categories."""
        return [*[False] * len(self.numerical), *[True] * len(self.categories)]

    def readable(self, rows: Rows) -> Encoder:
        """Of those columns that some rows have, and that can be read in them."""
        there = [name for name in self.names if _reads(self, rows, name)]
        return Encoder(
            tuple(name for name in self.numerical if name in there),
            {name: known for name, known in self.categories.items() if name in there},
        )

    def matrix(self, rows: Rows) -> Floats:
        """A line for each row, a column for each feature; NaN for what is missing, infinite, or cannot be read."""
        import numpy as np

        found = np.full((len(rows.table), len(self.names)), np.nan)
        for place, name in enumerate(self.names):
            if _reads(self, rows, name):
                found[:, place] = self.column(rows, name)
        return found

    def column(self, rows: Rows, name: str) -> Floats:
        """One feature.

        Raises:
            LabelsUnusable: it cannot be read.
        """
        import numpy as np

        values = rows.table[name]
        if name in self.categories:
            return _codes(values, name, self.categories[name])
        found = numbers(values, name)
        return np.where(np.isfinite(found), found, np.nan)


def encoder(reference: Rows, features: Features) -> Encoder:
    """Learnt from the reference: those of the columns that it has, and that can be read."""
    categories = {name: _known(reference.table[name]) for name in features.categorical if reference.has(name)}
    wanted = Encoder(tuple(name for name in features.numerical if reference.has(name)), categories)
    return wanted.readable(reference)


def _reads(encoder: Encoder, rows: Rows, name: str) -> bool:
    if not rows.has(name):
        return False
    try:
        encoder.column(Rows(rows.table.slice(0, 0), rows.labels, rows.answers), name)
        encoder.column(rows, name)
    except LabelsUnusable:
        return False
    return True


def _known(column: pa.ChunkedArray) -> dict[Class, int]:
    """The most frequent categories, each with a place."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = plain(column)
    if pa.types.is_nested(values.type):
        return {}
    counted = pc.value_counts(values.filter(present(values))).to_pylist()
    often = sorted(counted, key=lambda item: (-item["counts"], str(item["values"])))
    return {value: place for place, value in enumerate(_canonical(item["values"] for item in often))}


def _canonical(values: Iterable[object]) -> list[Class]:
    return list(dict.fromkeys(map(canonical, values)))[:_MOST_CATEGORIES]


def _codes(column: pa.ChunkedArray, name: str, known: dict[Class, int]) -> Floats:
    import numpy as np
    import pyarrow as pa

    values = plain(column)
    if pa.types.is_nested(values.type):
        raise LabelsUnusable(f"{name} holds no categories")
    if pa.types.is_null(values.type):  # Arrow has no dictionary of nothing
        values = values.cast(pa.large_string())
    encoded = values.dictionary_encode().combine_chunks()
    rare = len(known)
    places = [
        np.nan if value is None else known.get(canonical(value), rare) for value in encoded.dictionary.to_pylist()
    ]
    codes = np.array([*places, np.nan], dtype=np.float64)
    found = codes[encoded.indices.fill_null(len(places)).to_numpy(zero_copy_only=False)]
    return np.where(present(values).to_numpy(), found, np.nan)
