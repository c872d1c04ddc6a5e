"""What is measured: rows with their labels, and how to call them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.labels.columns import type_words
from pipeline.results import Estimate

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.metrics.counts import Counts

_OF_POSITIVE = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Rows:
    """Rows of a night or of the reference. `labels` and `answers` say where the labels and the rest come from.

    They are addresses, or words such as `the reference`: reasons name them, so that somebody finds the file.
    """

    table: pa.Table
    labels: str
    answers: str

    def has(self, column: str | None) -> bool:
        """Whether a column is configured, and there."""
        return column is not None and column in self.table.column_names

    def held(self, label: str, answer: str | None = None) -> str:
        """What the columns hold, without a value: `y is int64 in labels/, p is string in production/`.

        Fields of a structure are not named: they are classes, which may be private.
        """
        parts = [(label, self.labels), *([] if answer is None else [(answer, self.answers)])]
        words = [f"{name} is {_type_words(self.table[name])} in {place}" for name, place in parts if self.has(name)]
        return ", ".join(words)


def _type_words(column: pa.ChunkedArray) -> str:
    import pyarrow as pa

    return "struct" if pa.types.is_struct(column.type) else type_words(column)


def metrics_of(counts: Counts) -> dict[str, Estimate]:
    """Every metric that the rows allow, in the order of `METRICS`.

    Without a positive class precision, recall and F1 are told as means over the classes alone, under names that say so.
    """
    from pipeline.metrics.measure import measure

    untold = _OF_POSITIVE if counts.positive is None else ()
    return {name: found for name, found in measure(counts).items() if name not in untold}


@dataclass(frozen=True)
class Counted:
    """What metrics are made of, and what is to be said of the rows.

    `threshold`: the score from which the positive class was predicted, see `pipeline.metrics.threshold`.
    """

    counts: Counts
    notes: Sequence[str] = ()
    threshold: float | None = None
