"""The dashboard of all monitors: which of them need somebody, and who that is."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.boards import Content, board, environment, monitor, owner
from deploy.grafana.panels import (
    BAD,
    GOOD,
    NOTICE,
    ONE_IS_GOOD,
    STATE_WORDS,
    ZERO_IS_GOOD,
    ZERO_OR_BAD,
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

M = 'environment=~"$environment", monitor=~"$monitor"'
SHARE = (
    f"max by (monitor) (model_monitor_decisive_drift_share_ratio{{{M}}}) "
    f"/ on (monitor) max by (monitor) (model_monitor_drift_limit_ratio{{{M}}})"
)
SINCE = f"time() - max by (monitor) (model_monitor_last_success_timestamp_seconds{{{M}}})"
NEVER = (
    'max by (environment, monitor, owner) (model_monitor_configured{environment=~"$environment", owner=~"$owner"}) '
    "unless on (environment, monitor) model_monitor_last_attempt_timestamp_seconds "
    "unless on (environment, monitor) model_monitor_last_success_timestamp_seconds"  # all that earlier versions told
)
WHOSE = f"on (environment, monitor) group_left (owner) model_monitor_info{{{M}}}"
OF_LIMIT: Levels = ((None, GOOD), (0.8, NOTICE), (1.001, BAD))  # the limit itself holds
LATE = f"max by (monitor) (model_monitor_next_night_due_timestamp_seconds{{{M}}}) < time()"
OVERDUE = f"clamp_min(time() - max by (monitor) (model_monitor_next_night_due_timestamp_seconds{{{M}}}), 0)"
TO_MONITOR = ("Open this monitor", "/d/nightjar-monitor?var-monitor=${__data.fields.monitor}")
TO_PAGE = ("Open its page", "${__data.fields.page}")


def build() -> models.Dashboard:
    """The whole dashboard."""
    content: Content = (
        ("How it stands", _standing()),
        ("Drift", _drift()),
        ("Data", _data()),
        ("Models", _models()),
        ("Retraining", _retraining()),
        ("Whose", _whose()),
    )
    variables = (environment(), owner(), monitor(several=True))
    text = "All monitors: which of them need somebody, and who that is."
    return board("nightjar-fleet", "Nightjar: fleet", text, content, variables=variables)


def _count(title: str, text: str, states: str, levels: Levels, alert: str) -> Panel:
    expr = f'sum(max by (monitor, status) (model_monitor_status{{{M}, status=~"{states}"}}))'
    return stat_panel(title, text, expr, levels=levels, links=[runbook(alert)])


def _standing() -> list[Panel]:
    rows = {
        "": f"max by (monitor, owner, environment, page) (model_monitor_info{{{M}}})",
        "verdict": state_of(M),
        "drift of limit": SHARE,
        "quality": f"min by (monitor) (model_monitor_quality_passed{{{M}}})",
        "last good night": SINCE,
        "late by": OVERDUE,
        "retraining asked": f"max by (monitor) (model_monitor_retraining_requested{{{M}}})",
        "rows": f'max by (monitor) (model_monitor_rows{{{M}, snapshot="production"}})',
        "broken parts": f"max by (monitor) (model_monitor_broken_measurements{{{M}}})",
    }
    return [
        stat_panel("Monitors", "Monitors that have had a good night.", f"count(model_monitor_info{{{M}}})"),
        _count("Healthy", "Monitors whose last night asks for nothing.", "healthy", ((None, GOOD),), "NightjarDrifted"),
        _count("Drifted or degraded", "Monitors over their drift limit, or whose model is worse than it may be.",
               "drifted|degraded", ZERO_IS_GOOD, "NightjarModelDegraded"),
        _count("Broken data", "Monitors whose data failed a critical expectation, or could not be compared.",
               "data_broken", ZERO_OR_BAD, "NightjarQualityFailed"),
        stat_panel("Late or missing", "Monitors whose next night should be there by their schedule.",
                   f"count({LATE}) or vector(0)", levels=ZERO_OR_BAD,
                   links=[runbook("NightjarNightLate"), runbook("NightjarNightMissing")]),
        stat_panel("Never ran", "Monitor files without any night, good or bad.", f"count({NEVER}) or vector(0)",
                   levels=ZERO_IS_GOOD, links=[runbook("NightjarNeverRan")]),
        table_panel(
            "Every monitor",
            "Its last good night. `drift of limit` is the drift share as a part of its limit: from 100% on it drifted. "
            "A name leads to the monitor's dashboard, a page to its report.",
            rows,
            labels=("monitor", "owner", "environment", "page"),
            units={"drift of limit": "percentunit", "last good night": "dtdurations", "late by": "dtdurations"},
            colours={"drift of limit": OF_LIMIT, "quality": ONE_IS_GOOD, "late by": ZERO_IS_GOOD,
                     "retraining asked": ZERO_IS_GOOD, "broken parts": ZERO_IS_GOOD},
            links={"monitor": TO_MONITOR, "page": TO_PAGE},
            words={"verdict": STATE_WORDS},
        ),
        stat_panel("Open incidents", "Monitors whose newest nights in a row are in trouble.",
                   f"sum(model_monitor_incident_open{{{M}}})", levels=ZERO_IS_GOOD),
        bars_panel("Nights of open incidents", "Troubled nights in a row so far.",
                   Query(f"max by (monitor) (model_monitor_incident_nights{{{M}}})"), levels=((None, NOTICE),)),
        bars_panel("Age of open incidents", "Since the day that the first of them is about.",
                   Query(f"time() - max by (monitor) (model_monitor_incident_started_timestamp_seconds{{{M}}})"),
                   levels=((None, NOTICE),), unit="dtdurations"),
        states_panel("Verdicts over time", "What each night said, by monitor.", Query(state_of(M)), STATE_WORDS),
    ]  # fmt: skip


def _drift() -> list[Panel]:
    return [
        bars_panel("Drift share, of the limit", "The share that decides, as a part of the limit that it is held "
                   "against: over 100% the night drifted, from 80% it is near.", Query(SHARE), levels=OF_LIMIT,
                   unit="percentunit"),
        series_panel("Drift share over time, of the limit", "The same over time. Dashed: 80%, and the limit.",
                     Query(SHARE), unit="percentunit", levels=OF_LIMIT, low=0,
                     links=[runbook("NightjarDrifted"), runbook("NightjarDriftNearLimit")]),
        series_panel("Columns that drifted", "Columns past their threshold, whether or not they took the night over "
                     "its limit.", Query(f"max by (monitor) (model_monitor_columns_drifted{{{M}}})"), low=0),
        series_panel("Columns that could not be compared", "Empty, infinite or of another type: left out of the "
                     "share, so many of them say that little is watched.",
                     Query(f"max by (monitor) (model_monitor_columns_not_evaluable{{{M}}})"), low=0,
                     links=[runbook("NightjarNothingComparable")]),
    ]  # fmt: skip


def _data() -> list[Panel]:
    failed = f'sum by (monitor, severity) (model_monitor_quality_expectations{{{M}, outcome="failed"}})'
    return [
        series_panel("Failed expectations", "A critical one closes the gate: data is broken, and nothing is retrained. "
                     "A warning is for somebody to look at.", Query(failed, "{{monitor}}: {{severity}}"), low=0,
                     links=[runbook("NightjarQualityFailed"), runbook("NightjarQualityWarning")]),
        series_panel("Production rows", "Rows of each night. A sudden fall is mostly a delivery that is not whole.",
                     Query(f'max by (monitor) (model_monitor_rows{{{M}, snapshot="production"}})'), low=0),
        series_panel("Stale data", "1 where the newest data was older than the monitor allows.",
                     Query(f"max by (monitor) (model_monitor_data_stale{{{M}}})"), low=0, high=1,
                     links=[runbook("NightjarStale")]),
        series_panel("Labels overdue", "Days whose labels are due, and of which none has come: until then nobody knows "
                     "how well the model does. From 3 days on it rings.",
                     Query(f"max by (monitor) (model_monitor_labels_overdue_days{{{M}}})"), unit="d", low=0,
                     levels=((None, GOOD), (3, NOTICE)), links=[runbook("NightjarLabelsOverdue")]),
    ]  # fmt: skip


def _models() -> list[Panel]:
    margin = (
        f"abs(max by (monitor, metric) (model_monitor_performance_judged{{{M}}}) - on (monitor, metric) "
        f"max by (monitor, metric) (model_monitor_performance_limit{{{M}}}))"
    )
    return [
        series_panel("Verdicts on models", "How many models are sound, degraded, or cannot be judged yet.",
                     Query(f"sum by (verdict) (model_monitor_performance_verdict{{{M}}})", "{{verdict}}"), low=0,
                     stacked=True, links=[runbook("NightjarModelDegraded"), runbook("NightjarModelDegradedEstimated")]),
        series_panel("Objectives", "Models that keep the limits under `performance`, miss them beyond the noise, or of "
                     "which nobody knows.", Query(f"sum by (state) (model_monitor_objective{{{M}}})", "{{state}}"),
                     low=0, stacked=True, links=[runbook("NightjarObjectiveUnknown")]),
        series_panel("Distance to the limit", "How far the main metric is from what it must not be worse than, on "
                     "either side, in the metric's own unit: near zero a night may tip.",
                     Query(margin, "{{monitor}}: {{metric}}"), low=0),
    ]  # fmt: skip


def _retraining() -> list[Panel]:
    ended = f"time() - max by (monitor) (model_monitor_last_retraining_timestamp_seconds{{{M}}})"
    return [
        series_panel("Retraining asked for, and held", "Monitors whose night asked for a retraining, and those where a "
                     "reason holds it.",
                     Query(f"sum(model_monitor_retraining_requested{{{M}}})", "asked for"),
                     Query(f"sum by (reason) (model_monitor_retraining_held{{{M}}}) > 0", "held: {{reason}}"), low=0,
                     links=[runbook("NightjarRetrainingHeld")]),
        bars_panel("What came of the last retraining", "Monitors by the outcome of their last retraining.",
                   Query(f"sum by (status) (model_monitor_retraining_status{{{M}}}) > 0", "{{status}}"),
                   levels=((None, "blue"),)),
        bars_panel("Time since the last retraining", "Of monitors that have had one.", Query(ended),
                   levels=((None, "blue"),), unit="dtdurations"),
        series_panel("Champions on probation", "Monitors where the champion before answers beside a new one, and those "
                     "where it was undone, or a person is asked to.",
                     Query(f"sum(model_monitor_champion_on_probation{{{M}}})", "on probation"),
                     Query(f"sum(model_monitor_champion_rolled_back{{{M}}})", "rolled back"),
                     Query(f"sum(model_monitor_champion_rollback_proposed{{{M}}})", "rollback proposed"), low=0,
                     links=[runbook("NightjarRollbackProposed"), runbook("NightjarChampionRolledBack")]),
    ]  # fmt: skip


def _whose() -> list[Panel]:
    states = f"sum by (owner, environment, status) ((model_monitor_status{{{M}}} == 1) * {WHOSE})"
    ringing = f'sum by (owner, severity) (ALERTS{{alertstate="firing", {M}}})'
    return [
        bars_panel("Monitors by owner, environment and verdict", "Whose monitors are in which state.",
                   Query(states, "{{owner}} ({{environment}}): {{status}}"), levels=((None, "blue"),)),
        series_panel("Alerts by owner", "What rings, by whom it is sent to. Quiet monitors have none.",
                     Query(ringing, "{{owner}}: {{severity}}"), low=0, stacked=True),
        table_panel("Monitors that never ran", "Monitor files without any night, and whose they are.",
                    {"monitor files": NEVER}, labels=("monitor", "owner"), span=12),
        series_panel("Muted monitors", "Monitors that send nobody anything for now, but of broken data.",
                     Query(f"sum(model_monitor_muted{{{M}}})", "muted"), low=0),
    ]  # fmt: skip
