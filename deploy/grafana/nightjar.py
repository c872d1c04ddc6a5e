"""The dashboard of Nightjar itself: whether nights run, gauges arrive, alerts are heard and the machine copes."""

from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.boards import Content, board, environment, monitor, owner
from deploy.grafana.fleet import NEVER, OVERDUE, SINCE, M
from deploy.grafana.panels import (
    BAD,
    GOOD,
    NOTICE,
    ONE_IS_GOOD,
    ZERO_IS_GOOD,
    ZERO_OR_BAD,
    Panel,
    Query,
    bars_panel,
    runbook,
    series_panel,
    stat_panel,
    table_panel,
)

UP = {"0": ("down", BAD), "1": ("up", GOOD)}
NODE = 'job="node"'


def build() -> models.Dashboard:
    """The whole dashboard."""
    content: Content = (
        ("Nights", _nights()),
        ("Pushgateway", _gateway()),
        ("Alerts", _alerts()),
        ("The machine (with the profile `node`)", _machine()),
    )
    text = "Nightjar itself: whether nights run, gauges arrive, alerts are heard, and the machine copes."
    return board(
        "nightjar-itself", "Nightjar: the pipeline", text, content,
        variables=(environment(), owner(), monitor(several=True)),
    )  # fmt: skip


def _nights() -> list[Panel]:
    failed = f"time() - max by (monitor, task) (model_monitor_last_failure_timestamp_seconds{{{M}}})"
    missing = f"max by (monitor) (model_monitor_second_night_due_timestamp_seconds{{{M}}}) - time()"
    planned = "max by (monitor) (model_monitor_first_night_due_timestamp_seconds) - time()"
    attempts = f"time() - max by (monitor) (model_monitor_last_attempt_timestamp_seconds{{{M}}})"
    return [
        bars_panel("Time since the last good night", "Whether that is too long is for the schedule to say.",
                   Query(SINCE), levels=((None, "blue"),), unit="dtdurations"),
        bars_panel("Time since the last attempt",
                   "A night that came to an end, well or not. Much younger than the last "
                   "good one: it keeps failing.", Query(attempts), levels=((None, "blue"),),
                   unit="dtdurations"),
        bars_panel("Late by", "How long ago the next night should have been there, by the monitor's schedule.",
                   Query(OVERDUE), levels=ZERO_IS_GOOD, unit="dtdurations"),
        bars_panel("Until two nights are missing", "By the monitor's schedule: below zero nobody knows how it does.",
                   Query(missing), levels=((None, BAD), (0, GOOD)), unit="dtdurations"),
        bars_panel("Until a next night would be late", "By the schedules of the monitor files, also of monitors that "
                   "never ran.", Query(planned), levels=((None, BAD), (0, "blue")), unit="dtdurations"),
        series_panel("How long steps take", "Of all chosen monitors together.",
                     Query(f"sum by (step) (model_monitor_step_duration_seconds{{{M}}})", "{{step}}"), unit="s", low=0,
                     stacked=True),
        series_panel("The longest nights", "Steps of each night together. A night that comes near its schedule's next "
                     "start is given up.",
                     Query(f"topk(10, sum by (monitor) (model_monitor_step_duration_seconds{{{M}}}))"), unit="s", low=0,
                     links=[runbook("NightjarNightGivenUp")]),
        table_panel("Nights that broke", "The last failure of each monitor, since its last good night, and the step.",
                    {"ago": failed}, labels=("monitor", "task"), units={"ago": "dtdurations"}, span=12),
        series_panel("Broken parts", "Measurements, files and pages of a night that an error kept from an end.",
                     Query(f"max by (monitor) (model_monitor_broken_measurements{{{M}}})"), low=0, levels=ZERO_IS_GOOD,
                     links=[runbook("NightjarNightIncomplete")]),
        stat_panel("Never ran", "Monitor files without any night, good or bad.", f"count({NEVER}) or vector(0)",
                   levels=ZERO_IS_GOOD, links=[runbook("NightjarNeverRan")]),
        stat_panel("Wrong monitor files", "`python -m pipeline check` says what is wrong with them.",
                   "max(model_monitor_wrong_monitor_files)", levels=ZERO_OR_BAD),
        bars_panel("Versions of Nightjar", "Monitors by the version that judged their last night.",
                   Query(f"count by (version) (model_monitor_build_info{{{M}}})", "{{version}}"),
                   levels=((None, "blue"),), span=16),
    ]  # fmt: skip


