"""What production is checked for without a suite: the sections under `quality.checks` of a monitor file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline.config.sections import ColumnName, Ratio, Section, Share
from pipeline.results import Severity

_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class MissingColumn(Section):
    """A column of the reference is gone from production. The label does not count: it arrives later."""

    severity: Severity = "critical"


class RetypedColumn(Section):
    """A column holds another kind of value than in the reference: numbers, text, booleans, dates or moments."""

    severity: Severity = "warning"


class ExtraColumn(Section):
    """Production has a column that the reference lacks."""

    severity: Severity = "info"


class SameData(Section):
    """Production is another snapshot than the reference: of the same bytes nothing can ever drift."""

    severity: Severity = "warning"


class RowVolume(Section):
    """Production has between `least` and `most` times the rows of the reference.

    Wide by default: a reference of months beside a night is usual.
    """

    least: Ratio = 0.01
    most: Ratio = 10.0
    severity: Severity = "warning"

    @model_validator(mode="after")
    def _ordered(self) -> RowVolume:
        if self.least > self.most:
            raise ValueError("allowed: 'least' no greater than 'most'")
        return self


class RowHistory(RowVolume):
    """Production has between `least` and `most` times the median rows of the last `nights`; from 3 nights on."""

    least: Ratio = 0.5
    most: Ratio = 2.0
    nights: Annotated[int, Field(ge=3, le=365)] = 14


class MissingValues(Section):
    """Missing values are at most `rise` over the reference, both as fractions of all rows."""

    rise: Share = 0.05
    severity: Severity = "warning"


class UnseenCategory(Section):
    """At most `share` of the rows have a category that the reference never had.

    Looked at where the reference has up to `categories` of them: more is text or an identifier.
    """

    share: Share = 0.01
    categories: Annotated[int, Field(ge=1, le=100_000)] = 1_000
    severity: Severity = "warning"


class OutOfRange(Section):
    """At most `share` of the rows lie outside the smallest and largest value of the reference."""

    share: Share = 0.01
    severity: Severity = "warning"


class Outliers(Section):
    """Rows beyond `factor` interquartile ranges from the quartiles: at most `rise` over the reference's own share."""

    rise: Share = 0.05
    factor: _Positive = 1.5
    severity: Severity = "info"


class DuplicateId(Section):
    """Every row has an id, and no id occurs twice."""

    severity: Severity = "critical"


class DuplicateRows(Section):
    """Rows that repeat another one in every column: at most `rise` over the reference's own share. Where no id says it.

    Ignored columns do not count: a night that was delivered twice may have another load time, or another index.
    """

    rise: Share = 0.05
    severity: Severity = "warning"


class Freshness(Section):
    """The newest object and the newest moment in `column` are at most `hours` older than the end of the run date.

    Without `column` it is the only timestamp column of production, where there is just one and its moments lie close
    together, as those of one night do. `column: false` looks at the objects alone.
    """

    hours: _Positive = 48.0
    column: ColumnName | Literal[False] | None = None
    severity: Severity = "warning"


class PredictionSkew(Section):
    """Prediction and score have the type, the range and the classes that they have in the reference.

    At most `share` of the rows may lie outside.
    """

    share: Share = 0.01
    severity: Severity = "warning"


class ClassImbalance(Section):
    """The largest class of a categorical column has at most `rise` more of the rows than the reference's largest.

    No alarm while it has no more than `largest` of the rows.
    """

    rise: Share = 0.2
    largest: Share = 0.5
    severity: Severity = "warning"


class QualityChecks(Section):
    """The built-in checks; `null` switches one off."""

    missing_column: MissingColumn | None = MissingColumn()
    retyped_column: RetypedColumn | None = RetypedColumn()
    extra_column: ExtraColumn | None = ExtraColumn()
    same_data: SameData | None = SameData()
    row_volume: RowVolume | None = RowVolume()
    row_history: RowHistory | None = RowHistory()
    missing_values: MissingValues | None = MissingValues()
    unseen_category: UnseenCategory | None = UnseenCategory()
    out_of_range: OutOfRange | None = OutOfRange()
    outliers: Outliers | None = Outliers()
    duplicate_id: DuplicateId | None = DuplicateId()
    duplicate_rows: DuplicateRows | None = DuplicateRows()
    freshness: Freshness | None = Freshness()
    prediction_skew: PredictionSkew | None = PredictionSkew()
    class_imbalance: ClassImbalance | None = ClassImbalance()
