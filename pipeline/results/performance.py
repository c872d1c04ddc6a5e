"""How well the model does: realised where labels have arrived, estimated where they have not, and the verdict on it."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from pipeline.results.base import Failure, Kept, Number, Result
from pipeline.results.metric_kinds import Task
from pipeline.results.tally import Tally

Basis = Literal["realised", "estimated"]


class Estimate(Result):
    """A metric's value with its 95% interval, `low` to `high`, and the standard error that this comes from.

    None where the rows do not allow them. `rows` are the rows it is about.
    """

    value: Number
    low: Number | None = None
    high: Number | None = None
    error: Number | None = None
    rows: int = 0


class ClassPerformance(Result):
    """How well one class was told: `support` rows have it as their label, `predicted` rows as their prediction.

    Of the rows with both. None where there is nothing to divide by: `precision` of a class that was never predicted,
    `recall` of one that no row has.
    """

    name: str
    support: int
    predicted: int
    precision: Number | None = None
    recall: Number | None = None
    f1: Number | None = None


class CalibrationGroup(Result):
    """Rows of about equal score: how sure the model was in the mean, and which share of them came true, in [0, 1]."""

    rows: int
    score: Number
    share: Number


class Histogram(Result):
    """Rows between ascending edges; one count less than there are edges."""

    edges: tuple[Number, ...]
    counts: tuple[int, ...]


class Details(Result):
    """What stands behind the metrics of some rows.

    `classes` names the rows and columns of `confusion` (labels by predictions, counts of rows); "other" is the last one
    where a label or prediction is none of the classes. Both are empty where the label is private. `residuals` are
    forecast minus truth, in the label's unit. `threshold` is the score from which the positive class was predicted, as
    the rows show it; None where no single score explains the predictions.
    """

    classes: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    calibration: tuple[CalibrationGroup, ...] = ()
    residuals: Histogram | None = None
    threshold: Number | None = None


class Span(Result):
    """Every metric over the predictions of several nights together: `nights` of them have labels."""

    first: date
    last: date
    nights: int
    rows: int
    labelled_rows: int
    metrics: dict[str, Estimate] = Field(default_factory=dict)


class Seen(Result):
    """How many predictions of a day had a label when the night of `on` looked."""

    on: date
    labelled_rows: int


class LabelledDay(Kept):
    """The predictions of one day against the labels that have come: measured again whenever these change.

    `key` says what it was made from: the digests of both snapshots, and `standard`, that of the task, the classes and
    what the monitor says of its columns; nights of one standard can be measured together. `state` is that of the
    listings, which says without reading whether anything may have changed. `model_version` is the one that answered
    most rows, where the monitor names such a column and it is not private.

    `rows` are the predictions of the day, `labelled_rows` those of them that have a label; `grew` is how these came.
    `final`: no more are waited for, as (nearly) all are there or the label delay is over; labels that are corrected
    later are measured all the same. `metrics` are exact; `tally` is what is kept to measure several nights together.
    """

    file: ClassVar[str] = "labelled"

    day: date
    key: str = ""
    standard: str = ""
    state: str = ""
    status: Literal["measured", "awaiting_labels", "not_evaluable"]
    reason: str | None = None
    model_version: str | None = None
    rows: int = 0
    labelled_rows: int = 0
    final: bool = False
    grew: tuple[Seen, ...] = ()
    metrics: dict[str, Estimate] = Field(default_factory=dict)
    details: Details = Details()
    by_class: tuple[ClassPerformance, ...] = ()
    positive: str | None = None
    notes: tuple[str, ...] = ()
    tally: Tally | None = None

    @property
    def coverage(self) -> float:
        """The share of predictions that have a label, in [0, 1]."""
        return self.labelled_rows / self.rows if self.rows else 0.0


class NightPerformance(Result):
    """One day's predictions in a few numbers: the metrics that decide, realised and as estimated that night."""

    day: date
    status: Literal["measured", "awaiting_labels", "not_evaluable"]
    rows: int = 0
    labelled_rows: int = 0
    final: bool = False
    realised: dict[str, Estimate] = Field(default_factory=dict)
    estimated: dict[str, Estimate] = Field(default_factory=dict)