def _gateway() -> list[Panel]:
    pushed = f'job="nightjar", {M}'
    return [
        stat_panel("Pushgateway", "Whether Prometheus can scrape it: without it no alert of a model is true.",
                   'min(up{job="pushgateway"})', levels=ONE_IS_GOOD, words=UP,
                   links=[runbook("NightjarPushgatewayDown")]),
        stat_panel("Refused pushes", "Groups whose last push was refused: they show an older night.",
                   'count(push_failure_time_seconds{job="nightjar"} > push_time_seconds{job="nightjar"}) or vector(0)',
                   levels=ZERO_OR_BAD, links=[runbook("NightjarPushRefused")]),
        stat_panel("Groups", "What it keeps of Nightjar: nights, retrainings, probations, and one of all monitors.",
                   'count(push_time_seconds{job="nightjar"})'),
        series_panel("Time since the last push", "By monitor and kind of gauges; those of a night have no kind.",
                     Query(f"time() - push_time_seconds{{{pushed}}}", "{{monitor}} {{flow}}"), low=0,
                     unit="dtdurations"),
    ]  # fmt: skip


def _alerts() -> list[Panel]:
    return [
        series_panel("What rings", "All alerts of Nightjar. `NightjarWatchdog` always does: that it stops is the news.",
                     Query('sum by (alertname, severity) (ALERTS{alertstate="firing"})', "{{alertname}} {{severity}}"),
                     low=0, stacked=True, links=[runbook("NightjarWatchdog"), runbook("NightjarNoGauges")]),
        series_panel("Up", "What Prometheus scrapes.", Query("min by (job) (up)", "{{job}}"), low=0, high=1,
                     levels=ONE_IS_GOOD),
        series_panel("Messages that failed",
                     "Of Alertmanager in the last hour, by what they go through. Nobody heard them.",
                     Query("sum by (integration) (increase(alertmanager_notifications_failed_total[1h]))",
                           "{{integration}}"), low=0, levels=ZERO_OR_BAD),
        series_panel("Messages", "Of Alertmanager in the last hour, by what they go through.",
                     Query("sum by (integration) (increase(alertmanager_notifications_total[1h]))", "{{integration}}"),
                     low=0),
        series_panel("Rules that cannot be evaluated",
                     "In the last hour, by group. Mostly two series where one is meant.",
                     Query('sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total[1h]))',
                           "{{rule_group}}"), low=0, levels=ZERO_OR_BAD),
        series_panel("Alerts on the way to Alertmanager", "Dropped in the last hour, and waiting.",
                     Query("sum(increase(prometheus_notifications_dropped_total[1h]))", "dropped"),
                     Query("sum(prometheus_notifications_queue_length)", "waiting"), low=0),
    ]  # fmt: skip


def _machine() -> list[Panel]:
    files = f'{NODE}, fstype!~"tmpfs|overlay|squashfs|ramfs|fuse.*"'
    free = f"node_filesystem_avail_bytes{{{files}}} / node_filesystem_size_bytes{{{files}}}"
    return [
        series_panel("Processors", "How busy they are.",
                     Query(f'1 - avg by (instance) (rate(node_cpu_seconds_total{{{NODE}, mode="idle"}}[5m]))', "busy"),
                     unit="percentunit", low=0, high=1),
        series_panel("Memory", "What is available. All nights of a minute run at once.",
                     Query(f"node_memory_MemAvailable_bytes{{{NODE}}}", "available"),
                     Query(f"node_memory_MemTotal_bytes{{{NODE}}}", "in all"), unit="bytes", low=0),
        series_panel("Free disk", "By file system. Below a tenth the store, the caches and PostgreSQL are in danger.",
                     Query(f"min by (mountpoint) ({free})", "{{mountpoint}}"), unit="percentunit", low=0, high=1,
                     levels=((None, BAD), (0.1, NOTICE), (0.25, GOOD))),
        series_panel("Load", "Processes that run or wait, beside the processors that there are.",
                     Query(f"node_load5{{{NODE}}}", "over 5 minutes"),
                     Query(f'count by (instance) (node_cpu_seconds_total{{{NODE}, mode="idle"}})', "processors"),
                     low=0),
    ]  # fmt: skip
