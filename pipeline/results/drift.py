"""Every compared column of a night, and the share of them that drifted."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from pipeline.results.base import Failure, Kept, Number, Result

Kind = Literal["numerical", "categorical"]
Direction = Literal["distance", "p_value"]
FEWEST_VALUES = 10
"""With fewer in production, a column is past a fixed threshold where chance would hardly ever bring it so far."""


class Shape(Result):
    """A column before and after, as fractions of the non-missing rows, for small charts.

    Numerical: `edges` has one value more than `reference` and `production`; the outermost bars also hold everything
    beyond them, so that a few extreme values do not squeeze all others into one bar; a private column's are not kept.
    Categorical: `categories` has as many, the most frequent first, and may end with one entry that stands for all
    others; those of a private column are numbered.
    """

    edges: tuple[Number, ...] = ()
    categories: tuple[str, ...] = ()
    reference: tuple[Number, ...]
    production: tuple[Number, ...]


class CategoryShare(Result):
    """A category that only one side has: its label, safe to show, and its fraction of that side's non-missing rows."""

    label: str
    share: Number


class ColumnDrift(Result):
    """One column compared with the reference.

    `score` is a distance (high means drift) or a p-value (low means drift), as `direction` says; `threshold` is in
    the same unit; `error_bound` is how far the score may be from the exact one. `status` is `not_evaluable` when there
    is no score, and then `reason` says why; for a drifted column `reason` says what changed. `flags` are findings that
    the score cannot see, such as a surge of missing values; missing shares are fractions of all rows in [0, 1].
    `importance` is how much the champion relies on the column, as a fraction of all it relies on, where that is known.

    `new_categories` are the largest of those that only production has, `vanished_categories` those that only the
    reference has; the counts beside them are of all. No value of a private column is listed. `changed_type` says from
    what to what the column's type changed, such as `integer to text`.

    On a budget of alarms (`DriftResult.alarms`) `method` is the view of the column that is rarest tonight: `quantiles`
    (rows below each quantile of the reference), `shares` (rows in each cell or category) or `missing`; score and
    threshold are distances in that view. `chance` is how often a quiet night is at least this far, as a fraction of
    nights in (0, 1], and `usual` the distance that nineteen of twenty quiet nights keep within. Otherwise `chance` is
    how often the fixed threshold is passed by chance, on as many rows as tonight's in which nothing changed; None where
    nobody knows.

    `few`: how many values production has, where a fixed threshold cannot tell that handful from chance; such a column
    is not evaluable.

    `expected` says why people expect the change, and until when, such as `price change, until 2026-02-14`; such a
    column is past its threshold, decides nothing, and is not called drifted. None for any other.
    """

    name: str
    kind: Kind
    method: str | None
    direction: Direction | None = None
    score: Number | None
    threshold: Number | None
    drifted: bool
    status: Literal["evaluated", "not_evaluable"]
    reason: str | None = None
    error_bound: Number = 0.0
    missing_reference_share: Number | None = None
    missing_production_share: Number | None = None
    flags: tuple[str, ...] = ()
    shape: Shape | None = None
    importance: Number | None = None
    new_categories: tuple[CategoryShare, ...] = ()
    new_category_count: int = 0
    vanished_categories: tuple[CategoryShare, ...] = ()
    vanished_category_count: int = 0
    changed_type: str | None = None
    failure: Failure | None = None
    chance: Number | None = None
    usual: Number | None = None
    expected: str | None = None
    few: int | None = None


class Comparison(Result):
    """A night held against one thing: what, in words, how rare tonight is beside it (see `NightAlarms.chance`), and
    the columns that drifted from it, the rarest first.
    """

    against: str
    chance: Number
    drifted: tuple[str, ...] = ()


class NightAlarms(Result):
    """A night judged on a budget: at most one false alarm in `per_nights` quiet nights.

    `chance` is how often a quiet night has columns as rare as tonight's, as a fraction of nights in (0, 1]; at
    1 / `per_nights` or below it, columns drifted. `nights` are the past nights that say what is usual; `rows` are those
    of the `window` last nights, tonight's among them, that were looked at together. `too_few_rows`: a change of a whole
    standard deviation would not be told from chance in enough columns, and nothing was found; `rows_needed` is from how
    many on it would, where that is known. `learning`: in the first week, nights yet say nothing of what is usual on
    tonight's weekday, so that large changes alone are found. `comparisons` are all that was asked for, the first of
    which decides.
    """

    per_nights: int
    chance: Number
    nights: int
    rows: int
    window: int = 1
    too_few_rows: bool = False
    rows_needed: int | None = None
    learning: bool = False
    comparisons: tuple[Comparison, ...] = ()


