"""One monitored model, as a platform engineer writes it: frozen, validated, without keys that it does not know.

`pipeline.config.monitor_files` reads the files, with line numbers for every mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field, model_validator

from pipeline.config.drift_policy import DriftPolicy
from pipeline.config.expected import ExpectedChange
from pipeline.config.quality_checks import QualityChecks
from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.config.sections import ClassLabel, ColumnName, Drop, Section, one_of
from pipeline.config.values import (
    CHAMPION,
    Cron,
    Email,
    FileName,
    Location,
    Name,
    Reference,
    Seconds,
    dated_folders,
)
from pipeline.results.metric_kinds import METRICS
from pipeline.wording import listed


class SnapshotSources(Section):
    """Where the data lies: a file, a directory, a glob or an s3:// prefix, with `{date}` for the run date.

    With `reference: champion` the reference is what the champion was trained on; `initial` serves until there is one,
    and stays the base of every training set. A snapshot of which a file changed less than `settle` ago is still being
    written, and counts as not there yet; so does one without the file `complete`, which is written last.
    """

    reference: Reference
    production: Location
    labels: Location | None = None
    initial: Location | None = None
    settle: Seconds = 0
    complete: FileName | None = None

    @model_validator(mode="after")
    def _initial(self) -> SnapshotSources:
        if self.follows_champion != (self.initial is not None):
            raise ValueError(
                "allowed: 'initial' together with 'reference: champion', as the reference until there is a champion"
            )
        return self

    @property
    def base(self) -> str:
        """The reference that does not move: what the first champion is measured against and trained on."""
        return self.initial or self.reference

    @property
    def follows_champion(self) -> bool:
        """The reference is what the champion was trained on, as soon as there is a champion."""
        return self.reference == CHAMPION

    @property
    def dated_folders(self) -> frozenset[str]:
        """Names of folders that say which night data is of, see `pipeline.config.dated_folders`."""
        return dated_folders(self.base, self.production, self.labels or "")

    def reference_words(self, shown: Callable[[str], str] = str) -> str:
        """What a night is compared with: an address as `shown`, or which data that is."""
        base = shown(self.base)
        return f"what the champion was trained on; until there is one, {base}" if self.follows_champion else base


class ColumnRoles(Section):
    """What each column is. Drift looks at `numerical` and `categorical`; by default the parquet schema says which.

    `score` is the probability of the `positive` class, or what a model without classes forecasts; a model of several
    classes has its probabilities in `scores`: a column for each class, as the class is written. Of two classes
    `positive` is the one that precision, recall and ROC AUC are about; by default the second one in order.

    Values of `private` columns are told nowhere: see docs/security.md for what that covers. Models may still learn from
    them.
    """

    id: ColumnName | None = None
    label: ColumnName | None = None
    prediction: ColumnName | None = None
    score: ColumnName | None = None
    scores: dict[Annotated[str, Field(min_length=1)], ColumnName] = Field(default_factory=dict)
    positive: ClassLabel | None = None
    model_version: ColumnName | None = None
    numerical: tuple[ColumnName, ...] | None = None
    categorical: tuple[ColumnName, ...] | None = None
    ignore: tuple[ColumnName, ...] = ()
    private: tuple[ColumnName, ...] = ()

    @model_validator(mode="after")
    def _one_kind_of_score(self) -> ColumnRoles:
        if self.score is not None and self.scores:
            raise ValueError("allowed: 'score', the probability of one class, or 'scores', a column for each class")
        if len(self.scores) == 1 or len(set(self.scores.values())) < len(self.scores):
            raise ValueError("allowed: 'scores' with at least two classes, each with a column of its own")
        return self

    @property
    def private_answers(self) -> bool:
        """Whether no class and no forecast may be told: the label is private, or the prediction."""
        return not {self.label, self.prediction}.isdisjoint(self.private)

    @property
    def score_columns(self) -> tuple[ColumnName, ...]:
        """The columns that hold how sure a model was."""
        return (*([] if self.score is None else [self.score]), *self.scores.values())

    @property
    def answers(self) -> tuple[ColumnName, ...]:
        """The columns that a model wrote: what it answered is compared, and never learnt from."""
        return (*([] if self.prediction is None else [self.prediction]), *self.score_columns)


class QualityPolicy(Section):
    """The Great Expectations suite, `expectations/<suite>.json`, and the built-in checks.

    `examples`: how many unexpected values a failure may show; never of columns listed under `columns.private`.
    """

    suite: Name
    examples: Annotated[int, Field(ge=0, le=20)] = 0
    checks: QualityChecks = QualityChecks()


class PerformancePolicy(Section):
    """When the model itself is worse than it may be. See docs/performance.md.

    Labels of a day are final `label_delay_days` later, and are measured again until `window_days` later.
    Judged is `main` (auto: ROC AUC, else accuracy; of a regression the mean absolute error): it may fall by `max_drop`
    against the reference's own value (of an error: rise by that fraction of it; auto: 0.05, of an error 0.2; null: by
    anything), and no metric under `floors` below its floor (an error: above). A trend is looked for in `trend_nights`
    labelled nights (0: in none). `on` says which values decide. `quantile`: the prediction is that quantile of the
    label, and not its mean.
    """

    label_delay_days: Annotated[int, Field(ge=0, le=3650)] = 0
    window_days: Annotated[int, Field(ge=1, le=365)] = 30
    main: Annotated[str, one_of("auto", *METRICS)] = "auto"
    floors: dict[Annotated[str, one_of(*METRICS)], Annotated[float, Field(allow_inf_nan=False)]] = Field(
        default_factory=dict
    )
    max_drop: Drop = "auto"
    trend_nights: Annotated[int, Field(ge=0, le=365)] = 10
    on: tuple[Annotated[str, one_of("realised", "estimated")], ...] = ("realised", "estimated")
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = None


class NotifyPolicy(Section):
    """Who is told, and of which nights. A channel is a name: its URL is in the variable PIPELINE_CHANNEL_<NAME>."""

    email: tuple[Email, ...] = ()
    channels: tuple[Name, ...] = ()
    when: Annotated[str, one_of("always", "change", "trouble")] = "always"


class Monitor(Section):
    """One monitored model, as written in `monitors/<name>.yaml`.

    `task` is how the model is judged, at night and when it is trained again; auto: see `pipeline.labels.task`. `team`
    is the role in Airflow whose people see the monitor's DAGs, where PIPELINE_AIRFLOW_TEAMS has it.
    """

    name: Name
    description: str = ""
    owner: Annotated[str, Field(min_length=1, max_length=200)]
    team: Name | None = None
    schedule: Cron = "0 2 * * *"
    task: Annotated[str, one_of("auto", "classification", "regression")] = "auto"
    snapshots: SnapshotSources
    columns: ColumnRoles = ColumnRoles()
    quality: QualityPolicy
    drift: DriftPolicy = DriftPolicy()
    expected: tuple[ExpectedChange, ...] = ()
    performance: PerformancePolicy = PerformancePolicy()
    retrain: RetrainPolicy = RetrainPolicy()
    notify: NotifyPolicy = NotifyPolicy()

    @property
    def due_words(self) -> str:
        """When retraining is due: `when more than 30% of the columns drifted, or the model is degraded`."""
        causes = {"drift": self.drift.over_words, "degraded": "the model is degraded"}
        found = ", or ".join(words for cause, words in causes.items() if cause in self.retrain.on)
        return f"when {found}" if found else "by hand only"

    @model_validator(mode="after")
    def _metrics_of_one_task(self) -> Monitor:
        """A metric of the other task has no value on any night: a floor under it would protect nothing."""
        named = [*([] if self.performance.main == "auto" else [self.performance.main]), *self.performance.floors]
        tasks = {METRICS[name].task for name in named}
        if len(tasks) > 1 or (self.task != "auto" and tasks - {self.task}):
            wanted = "one task" if self.task == "auto" else f"the task {self.task}"
            words = [f"{name} ({METRICS[name].task})" for name in named]
            raise ValueError(
                f"allowed: metrics of {wanted} under performance.main and performance.floors; found {listed(words)}"
            )
        return self

    @model_validator(mode="after")
    def _private_segments(self) -> Monitor:
        private = set(self.columns.private) & set(self.retrain.segments)
        if private:
            raise ValueError(f"allowed: retrain.segments without private columns; found {sorted(private)}")
        return self
