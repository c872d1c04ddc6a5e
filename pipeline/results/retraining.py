"""What came of a retraining."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from pipeline.results.base import Kept, Number, Result
from pipeline.results.metric_kinds import Better, Task
from pipeline.results.quality import QualityResult


class NightLeftOut(Result):
    """A night within the window whose rows are not in the training set, and why.

    `reason`: of labels that cannot be used, in a sentence that names the file.
    """

    run_date: date
    why: Literal["no_production", "no_labels", "labels_unusable", "quality_failed", "over_max_rows"]
    reason: str | None = None


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


class TrainingCost(Result):
    """How much work a training is, known before it starts.

    `trainings` are as many as there are: the model itself, and one on each half of the rows where these are scored.
    `classes` is 0 for a regression. `most_trees` is how many trees the default trainer grows at most in each of them;
    None for a trainer of one's own. `words` say all that.
    """

    words: str
    rows: int
    features: int
    classes: int = 0
    trainings: int = 1
    most_trees: int | None = None


class MetricComparison(Result):
    """One metric of both models on the same held-out rows.

    `improvement` is positive where the challenger is better, whichever way the metric points; `low` and `high` are its
    95% bootstrap interval, as `challenger_low` and `challenger_high` are that of the challenger's own value. None where
    the rows do not allow a value.
    """

    name: str
    better: Better
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

    task: Task
    main_metric: str
    against: Against
    metrics: tuple[MetricComparison, ...]
    segments: tuple[SegmentComparison, ...] = ()
    checks: tuple[GateCheck, ...] = ()

    @property
    def failed(self) -> tuple[GateCheck, ...]:
        """The conditions of the gate that do not hold."""
        return tuple(check for check in self.checks if not check.passed)

    @property
    def main(self) -> MetricComparison | None:
        """The metric that decides; None where it has no value on these rows."""
        return next((item for item in self.metrics if item.name == self.main_metric), None)


class Lineage(Result):
    """Where a model comes from: enough to find it, train it again, and check that nothing was changed since.

    `importances`: how much the model's answers move, on average, when a feature's values are shuffled; it has every
    feature. `model_files` has the SHA-256 of each file of the model, of which `model_sha256` is the digest; empty in
    results of earlier versions.
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
    parameters: dict[str, str] = Field(default_factory=dict)
    importances: dict[str, Number] = Field(default_factory=dict)
    model_files: dict[str, str] = Field(default_factory=dict)


RetrainStatus = Literal[
    "promoted", "proposed", "rejected", "superseded", "no_labels", "too_few_labels", "quality_failed", "failed"
]


Since = Literal["promoted by hand", "rolled back", "rolled back in its probation"]


class RetrainResult(Kept):
    """What came of a retraining.

    `promoted`, `proposed` (a person promotes), `rejected` (the gate did not pass) and `superseded` (the champion
    changed meanwhile) left a model version; the others left none: `no_labels`, `too_few_labels`, `quality_failed` (the
    training set did not pass the suite) and `failed` (the trainer raised or took too long, or a model file was
    tampered with).
    `reason` is why it was started, `verdict` how it ended, in a sentence. `night_reason` is the reason of its night's
    own decision, the same text where the night asked for it; None without a night, and in results of earlier versions.
    `cost` is the work that was expected, None where nothing was trained and in results of earlier versions.
    `told` says how `after_promotion` went, `since` what became of the version afterwards: what a person did to it, or
    that it did not stand its probation.
    """

    file: ClassVar[str] = "retrain"

    monitor: str
    run_date: date
    status: RetrainStatus
    reason: str
    verdict: str
    forced: bool = False
    night_reason: str | None = None
    drift_share: Number | None = None
    counts: TrainingCounts | None = None
    cost: TrainingCost | None = None
    quality: QualityResult | None = None
    evaluation: Evaluation | None = None
    lineage: Lineage | None = None
    told: str | None = None
    since: Since | None = None

    @property
    def words(self) -> str:
        """The outcome in one line."""
        version = f" (version {self.lineage.version})" if self.lineage else ""
        since = f"; {self.since} since" if self.since else ""
        return f"{self.monitor} on {self.run_date}: {self.status.replace('_', ' ')}{version}: {self.verdict}{since}"