class DriftResult(Kept):
    """All compared columns. `drift_share` = drifted / counted columns, in [0, 1]; `drifted` = share > limit, or a
    column drifted that decides alone (one of `critical`, as the monitor names them).

    Without a single evaluated column `drift_share` is 0.0 and `evaluated` is 0: no verdict, which `decide` reports.
    `weighted_drift_share` counts the same columns by the champion's importances instead; None where it offers none.
    `decisive` says which of the two is held against the limit. `failure`: drift could not be measured at all, or not of
    the columns whose part of a file is damaged. `alarms`: how the night was judged where the monitor has a budget of
    alarms instead of fixed thresholds. `expected`: all compared columns whose change people expected on the night, with
    why, whether or not they changed.
    """

    file: ClassVar[str] = "drift"

    snapshots: str
    drift_share: Number
    limit: Number
    drifted: bool
    columns: tuple[ColumnDrift, ...]
    weighted_drift_share: Number | None = None
    decisive: Literal["columns", "importance"] = "columns"
    failure: Failure | None = None
    critical: tuple[str, ...] = ()
    alarms: NightAlarms | None = None
    expected: dict[str, str] = Field(default_factory=dict)

    @property
    def decisive_share(self) -> float:
        """The drift share that is held against the limit, in [0, 1]: by columns, or by the champion's importances."""
        weighted = self.weighted_drift_share if self.decisive == "importance" else None
        return self.drift_share if weighted is None else weighted

    @property
    def over(self) -> bool:
        """Whether that share is over the limit, strictly."""
        return self.decisive_share > self.limit

    @property
    def deciding(self) -> tuple[str, ...]:
        """Drifted columns that decide alone, the strongest first."""
        return tuple(item.name for item in self.drifted_columns if item.name in self.critical)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Columns that would decide alone and have no score, or are not there: nobody knows whether they drifted."""
        known = {item.name for item in self.columns if item.status == "evaluated"}
        return tuple(name for name in self.critical if name not in known)

    @property
    def few_rows(self) -> tuple[int, int, int | None] | None:
        """How many rows there are, in how many nights, and how many it takes, where nothing can be told of a night: as
        a budget of alarms sees it, or as no column has more than a handful of values.
        """
        if self.drifted:
            return None
        if self.alarms is not None:
            found = self.alarms
            return (found.rows, found.window, found.rows_needed) if found.too_few_rows else None
        handfuls = [item.few for item in self.columns if item.few is not None]
        return (max(handfuls), 1, FEWEST_VALUES) if handfuls and not self.evaluated else None

    @property
    def too_few_rows(self) -> bool:
        """Whether nothing can be told of the night, see `few_rows`."""
        return self.few_rows is not None

    @property
    def evaluated(self) -> int:
        """Columns that have a score."""
        return sum(1 for item in self.columns if item.status == "evaluated")

    @property
    def counted(self) -> int:
        """The denominator of the share: columns that have a score, and those of a handful of values that could be
        chance; without those that changed as people expect.
        """
        handfuls = sum(item.few is not None and item.expected is None for item in self.columns)
        return self.evaluated + handfuls - len(self.expected_columns)

    @property
    def expected_columns(self) -> tuple[ColumnDrift, ...]:
        """Columns that changed as people expect, the strongest first."""
        found = (item for item in self.columns if item.expected is not None)
        return tuple(sorted(found, key=strength, reverse=True))

    @property
    def drifted_columns(self) -> tuple[ColumnDrift, ...]:
        """Drifted columns, the strongest first, as `strength` measures it."""
        return tuple(sorted((item for item in self.columns if item.drifted), key=strength, reverse=True))


def strength(column: ColumnDrift) -> float:
    """How far a column is past its threshold, comparable across methods: 1.0 is on the threshold, more is further.

    Distances: score / threshold. p-values: threshold / score. Bounded by 1e9 so that it stays finite.
    """
    if column.score is None or column.threshold is None:
        return 0.0
    over, under = (column.score, column.threshold)
    if column.direction == "p_value":
        over, under = under, over
    return min(over / under, 1e9) if under > 0 else (1e9 if over > 0 else 1.0)
