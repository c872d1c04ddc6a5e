"""The dashboard of one monitor: what changed, since when, and what was done about it."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.boards import Content, board, environment, hidden, monitor, owner
from deploy.grafana.fleet import OF_LIMIT, OVERDUE
from deploy.grafana.panels import (
    BAD,
    GOOD,
    NOTICE,
    ONE_IS_GOOD,
    STATE_WORDS,
    ZERO_IS_GOOD,
    Levels,
    Panel,
    Query,
    bars_panel,
    runbook,
    series_panel,
    stat_panel,
    state_of,
    states_panel,
    table_panel,
)

M = 'environment=~"$environment", monitor="$monitor"'
MOST = 15
"""Columns at most in a panel: those that say most."""
YES_NO = {"0": ("no", GOOD), "1": ("yes", NOTICE)}
PASSED = {"0": ("failed", BAD), "1": ("passed", GOOD)}
DRIFTED = {"0": ("as usual", GOOD), "1": ("drifted", NOTICE)}
PLAIN_BARS: Levels = ((None, "blue"),)


def build() -> models.Dashboard:
    """The whole dashboard."""
    content: Content = (
        ("The last night", _last_night()),
        ("Drift", _drift()),
        ("How rare the night is", _chances()),
        ("Columns together", _together()),
        ("Quality and rows", _quality()),
        ("Performance", _performance()),
        ("Labels", _labels()),
        ("Retraining and champion", _retraining()),
        ("Incidents", _incidents()),
        ("What columns hold", _columns()),
    )
    page = hidden("page", f"label_values(model_monitor_info{{{M}}}, page)")
    text = "One monitor: what changed, since when, and what was done about it."
    return board(
        "nightjar-monitor", "Nightjar: one monitor", text, content,
        variables=(environment(), owner(), monitor(several=False), page), links=[("Report pages", "${page}")],
    )  # fmt: skip


def one(name: str, more: str = "") -> str:
    """A gauge of the monitor without labels of its own, or with these."""
    return f"max by (monitor) (model_monitor_{name}{{{M}{more}}})"


def _each(name: str, labels: str, more: str = "") -> str:
    return f"max by ({labels}) (model_monitor_{name}{{{M}{more}}})"


def _last_night() -> list[Panel]:
    share = f"{one('decisive_drift_share_ratio')} / on (monitor) {one('drift_limit_ratio')}"
    return [
        stat_panel("Verdict", "What the last good night said.", state_of(M), words=STATE_WORDS,
                   links=[("Report pages", "${page}")]),
        stat_panel("Drift share, of the limit", "Over 100% the night drifted.", share, unit="percentunit",
                   levels=OF_LIMIT, links=[runbook("NightjarDrifted")]),
        stat_panel("Quality", "The gate: a critical expectation that fails closes it.", one("quality_passed"),
                   levels=ONE_IS_GOOD, words=PASSED, links=[runbook("NightjarQualityFailed")]),
        stat_panel("Last good night",
                   "How long ago it was pushed.", f"time() - {one('last_success_timestamp_seconds')}",
                   unit="dtdurations"),
        stat_panel("Late by", "How long ago the next night should have been there, by its schedule.", OVERDUE,
                   unit="dtdurations", levels=ZERO_IS_GOOD, links=[runbook("NightjarNightLate")]),
        stat_panel("Judged day", "The day whose data it was about.", f"{one('run_date_timestamp_seconds')} * 1000",
                   unit="dateTimeAsIso"),
        stat_panel("Alerts", "What rings of this monitor, beside what is for information.",
                   f'count(ALERTS{{alertstate="firing", {M}, severity!="info"}}) or vector(0)', levels=ZERO_IS_GOOD),
        states_panel("Verdict over time", "What each night said.", Query(state_of(M)), STATE_WORDS),
    ]  # fmt: skip


def _drift() -> list[Panel]:
    return [
        series_panel("Drift share and limit",
                     "Drifted columns as a fraction of those that count; weighted by importance "
                     "where the champion offers it. The share that decides is held against the limit.",
                     Query(one("decisive_drift_share_ratio"), "decides"), Query(one("drift_limit_ratio"), "limit"),
                     Query(one("drift_share_ratio"), "of columns"),
                     Query(one("weighted_drift_share_ratio"), "by importance"), unit="percentunit", low=0, high=1,
                     links=[runbook("NightjarDrifted"), runbook("NightjarDriftNearLimit")]),
        series_panel("Columns", "How many drifted, decide alone, and could not be compared.",
                     Query(one("columns_drifted"), "drifted"),
                     Query(one("critical_columns_drifted"), "decide alone and drifted"),
                     Query(one("columns_evaluated"), "compared"),
                     Query(one("columns_not_evaluable"), "not comparable"), low=0,
                     links=[runbook("NightjarCriticalColumnDrifted")]),
        states_panel("Drifted columns over time", f"The {MOST} columns that drifted most, night by night.",
                     Query(f"topk({MOST}, {_each('column_drifted', 'column')})", "{{column}}"), DRIFTED),
        series_panel("Drift score by column",
                     "Each in the unit of its method: compare a column with itself over time, and "
                     "columns of one method with each other.",
                     Query(f"topk({MOST}, {_each('column_drift_score', 'column, method')})", "{{column}} ({{method}})"),
                     low=0),
        bars_panel("Importance of drifted columns", "How much the champion relies on each column that drifted.",
                   Query(f"({_each('column_importance_ratio', 'column')} * on (column) "
                         f"{_each('column_drifted', 'column')}) > 0", "{{column}}"),
                   levels=PLAIN_BARS, unit="percentunit"),
    ]  # fmt: skip


def _chances() -> list[Panel]:
    return [
        series_panel("Nights as rare as this one", "One in so many quiet nights is as far from usual. On a budget of "
                     "alarms alone: over the budget the night drifted.",
                     Query(f"1 / {one('night_chance_ratio')}", "one in"), logarithmic=True),
        series_panel("Columns that are furthest from usual", "How often a quiet night has the column as far off.",
                     Query(f"bottomk({MOST}, {_each('column_chance_ratio', 'column')})", "{{column}}"),
                     unit="percentunit", logarithmic=True),
    ]  # fmt: skip


def _together() -> list[Panel]:
    return [
        series_panel("Columns together",
                     "Pairs that no longer go together as they did, and whether the night warns of it.",
                     Query(one("pairs_changed"), "pairs changed"), Query(one("together_changed"), "warns"), low=0,
                     span=8, links=[runbook("NightjarTogetherChanged")]),
        series_panel("Reference and tonight, told apart",
                     "Area under the ROC curve of a classifier between the two; one "
                     "half is guessing.", Query(one("sides_roc_auc"), "all columns"),
                     Query(_each("lists_roc_auc", "column"), "{{column}}"), low=0, high=1, span=8,
                     levels=((None, GOOD), (0.6, NOTICE))),
        series_panel("Outside of the reference's components",
                     "The part of the variance that its principal components do "
                     "not hold.", Query(one("reconstruction_error_ratio"), "all columns"),
                     Query(_each("lists_reconstruction_error_ratio", "column"), "{{column}}"),
                     unit="percentunit", low=0, span=8),
        series_panel("Lists of numbers", "Whether each column of lists is as it was, and how far its mean moved.",
                     Query(_each("lists_changed", "column"), "{{column}}: changed"),
                     Query(_each("lists_mean_moved", "column"), "{{column}}: mean moved"), low=0),
        series_panel("Chance of columns together", "One in so many quiet nights is as rare in how columns go together.",
                     Query(f"1 / {one('together_chance_ratio')}", "one in"), logarithmic=True),
    ]  # fmt: skip


def _quality() -> list[Panel]:
    return [
        series_panel("Expectations", "By outcome and severity. A critical one that fails closes the gate.",
                     Query(_each("quality_expectations", "outcome, severity"), "{{severity}}: {{outcome}}"), low=0,
                     stacked=True, links=[runbook("NightjarQualityFailed"), runbook("NightjarQualityWarning")]),
        series_panel("Rows", "Rows of both snapshots.", Query(_each("rows", "snapshot"), "{{snapshot}}"), low=0),
        series_panel("Fresh and whole", "1 where the newest data was too old; parts of the night that broke.",
                     Query(one("data_stale"), "stale"), Query(one("broken_measurements"), "broken parts"), low=0,
                     links=[runbook("NightjarStale"), runbook("NightjarNightIncomplete")]),
        series_panel("How long the night took", "Step by step; after the page several go on at once.",
                     Query(_each("step_duration_seconds", "step"), "{{step}}"), unit="s", low=0, stacked=True),
    ]  # fmt: skip


def _performance() -> list[Panel]:
    ends = [Query(_each(f"performance_{end}", "metric, source"), f"{{{{metric}}}} {{{{source}}}}, {end}")
            for end in ("low", "high")]  # fmt: skip
    spans = [Query(_each(f"performance_over_nights{end}", "metric, nights"), "{{metric}} {{nights}} nights" + word)
             for end, word in (("", ""), ("_low", ", low"), ("_high", ", high"))]  # fmt: skip
    return [
        series_panel("Main metric, its limit and the reference", "What the verdict is about: `realised` on labels, or "
                     "`estimated` before they come; what it must not be worse than; the reference's own value.",
                     Query(_each("performance_judged", "metric, basis"), "{{metric}} {{basis}}"),
                     Query(_each("performance_limit", "metric"), "{{metric}}, limit"),
                     Query(_each("performance_reference", "metric"), "{{metric}}, reference"),
                     links=[runbook("NightjarModelDegraded"), runbook("NightjarModelDegradedEstimated")]),
        series_panel("Metrics that are worse than they may be",
                     "By what shows it. Beyond the noise of looking every night.",
                     Query(_each("performance_breaches", "basis"), "{{basis}}"), Query(one("degraded"), "degraded"),
                     low=0, levels=ZERO_IS_GOOD),
        series_panel("All metrics", "Realised on the last labelled night, of the reference, estimated for tonight.",
                     Query(_each("performance", "metric, source"), "{{metric}} {{source}}")),
        series_panel("Their 95% intervals", "Low and high ends of the same.", *ends),
        series_panel("Over the last nights together", "Steadier than one night, with its 95% interval.", *spans),
        series_panel("Verdict and estimate",
                     "The verdict on performance, and whether the estimate no longer holds: then "
                     "labels alone say how the model does.",
                     Query(f"{_each('performance_verdict', 'verdict')} > 0", "{{verdict}}"),
                     Query(one("estimator_withdrawn"), "estimate withdrawn"), low=0, high=1,
                     links=[runbook("NightjarEstimatorWithdrawn")]),
    ]  # fmt: skip


def _labels() -> list[Panel]:
    return [
        series_panel("Labelled predictions", "Of the last labelled night, and of the judged day itself.",
                     Query(one("label_coverage_ratio"), "last labelled night"),
                     Query(one("own_label_coverage_ratio"), "judged day"), unit="percentunit", low=0, high=1, span=8),
        series_panel("Label delay",
                     "From the newest day that has labels to the judged day, beside what the monitor file "
                     "says.", Query(one("label_delay_days"), "newest labels"),
                     Query(one("label_delay_expected_days"), "due after"), unit="d", low=0, span=8),
        series_panel("Labels overdue", "Days whose labels are due, and of which none has come. From 3 on it rings.",
                     Query(one("labels_overdue_days"), "overdue"), Query(one("labels_final"), "last night is final"),
                     low=0, span=8, levels=((None, GOOD), (3, NOTICE)), links=[runbook("NightjarLabelsOverdue")]),
    ]  # fmt: skip


def _retraining() -> list[Panel]:
    loss = [Query(_each(f"probation_loss_difference{end}", "loss"), f"{{{{loss}}}}{word}")
            for end, word in (("", ""), ("_low", ", low"), ("_high", ", high"))]  # fmt: skip
    return [
        series_panel("Asked for and held", "Whether the night asked for a retraining, and the reason that holds it.",
                     Query(one("retraining_requested"), "asked for"),
                     Query(f"{_each('retraining_held', 'reason')} > 0", "held: {{reason}}"), low=0, high=1, span=8,
                     links=[runbook("NightjarRetrainingHeld")]),
        series_panel("Outcome", "What came of the last retraining.",
                     Query(f"{_each('retraining_status', 'status')} > 0", "{{status}}"), low=0, high=1, span=8,
                     links=[runbook("NightjarRetrainingFailed"), runbook("NightjarChallengersRejected"),
                            runbook("NightjarRetrainingWithoutData")]),
        series_panel("Versions", "The champion, and the version that was trained last.",
                     Query(one("retraining_champion_version"), "champion"),
                     Query(one("retraining_challenger_version"), "trained last"), low=0, span=8),
        series_panel("Champion and challenger", "Both on the rows that the last retraining held out.",
                     Query(_each("retraining_performance", "metric, model"), "{{metric}} {{model}}")),
        series_panel("How much better the challenger was",
                     "With its 95% interval: promoted only where the gate is sure.",
                     Query(_each("retraining_improvement", "metric, bound"), "{{metric}}, {{bound}}")),
        series_panel("A champion on probation",
                     "What it loses on a row less what the one before does, with an interval "
                     "that holds over all nights: over zero it is worse.", *loss,
                     links=[runbook("NightjarRollbackProposed"), runbook("NightjarChampionRolledBack")]),
        stat_panel("On probation",
                   "Whether the champion before answers beside a new one.", one("champion_on_probation"),
                   words=YES_NO),
        stat_panel("Last retraining", "How long ago it ended.", f"time() - {one('last_retraining_timestamp_seconds')}",
                   unit="dtdurations"),
        stat_panel("Its newest data", "The day up to which it used data.",
                   f"{one('retraining_run_date_timestamp_seconds')} * 1000", unit="dateTimeAsIso"),
        series_panel("Rows of the last retraining", "For training, and held out.",
                     Query(_each("retraining_rows", "part"), "{{part}}"), low=0),
    ]  # fmt: skip


def _incidents() -> list[Panel]:
    ringing = f'sum by (alertname, severity) (ALERTS{{alertstate="firing", {M}}})'
    failed = f"time() - {_each('last_failure_timestamp_seconds', 'task')}"
    return [
        series_panel("What rings", "Alerts of this monitor over time. Each has a runbook of its name.",
                     Query(ringing, "{{alertname}} ({{severity}})"), low=0, stacked=True),
        table_panel("When a night last broke", "And at which step; gone after the next good night.", {"ago": failed},
                    labels=("task",), units={"ago": "dtdurations"}, span=6),
        series_panel("Muted",
                     "1 where nobody is told of this monitor, but of broken data.", Query(one("muted"), "muted"),
                     low=0, high=1, span=6),
    ]  # fmt: skip


def _columns() -> list[Panel]:
    def panel(title: str, text: str, name: str, unit: str = "short") -> Panel:
        return series_panel(title, text, Query(f"topk({MOST}, {_each(name, 'column')})", "{{column}}"), unit=unit)

    medians = _each("column_quantile", "column", ', quantile="0.5"')
    asked = "Only where `drift.profile_gauges` asks for it."
    return [
        panel("Mean", f"Of each column's finite numbers. {asked}", "column_mean"),
        panel("Deviation", f"Their standard deviation. {asked}", "column_deviation"),
        panel("Missing values", f"Rows without a value. {asked}", "column_missing_ratio", "percentunit"),
        panel("Different categories", f"As a part of the rows that have one. {asked}", "column_distinct_ratio",
              "percentunit"),
        series_panel("Medians", f"Of each column of numbers. {asked}",
                     Query(f"topk({MOST}, {medians})", "{{column}}")),
    ]  # fmt: skip
