"""The frozen values that pass between steps. Each is strict JSON in the run store: no NaN, no rows of data."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[float, Field(allow_inf_nan=False)]
Severity = Literal["critical", "warning", "info"]
Engine = Literal["duckdb", "pandas", "metadata"]


class Result(BaseModel):
    """Base of every value that steps exchange."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    def to_json(self) -> bytes:
        """Strict, indented JSON; equal values give equal bytes."""
        return (json.dumps(self.model_dump(mode="json"), indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode()


class PinnedObject(Result):
    """One parquet object as it was when the snapshot was pinned.

    `etag` and `version_id` come from S3, where the store offers them; `sha256` is of the content, in hex.
    """

    uri: str
    size: int
    sha256: str
    rows: int
    modified: str | None = None
    etag: str | None = None
    version_id: str | None = None


class ColumnType(Result):
    """A column of a snapshot: its name and its Arrow type, as Arrow writes it."""

    name: str
    type: str


class Snapshot(Result):
    """All parquet objects behind one location on one date, pinned. Row order is the order of `objects`."""

    uri: str
    objects: tuple[PinnedObject, ...]
    fields: tuple[ColumnType, ...]
    rows: int

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the objects, in order: equal content, equal digest, wherever it lies."""
        return hashlib.sha256("\n".join(item.sha256 for item in self.objects).encode()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all objects together."""
        return sum(item.size for item in self.objects)


class SnapshotPair(Result):
    """What one night compares. `labels` and `labelled` are of `labels_date`, once the labels have arrived."""

    monitor: str
    run_date: date
    reference: Snapshot
    production: Snapshot
    labels_date: date | None = None
    labels: Snapshot | None = None
    labelled: Snapshot | None = None

    @property
    def digest(self) -> str:
        """Identifies the data of this night; every later result carries it as `snapshots`."""
        present = [item for item in (self.reference, self.production, self.labels, self.labelled) if item is not None]
        return hashlib.sha256("\n".join(item.digest for item in present).encode()).hexdigest()


class ExpectationOutcome(Result):
    """One expectation and what came of it. Holds no value from a row of the data, except `examples` where allowed.

    `check` names the built-in check that made it, None the suite. `engine` evaluated it; `metadata` stands for schema,
    row counts and times, without reading rows. `expected` and `observed` are for people, in the same unit;
    `unexpected_share` is a fraction of the rows that have a value, in [0, 1], and `unexpected_rows` their number;
    `error` is set when the expectation could not be evaluated, which counts as failed.
    """

    expectation: str
    column: str | None
    severity: Severity
    passed: bool
    sentence: str
    observed: str | None = None
    unexpected_share: Number | None = None
    notes: str | None = None
    error: str | None = None
    check: str | None = None
    engine: Engine | None = None
    expected: str | None = None
    unexpected_rows: int | None = None
    examples: tuple[str, ...] = ()


class QualityResult(Result):
    """The results of the built-in checks and the suite. `passed` is the gate: no critical expectation failed."""

    snapshots: str
    suite: str
    passed: bool
    outcomes: tuple[ExpectationOutcome, ...]

    @property
    def failures(self) -> tuple[ExpectationOutcome, ...]:
        """Failed expectations, critical ones first, otherwise in the suite's order."""
        order: dict[str, int] = {"critical": 0, "warning": 1, "info": 2}
        return tuple(sorted((item for item in self.outcomes if not item.passed), key=lambda item: order[item.severity]))

    def failed(self, severity: Severity) -> int:
        """How many expectations of this severity failed."""
        return sum(1 for item in self.outcomes if not item.passed and item.severity == severity)

    @property
    def passed_share(self) -> float:
        """Passed expectations as a fraction of all, in [0, 1]."""
        return sum(1 for item in self.outcomes if item.passed) / len(self.outcomes)


class Shape(Result):
    """A column before and after, as fractions of the non-missing rows, for small charts.

    Numerical: `edges` has one value more than `reference` and `production`. Categorical: `categories` has as many,
    the most frequent first, and may end with one entry that stands for all others.
    """

    edges: tuple[Number, ...] = ()
    categories: tuple[str, ...] = ()
    reference: tuple[Number, ...]
    production: tuple[Number, ...]


class ColumnDrift(Result):
    """One column compared with the reference.

    `score` is a distance (high means drift) or a p-value (low means drift), as `direction` says; `threshold` is in
    the same unit; `error_bound` is how far the score may be from the exact one. `status` is `not_evaluable` when there
    is no score, and then `reason` says why; for a drifted column `reason` says what changed. `flags` are findings that
    the score cannot see, such as a surge of missing values; missing shares are fractions of all rows in [0, 1].
    `importance` is how much the champion relies on the column, as a fraction of all it relies on, where that is known.
    """

    name: str
    kind: Literal["numerical", "categorical"]
    method: str | None
    direction: Literal["distance", "p_value"] | None = None
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


class DriftResult(Result):
    """All compared columns. `drift_share` = drifted / evaluated columns, in [0, 1]; `drifted` = share > limit.

    Without a single evaluated column `drift_share` is 0.0 and `evaluated` is 0: no verdict, which `decide` reports.
    `weighted_drift_share` counts evaluated columns by the champion's importances instead; None where it offers none.
    `decisive` says which of the two is held against the limit.
    """

    snapshots: str
    drift_share: Number
    limit: Number
    drifted: bool
    columns: tuple[ColumnDrift, ...]
    weighted_drift_share: Number | None = None
    decisive: Literal["columns", "importance"] = "columns"

    @property
    def evaluated(self) -> int:
        """Columns that have a score: the denominator of the share."""
        return sum(1 for item in self.columns if item.status == "evaluated")

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


class PerformanceResult(Result):
    """Realised metrics of the production rows of `labels_date` against the reference's own.

    `status` is `measured`, or why not: `not_configured`, `awaiting_labels`, `not_evaluable` (see `reason`).
    """

    snapshots: str
    status: Literal["measured", "not_configured", "awaiting_labels", "not_evaluable"]
    reason: str | None = None
    labels_date: date | None = None
    labelled_rows: int = 0
    realised: dict[str, Number] = {}
    reference: dict[str, Number] = {}


Status = Literal["healthy", "drifted", "data_broken"]
Hold = Literal[
    "quality_failed", "not_comparable", "backfill", "too_few_rows", "too_few_labels", "not_enough_nights", "cooldown"
]  # fmt: skip


class Decision(Result):
    """The night's verdict. `status` is `drifted` when the drift share is over the limit, strictly.

    `data_broken`: a critical expectation failed, or no column could be compared; then nothing is retrained. `hold`
    names why nothing is: always on broken data, and where the share is over the limit but the monitor's policy waits.
    """

    snapshots: str
    status: Status
    retrain: bool
    reason: str
    hold: Hold | None = None


class NightLeftOut(Result):
    """A night within the window whose rows are not in the training set, and why."""

    run_date: date
    why: Literal["no_production", "no_labels", "quality_failed", "over_max_rows"]


class TrainingCounts(Result):
    """What the training set was made of, in rows.

    `labelled_rows` are production rows with a label, `unlabelled_rows` those left out for want of one,
    `duplicate_rows` those left out because a newer row has the same id, `reference_rows` those used of the reference.
    `training_rows` + `holdout_rows` = `reference_rows` + `labelled_rows`, after duplicates.
    """

    first_date: date
    last_date: date
    reference_rows: int = 0
    labelled_rows: int = 0
    unlabelled_rows: int = 0
    duplicate_rows: int = 0
    training_rows: int = 0
    holdout_rows: int = 0
    nights: int = 0
    left_out: tuple[NightLeftOut, ...] = ()


class MetricComparison(Result):
    """One metric of both models on the same held-out rows.

    `improvement` is positive where the challenger is better, whichever way the metric points; `low` and `high` are its
    95% bootstrap interval, as `challenger_low` and `challenger_high` are that of the challenger's own value. None where
    the rows do not allow a value.
    """

    name: str
    better: Literal["higher", "lower"]
    challenger: Number | None
    challenger_low: Number | None = None
    challenger_high: Number | None = None
    champion: Number | None = None
    improvement: Number | None = None
    low: Number | None = None
    high: Number | None = None


class SegmentComparison(Result):
    """The main metric on the held-out rows with one value of a column. `judged` is False where they are too few."""

    column: str
    value: str
    rows: int
    main: MetricComparison
    judged: bool
    passed: bool


class GateCheck(Result):
    """One condition of the gate, with its outcome in a sentence."""

    name: Literal["main_metric", "floor", "beats_a_constant", "segments"]
    passed: bool
    sentence: str


Against = Literal["version", "logged", "nobody"]


class Evaluation(Result):
    """Champion against challenger. `against` says who stood for the champion.

    `version`: the registry's champion. `logged`: there is none to load, so the predictions logged in production stand
    for it, for information. `nobody`: there are no such predictions either.
    """

    task: Literal["classification", "regression"]
    main_metric: str
    against: Against
    metrics: tuple[MetricComparison, ...]
    segments: tuple[SegmentComparison, ...] = ()
    checks: tuple[GateCheck, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every condition of the gate holds."""
        return all(check.passed for check in self.checks)

    @property
    def main(self) -> MetricComparison:
        """The metric that decides."""
        return next(item for item in self.metrics if item.name == self.main_metric)


class Lineage(Result):
    """Where a model comes from: enough to find it, train it again, and check that nothing was changed since.

    `importances`: how much the model's answers move, on average, when a feature's values are shuffled.
    """

    version: str
    run_id: str
    model_uri: str
    model_sha256: str
    training_uri: str
    training_sha256: str
    champion_version: str | None = None
    code_version: str = ""
    trainer: str = ""
    trainer_sha256: str = ""
    serialization: str = ""
    parameters: dict[str, str] = {}
    importances: dict[str, Number] = {}


RetrainStatus = Literal[
    "promoted", "proposed", "rejected", "superseded", "no_labels", "too_few_labels", "quality_failed", "failed"
]


class RetrainResult(Result):
    """What came of a retraining.

    `promoted`, `proposed` (a person promotes), `rejected` (the gate did not pass) and `superseded` (the champion
    changed meanwhile) left a model version; the others left none: `no_labels`, `too_few_labels`, `quality_failed` (the
    training set did not pass the suite) and `failed` (the trainer raised or took too long, or a model file was
    tampered with).
    `reason` is why it was started, `verdict` how it ended, in a sentence. `told` says how `after_promotion` went,
    `since` what a person did to the version afterwards.
    """

    monitor: str
    run_date: date
    status: RetrainStatus
    reason: str
    verdict: str
    forced: bool = False
    drift_share: Number | None = None
    counts: TrainingCounts | None = None
    quality: QualityResult | None = None
    evaluation: Evaluation | None = None
    lineage: Lineage | None = None
    told: str | None = None
    since: Literal["promoted by hand", "rolled back"] | None = None

    @property
    def words(self) -> str:
        """The outcome in one line."""
        version = f" (version {self.lineage.version})" if self.lineage else ""
        since = f"; {self.since} since" if self.since else ""
        return f"{self.monitor} on {self.run_date}: {self.status.replace('_', ' ')}{version}: {self.verdict}{since}"
