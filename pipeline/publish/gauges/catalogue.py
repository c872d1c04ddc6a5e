"""Every gauge there is: what is pushed takes help and labels from here, and `docs/metrics.md` is written from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PREFIX = "model_monitor_"

Unit = Literal[
    "0 or 1", "fraction", "rows", "columns", "count", "seconds", "days", "nights", "version", "Unix seconds", "own"
]


@dataclass(frozen=True)
class Family:
    """One gauge, under whose name there is a series for each set of labels.

    Attributes:
        name: without `PREFIX`.
        unit: of its values; `own` is that of the column, metric, loss or method that a label names.
        labels: beside those of its group, in the order in which they are written.
        meaning: one sentence, which is also the HELP text.
        query: an example in PromQL.
    """

    name: str
    unit: Unit
    labels: tuple[str, ...]
    meaning: str
    query: str

    @property
    def full_name(self) -> str:
        """As Prometheus has it."""
        return PREFIX + self.name


@dataclass(frozen=True)
class Section:
    """Families that are read together.

    Attributes:
        flow: the label `flow` of their group at the Pushgateway; a night's own group has none, and that of the fleet
            no label `monitor`: it is about all of them.
        when: when they are pushed, and what is absent then.
    """

    title: str
    flow: Literal["", "retraining", "probation", "fleet"]
    when: str
    families: tuple[Family, ...]


def _interval(name: str, labels: tuple[str, ...], text: str) -> tuple[Family, Family]:
    """The families of both ends of an interval; `text` has a place for which end it is."""
    low, high = (
        Family(f"{name}_{end}", "own", labels, text.format(end), f"{PREFIX}{name}_{end}") for end in ("low", "high")
    )
    return low, high


_VERDICT = Section(
    "The night's verdict",
    "",
    "Pushed by every night that is published, which replaces all gauges of its group; a failure replaces only its own.",
    (
        Family("info", "0 or 1", ("owner", "environment", "page"),
               "Always 1: whose the monitor is, in which installation, and where its page is read.",
               "count by (owner) (model_monitor_info)"),
        Family("build_info", "0 or 1", ("version",),
               "Always 1: the version of Nightjar that judged the night.",
               "count by (version) (model_monitor_build_info)"),
        Family("status", "0 or 1", ("status",),
               "The verdict: 1 for the state the model is in, 0 for the others.",
               "count by (status) (model_monitor_status == 1)"),
        Family("retraining_requested", "0 or 1", (),
               "Whether the night asked for a retraining run.",
               "sum(model_monitor_retraining_requested)"),
        Family("retraining_held", "0 or 1", ("reason",),
               "Why retraining is held: 1 for the reason, 0 for the others.",
               "sum by (reason) (model_monitor_retraining_held)"),
        Family("data_stale", "0 or 1", (),
               "Whether the newest data was older than the monitor allows.",
               "sum(model_monitor_data_stale)"),
        Family("broken_measurements", "count", (),
               "Measurements of the night that an error kept from an end.",
               "sum by (monitor) (model_monitor_broken_measurements)"),
        Family("muted", "0 or 1", (),
               "Whether the monitor was muted on the night.",
               "sum(model_monitor_muted)"),
        Family("incident_open", "0 or 1", (),
               "Whether troubled nights in a row go on: drifted, degraded, of broken or stale data.",
               "sum(model_monitor_incident_open)"),
        Family("incident_nights", "nights", (),
               "Troubled nights of the incident so far; absent outside of one.",
               "topk(5, model_monitor_incident_nights)"),
        Family("incident_started_timestamp_seconds", "Unix seconds", (),
               "Start of the day that the incident's first night is about, UTC; absent outside of one.",
               "(time() - model_monitor_incident_started_timestamp_seconds) / 86400"),
        Family("run_date_timestamp_seconds", "Unix seconds", (),
               "Start of the day whose data was judged, UTC.",
               "(time() - model_monitor_run_date_timestamp_seconds) / 86400"),
        Family("last_success_timestamp_seconds", "Unix seconds", (),
               "When a night was last published and pushed.",
               "(time() - model_monitor_last_success_timestamp_seconds) / 3600"),
        Family("last_failure_timestamp_seconds", "Unix seconds", ("task",),
               "When a night last broke, and at which step.",
               "max by (monitor, task) (model_monitor_last_failure_timestamp_seconds)"),
        Family("last_attempt_timestamp_seconds", "Unix seconds", (),
               "When a night last came to an end, well or not.",
               "(time() - model_monitor_last_attempt_timestamp_seconds) / 3600"),
        Family("next_night_due_timestamp_seconds", "Unix seconds", (),
               "When the next night by the schedule is late, four hours at most after its start.",
               "time() - model_monitor_next_night_due_timestamp_seconds > 0"),
        Family("second_night_due_timestamp_seconds", "Unix seconds", (),
               "When two nights in a row are missing by the schedule.",
               "time() - model_monitor_second_night_due_timestamp_seconds > 0"),
        Family("step_duration_seconds", "seconds", ("step",),
               "How long each step of the night took when it last came to an end.",
               "sum by (monitor) (model_monitor_step_duration_seconds)"),
    ),
)  # fmt: skip

_DRIFT = Section(
    "Drift",
    "",
    (
        "Pushed by every night; of columns those that were compared, at most the thousand that drifted most. "
        "Chances only on a budget of alarms, importances only where the champion offers them."
    ),
    (
        Family("drift_share_ratio", "fraction", (),
               "Drifted columns as a fraction of those that count.",
               "topk(5, model_monitor_drift_share_ratio)"),
        Family("weighted_drift_share_ratio", "fraction", (),
               "The same, with each column counted by how much the champion relies on it.",
               "topk(5, model_monitor_weighted_drift_share_ratio)"),
        Family("decisive_drift_share_ratio", "fraction", (),
               "The one of these shares that is held against the limit.",
               "model_monitor_decisive_drift_share_ratio / on (monitor) model_monitor_drift_limit_ratio"),
        Family("drift_limit_ratio", "fraction", (),
               "Drift share over which retraining is due.",
               "model_monitor_drift_limit_ratio - on (monitor) model_monitor_decisive_drift_share_ratio"),
        Family("columns_drifted", "columns", (),
               "Columns past their threshold.",
               "sum by (monitor) (model_monitor_columns_drifted)"),
        Family("critical_columns_drifted", "columns", (),
               "Drifted columns that decide alone.",
               "sum by (monitor) (model_monitor_critical_columns_drifted)"),
        Family("columns_evaluated", "columns", (),
               "Columns with a drift score.",
               "sum(model_monitor_columns_evaluated)"),
        Family("columns_not_evaluable", "columns", (),
               "Columns for which no score could be computed.",
               "topk(5, model_monitor_columns_not_evaluable)"),
        Family("column_drift_score", "own", ("column", "method"),
               "Drift score, in the unit of its method.",
               'model_monitor_column_drift_score{monitor="churn"}'),
        Family("column_drifted", "0 or 1", ("column",),
               "Whether the column is past its threshold.",
               'avg_over_time(model_monitor_column_drifted{monitor="churn"}[28d])'),
        Family("column_importance_ratio", "fraction", ("column",),
               "How much the champion relies on the column, of all it relies on.",
               "model_monitor_column_importance_ratio * on (monitor, column) model_monitor_column_drifted"),
        Family("night_chance_ratio", "fraction", (),
               "How often a quiet night is as rare as this one, as a fraction of nights.",
               "1 / model_monitor_night_chance_ratio"),
        Family("column_chance_ratio", "fraction", ("column",),
               "How often the column of a quiet night is as far from usual.",
               "bottomk by (monitor) (5, model_monitor_column_chance_ratio)"),
    ),
)  # fmt: skip

_TOGETHER = Section(
    "Columns together",
    "",
    "Pushed by nights of a monitor that asks for it ([together.md](together.md)). What was not measured is absent.",
    (
        Family("together_changed", "0 or 1", (),
               "Whether columns no longer go together as they did.",
               "sum(model_monitor_together_changed)"),
        Family("together_chance_ratio", "fraction", (),
               "How often columns of a quiet night are together as rare as tonight's, as a fraction of nights.",
               "1 / model_monitor_together_chance_ratio"),
        Family("pairs_changed", "count", (),
               "Pairs of columns that no longer go together as they did.",
               "max by (monitor) (model_monitor_pairs_changed)"),
        Family("reconstruction_error_ratio", "fraction", (),
               "The part of the variance that lies outside of the reference's principal components.",
               "max by (monitor) (model_monitor_reconstruction_error_ratio)"),
        Family("sides_roc_auc", "fraction", (),
               "Area under the ROC curve of a classifier between the reference and tonight; 0.5 is guessing.",
               "max by (monitor) (model_monitor_sides_roc_auc)"),
        Family("lists_changed", "0 or 1", ("column",),
               "Whether a column of lists of numbers is no longer as it was.",
               "sum by (monitor) (model_monitor_lists_changed)"),
        Family("lists_mean_moved", "own", ("column",),
               "How far the mean of a column of lists moved, in deviations of a list, beyond chance.",
               "topk(5, model_monitor_lists_mean_moved)"),
        Family("lists_reconstruction_error_ratio", "fraction", ("column",),
               "The part of the lists' variance that lies outside of the reference's principal components.",
               "max by (monitor, column) (model_monitor_lists_reconstruction_error_ratio)"),
        Family("lists_roc_auc", "fraction", ("column",),
               "Area under the ROC curve of a classifier between the lists of the reference and tonight's.",
               "max by (monitor, column) (model_monitor_lists_roc_auc)"),
    ),
)  # fmt: skip

_DATA = Section(
    "Quality and rows",
    "",
    "Pushed by every night.",
    (
        Family("quality_passed", "0 or 1", (),
               "The gate: 1 unless a critical expectation failed.",
               "min by (monitor) (model_monitor_quality_passed)"),
        Family("quality_expectations", "count", ("outcome", "severity"),
               "Expectations by outcome and severity.",
               'sum by (monitor, severity) (model_monitor_quality_expectations{outcome="failed"})'),
        Family("rows", "rows", ("snapshot",),
               "Rows of the snapshot.",
               'model_monitor_rows{snapshot="production"}'),
    ),
)  # fmt: skip

_PERFORMANCE = Section(
    "Performance and labels",
    "",
    "Pushed by nights that know it: what was not measured is absent, and not zero. Intervals are of 95%.",
    (
        Family("performance", "own", ("metric", "source"),
               "Model performance: realised on the last labelled night, of the reference, estimated for tonight.",
               'model_monitor_performance{metric="roc_auc"}'),
        *_interval("performance", ("metric", "source"), "The {} end of its 95% interval."),
        Family("performance_over_nights", "own", ("metric", "nights"),
               "Model performance over the predictions of the last nights together.",
               'model_monitor_performance_over_nights{nights="30"}'),
        *_interval("performance_over_nights", ("metric", "nights"), "The {} end of its 95% interval."),
        Family("performance_judged", "own", ("metric", "basis"),
               "The main metric that the verdict is about.",
               "model_monitor_performance_judged - on (monitor, metric) model_monitor_performance_limit"),
        Family("performance_reference", "own", ("metric",),
               "The reference's own value of the main metric.",
               "model_monitor_performance_judged - on (monitor, metric) model_monitor_performance_reference"),
        Family("performance_limit", "own", ("metric",),
               "What the main metric must not be worse than.",
               "max by (monitor, metric) (model_monitor_performance_limit)"),
        Family("performance_verdict", "0 or 1", ("verdict",),
               "The verdict on performance: 1 for what it is, 0 for the others.",
               "count by (verdict) (model_monitor_performance_verdict == 1)"),
        Family("objective", "0 or 1", ("state",),
               "Whether the model keeps its limits (`performance`), beyond the noise: 1 for the state, 0 for others.",
               'sum by (state) (model_monitor_objective)'),
        Family("degraded", "0 or 1", (),
               "Whether the model is worse than it may be, beyond the noise.",
               "sum(model_monitor_degraded)"),
        Family("performance_breaches", "count", ("basis",),
               "Metrics that are worse than they may be, by what shows it.",
               "sum by (monitor, basis) (model_monitor_performance_breaches)"),
        Family("estimator_withdrawn", "0 or 1", (),
               "Whether the estimate was wrong beyond its interval on the last labelled nights: concept drift.",
               "sum(model_monitor_estimator_withdrawn)"),
        Family("label_coverage_ratio", "fraction", (),
               "Predictions of the last labelled night that have a label, as a fraction.",
               "bottomk(5, model_monitor_label_coverage_ratio)"),
        Family("labels_final", "0 or 1", (),
               "Whether no more labels of that night are waited for.",
               "min by (monitor) (model_monitor_labels_final)"),
        Family("own_label_coverage_ratio", "fraction", (),
               "Predictions of the judged day itself that had a label when the gauges were made, as a fraction.",
               "bottomk(5, model_monitor_own_label_coverage_ratio)"),
        Family("labels_overdue_days", "days", (),
               "Days whose labels are due, that had predictions, and of which no label has come.",
               "topk(5, model_monitor_labels_overdue_days)"),
        Family("label_delay_days", "days", (),
               "From the newest day that has labels to the judged day.",
               "model_monitor_label_delay_days - model_monitor_label_delay_expected_days"),
        Family("label_delay_expected_days", "days", (),
               "After how many days the monitor file says that labels are due.",
               "max by (monitor) (model_monitor_label_delay_expected_days)"),
    ),
)  # fmt: skip

_COLUMNS = Section(
    "What columns hold",
    "",
    "Pushed on request (`drift: {profile_gauges: true}`), at most of a thousand columns and never of private ones.",
    (
        Family("column_mean", "own", ("column",),
               "Mean of the column's finite numbers.",
               'model_monitor_column_mean{monitor="churn"}'),
        Family("column_deviation", "own", ("column",),
               "Standard deviation of the column's finite numbers.",
               "model_monitor_column_deviation / model_monitor_column_mean"),
        Family("column_missing_ratio", "fraction", ("column",),
               "Rows without a value, as a fraction of all.",
               "topk by (monitor) (5, model_monitor_column_missing_ratio)"),
        Family("column_distinct_ratio", "fraction", ("column",),
               "Different categories, as a fraction of the rows that have one.",
               "topk by (monitor) (5, model_monitor_column_distinct_ratio)"),
        Family("column_quantile", "own", ("column", "quantile"),
               "Quantile of the column's numbers, exact to a fortieth of the reference.",
               'model_monitor_column_quantile{quantile="0.5"}'),
    ),
)  # fmt: skip

_RETRAINING = Section(
    "The last retraining",
    "retraining",
    (
        "Pushed when a retraining ends, in a group of their own, so that nights leave them alone. Versions and metrics "
        "only where a model was trained. A person who moves the champion pushes its version alone."
    ),
    (
        Family("last_retraining_timestamp_seconds", "Unix seconds", (),
               "When a retraining last ended.",
               "(time() - model_monitor_last_retraining_timestamp_seconds) / 86400"),
        Family("retraining_status", "0 or 1", ("status",),
               "What came of the last retraining: 1 for the outcome, 0 for the others.",
               "count by (status) (model_monitor_retraining_status == 1)"),
        Family("retraining_run_date_timestamp_seconds", "Unix seconds", (),
               "Start of the day up to which the last retraining used data, UTC.",
               "(time() - model_monitor_retraining_run_date_timestamp_seconds) / 86400"),
        Family("retraining_champion_version", "version", (),
               "The champion since a retraining or a person last moved it.",
               "max by (monitor) (model_monitor_retraining_champion_version)"),
        Family("retraining_challenger_version", "version", (),
               "The version that the last retraining trained.",
               "model_monitor_retraining_challenger_version - model_monitor_retraining_champion_version"),
        Family("retraining_performance", "own", ("metric", "model"),
               "Both models on the rows held out by the last retraining.",
               'model_monitor_retraining_performance{model="challenger"}'),
        Family("retraining_improvement", "own", ("metric", "bound"),
               "How much better the challenger is, with its 95% interval.",
               'model_monitor_retraining_improvement{bound="low"}'),
        Family("retraining_rows", "rows", ("part",),
               "Rows of the last retraining.",
               "sum by (monitor) (model_monitor_retraining_rows)"),
    ),
)  # fmt: skip

_PROBATION = Section(
    "A champion on probation",
    "probation",
    (
        "Pushed by every night after its own gauges, in a group of their own, also while no champion is on "
        "[probation](retraining.md#after-a-promotion-probation). The difference only once labels allow it."
    ),
    (
        Family("champion_on_probation", "0 or 1", (),
               "Whether the champion before answers beside a new one.",
               "sum(model_monitor_champion_on_probation)"),
        Family("champion_rolled_back", "0 or 1", (),
               "Whether the night undid the champion, as it was worse.",
               "sum_over_time(model_monitor_champion_rolled_back[1h])"),
        Family("champion_rollback_proposed", "0 or 1", (),
               "Whether a person is asked to undo the champion.",
               "sum(model_monitor_champion_rollback_proposed)"),
        Family("probation_loss_difference", "own", ("loss",),
               "What the new champion loses on a row less what the one before does: positive where it is worse.",
               "max by (monitor, loss) (model_monitor_probation_loss_difference)"),
        *_interval(
            "probation_loss_difference", ("loss",), "The {} end of its interval, which holds over all nights with 95%."
        ),
    ),
)  # fmt: skip

_FLEET = Section(
    "All monitors",
    "fleet",
    (
        "Pushed by every night after its own gauges, in one group for all, without a label `monitor` of its own. A "
        "monitor that has never run is known by these alone."
    ),
    (
        Family("configured", "0 or 1", ("monitor", "owner", "environment"),
               "Always 1: a monitor file that is sound, and whose the monitor is.",
               "model_monitor_configured unless on (monitor) model_monitor_last_attempt_timestamp_seconds"),
        Family("first_night_due_timestamp_seconds", "Unix seconds", ("monitor",),
               "When the next night by the schedule is late, seen from this push: for monitors that never ran.",
               "(model_monitor_first_night_due_timestamp_seconds - time()) / 3600"),
        Family("wrong_monitor_files", "count", (),
               "Monitor files that cannot be used: `python -m pipeline check` says why.",
               "max(model_monitor_wrong_monitor_files)"),
    ),
)  # fmt: skip

SECTIONS = (_VERDICT, _DATA, _DRIFT, _TOGETHER, _PERFORMANCE, _COLUMNS, _RETRAINING, _PROBATION, _FLEET)

FAMILIES = {family.name: family for section in SECTIONS for family in section.families}