class Estimated(Result):
    """What the metrics of tonight's predictions are expected to be, before a label is there.

    `method`: `cbpe` (scores calibrated on the reference), `pape` (the same, the reference weighted to be like tonight),
    `dle` (a model of the errors on the reference). `status`: `measured`; `withdrawn`, when it was wrong beyond its
    interval on the last labelled nights (`reason` says by how much, and that this is concept drift); `not_evaluable`,
    with a reason. `notes` are sentences about tonight's. `gaps` is, by metric, how far realised values lay from
    estimated ones, in the mean of those nights.
    """

    method: Literal["cbpe", "pape", "dle"] | None = None
    status: Literal["measured", "withdrawn", "not_evaluable"]
    reason: str | None = None
    metrics: dict[str, Estimate] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    nights_compared: int = 0
    nights_missed: int = 0
    gaps: dict[str, Number] = Field(default_factory=dict)


class Shift(Result):
    """Something beside the metrics that is watched: its value, that of the reference, and whether it moved.

    `name` is such as `label_share` (of the positive class), `label_distance` (Jensen-Shannon), `mean_confidence`,
    `grey_zone_share` (scores between 0.4 and 0.6), `mean_label`. `moved`: beyond the noise, by the test that
    `sentence` names.
    """

    name: str
    now: Number
    before: Number | None = None
    moved: bool = False
    sentence: str = ""


class Breach(Result):
    """A metric that is worse than it may be, beyond the noise.

    `why`: `floor`, `drop` (against `before`, the reference's own value), `trend`. `value` is over the nights from
    `since` on; `limit` is what it should not be worse than. `sentence` says all of it.
    """

    metric: str
    why: Literal["floor", "drop", "trend"]
    basis: Basis
    value: Estimate
    limit: Number
    before: Number | None = None
    since: date
    nights: int
    sentence: str


class Trend(Result):
    """Where the main metric goes over the last labelled nights: slope by night (Theil, Sen), test (Mann, Kendall).

    `p_value` is of the side that is worse. `sentence` is such as `fell in 8 of 10 nights, from 0.91 to 0.86`.
    """

    metric: str
    nights: int
    slope: Number
    p_value: Number
    first: Number
    last: Number
    sentence: str


class PerformanceVerdict(Result):
    """Whether the model still does what it should, beyond the noise of looking every night.

    `status`: `sound`; `degraded`, and `breaches` say in what; `unknown`, when nothing can be told yet (`sentence` says
    why). `metric` is the main one, `value` its value over the newest nights, on `basis`, `limit` what decides on it,
    and `before` the reference's own value.
    """

    status: Literal["sound", "degraded", "unknown"]
    sentence: str
    metric: str | None = None
    basis: Basis | None = None
    value: Estimate | None = None
    limit: Number | None = None
    before: Estimate | None = None
    first: date | None = None
    last: date | None = None
    breaches: tuple[Breach, ...] = ()
    trend: Trend | None = None


class PerformanceResult(Kept):
    """Realised metrics of the production rows of `labels_date` against the reference's own, and what follows from all.

    `status` is `measured`, or why not: `not_configured`, `awaiting_labels`, `not_evaluable` (see `reason`;
    `failure` where that is an error). It is about `labels_date`, the day whose labels are due.
    `labelled_rows` are all production rows of the day that have a label. `positive` is the class that precision,
    recall, F1 and ROC AUC are about. `by_class` has every class of the reference, and what else came; it is empty, as
    `positive` is None, for a regression and where the label is private. `notes` are sentences about what was measured:
    what could not be read, what was counted as wrong, what looks mistaken in the monitor file.

    `intervals` and `reference_intervals` are the same metrics as `realised` and `reference` with their intervals.
    `spans` are by number of nights, such as "7" and "30". `nights` are the days of the window, oldest first.
    """

    file: ClassVar[str] = "performance"

    snapshots: str
    status: Literal["measured", "not_configured", "awaiting_labels", "not_evaluable"]
    reason: str | None = None
    labels_date: date | None = None
    labelled_rows: int = 0
    realised: dict[str, Number] = Field(default_factory=dict)
    reference: dict[str, Number] = Field(default_factory=dict)
    failure: Failure | None = None
    positive: str | None = None
    by_class: tuple[ClassPerformance, ...] = ()
    notes: tuple[str, ...] = ()
    task: Task | None = None
    coverage: Number | None = None
    final: bool = False
    intervals: dict[str, Estimate] = Field(default_factory=dict)
    reference_intervals: dict[str, Estimate] = Field(default_factory=dict)
    details: Details = Details()
    reference_details: Details = Details()
    spans: dict[str, Span] = Field(default_factory=dict)
    nights: tuple[NightPerformance, ...] = ()
    estimated: Estimated | None = None
    shifts: tuple[Shift, ...] = ()
    verdict: PerformanceVerdict | None = None

    @property
    def degraded(self) -> bool:
        """Whether the model is worse than it may be, beyond the noise."""
        return self.verdict is not None and self.verdict.status == "degraded"
