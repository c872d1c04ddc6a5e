"""The night's gauges: their text, and what a real Pushgateway and a real Prometheus make of it."""

from __future__ import annotations

import dataclasses
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from pipeline import __version__
from pipeline.errors import ConfigError, OutletRefused, OutletUnavailable
from pipeline.publish.facts.night import NightView
from pipeline.publish.gauges import families
from pipeline.publish.gauges import night as gauges
from pipeline.results import DriftResult
from tests.publish import budgets, samples
from tests.publish.performances import VIEWS
from tests.publish.reading import read_gauges
from tests.publish.samples import HOSTILE, NOW
from tests.servers.prometheus import Prometheus
from tests.servers.pushgateway import Pushgateway
from tests.servers.webhook import Webhook


def hostile_view() -> NightView:
    """A night in which every column has a name somebody chose with care."""
    columns = tuple(samples.column(2 * place, True, name) for place, name in enumerate(HOSTILE))
    drift = DriftResult(snapshots="", drift_share=1.0, limit=0.3, drifted=True, columns=columns)
    return dataclasses.replace(samples.view(), drift=drift)


def no_sleep(seconds: float) -> None:
    """Instead of waiting between attempts."""


def test_where_importances_decide_the_gauges_have_them_and_the_share_they_give() -> None:
    found = read_gauges(gauges.exposition(dataclasses.replace(samples.view(), drift=samples.weighed())))
    assert found["drift_share_ratio"] == [({}, 0.2)]
    assert found["weighted_drift_share_ratio"] == found["decisive_drift_share_ratio"]
    assert found["decisive_drift_share_ratio"][0][1] == pytest.approx(0.44)
    assert ({"column": "age"}, 0.37) in found["column_importance_ratio"]
    without = read_gauges(gauges.exposition(samples.view()))
    assert without["decisive_drift_share_ratio"] == [({}, 0.5)]
    assert not {"weighted_drift_share_ratio", "column_importance_ratio"} & without.keys()


def test_a_night_on_a_budget_says_how_rare_it_and_each_of_its_columns_are() -> None:
    view = budgets.VIEWS["budget"]
    found = read_gauges(gauges.exposition(view))
    assert found["night_chance_ratio"] == [({}, 1 / 4_023)]
    columns = {item.name: item.chance for item in view.drift.columns}
    assert {labels["column"]: value for labels, value in found["column_chance_ratio"]} == columns
    for other in (samples.view(), budgets.VIEWS["by-chance"]):
        assert not [name for name in read_gauges(gauges.exposition(other)) if "chance" in name]


def test_too_few_rows_are_a_status_of_their_own() -> None:
    found = read_gauges(gauges.exposition(budgets.VIEWS["few-rows"]))
    assert [labels["status"] for labels, value in found["status"] if value] == ["too_few_rows"]
    assert found["retraining_requested"] == [({}, 0.0)]
    assert not any(value for _, value in found["retraining_held"])


def test_stale_data_is_a_gauge_of_its_own() -> None:
    assert read_gauges(gauges.exposition(samples.view()))["data_stale"] == [({}, 0.0)]
    late = dataclasses.replace(samples.view(), quality=samples.stale())
    assert read_gauges(gauges.exposition(late))["data_stale"] == [({}, 1.0)]


def test_the_gauges_say_what_the_results_say() -> None:
    found = read_gauges(gauges.exposition(samples.view()))
    assert found["drift_share_ratio"] == [({}, 0.5)]
    assert found["drift_limit_ratio"] == [({}, 0.3)]
    assert found["columns_drifted"] == [({}, 9.0)]
    assert found["columns_evaluated"] == [({}, 18.0)]
    assert found["columns_not_evaluable"] == [({}, 0.0)]
    assert found["quality_passed"] == [({}, 1.0)]
    assert found["retraining_requested"] == [({}, 1.0)]
    assert found["run_date_timestamp_seconds"] == [({}, datetime(2026, 1, 14, tzinfo=UTC).timestamp())]
    assert ({"status": "drifted"}, 1.0) in found["status"]
    assert sum(value for _, value in found["status"]) == 1.0
    assert ({"snapshot": "production"}, 3412.0) in found["rows"]
    assert ({"outcome": "failed", "severity": "warning"}, 1.0) in found["quality_expectations"]
    assert sum(value for _, value in found["quality_expectations"]) == 10.0
    assert ({"metric": "roc_auc", "source": "realised"}, 0.8047) in found["performance"]
    assert len(found["column_drift_score"]) == len(found["column_drifted"]) == 18


def test_names_and_labels_follow_the_conventions() -> None:
    found = read_gauges(gauges.exposition(samples.view())) | read_gauges(gauges.exposition(VIEWS["degraded"]))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in found)
    labels = {label for series in found.values() for names, _ in series for label in names}
    known = {"column", "method", "outcome", "severity", "snapshot", "metric", "source", "status", "reason"}
    assert labels == known | {"basis", "nights", "verdict", "owner", "environment", "page", "version", "state"}


def test_the_version_of_what_judged_the_night_is_told() -> None:
    assert read_gauges(gauges.exposition(samples.view()))["build_info"] == [({"version": __version__}, 1.0)]


def test_performance_comes_with_intervals_limit_verdict_and_coverage() -> None:
    found = read_gauges(gauges.exposition(VIEWS["degraded"]))
    assert ({"metric": "roc_auc", "source": "estimated"}, 0.8512) in found["performance"]
    of_night = {"metric": "roc_auc", "source": "realised"}
    low, value, high = (
        dict_of(found[name], of_night) for name in ("performance_low", "performance", "performance_high")
    )
    assert low < value < high
    assert dict_of(found["performance_over_nights"], {"metric": "roc_auc", "nights": "30"}) == 0.7334
    assert found["performance_judged"] == [({"metric": "roc_auc", "basis": "realised"}, 0.4712)]
    assert found["performance_limit"] == [({"metric": "roc_auc"}, 0.8134)]
    assert found["performance_reference"] == [({"metric": "roc_auc"}, 0.8634)]
    assert found["degraded"] == [({}, 1.0)]
    assert found["performance_breaches"] == [({"basis": "realised"}, 2.0), ({"basis": "estimated"}, 0.0)]
    assert dict_of(found["performance_verdict"], {"verdict": "degraded"}) == 1.0
    assert found["label_coverage_ratio"] == [({}, 0.963)]
    assert found["own_label_coverage_ratio"][0][1] == pytest.approx(0.351, abs=1e-3)
    assert found["estimator_withdrawn"] == [({}, 0.0)]
    assert found["labels_overdue_days"] == [({}, 0.0)]
    assert found["label_delay_expected_days"] == [({}, float(VIEWS["degraded"].monitor.performance.label_delay_days))]
    assert found["label_delay_days"] == [({}, 0.0)]
    assert dict_of(found["status"], {"status": "degraded"}) == 1.0


def test_how_old_the_newest_labels_are_is_told_and_absent_where_none_have_come() -> None:
    view = samples.view()
    found = read_gauges(gauges.exposition(view))
    due = view.performance.labels_date
    assert due is not None
    assert found["label_delay_days"] == [({}, float((view.run_date - due).days))]
    none = dataclasses.replace(view, performance=samples.performance(measured=False))
    assert "label_delay_days" not in read_gauges(gauges.exposition(none))
    assert "label_delay_days" not in read_gauges(gauges.exposition(VIEWS["guessed"]))


def test_before_labels_the_estimate_is_told_and_nothing_is_said_to_be_realised() -> None:
    found = read_gauges(gauges.exposition(VIEWS["guessed"]))
    assert {labels["source"] for labels, _ in found["performance"]} == {"estimated"}
    assert found["performance_breaches"] == [({"basis": "realised"}, 0.0), ({"basis": "estimated"}, 1.0)]
    assert found["labels_overdue_days"] == [({}, 1.0)]
    withdrawn = read_gauges(gauges.exposition(VIEWS["withdrawn"]))
    assert withdrawn["estimator_withdrawn"] == [({}, 1.0)]


def test_a_night_without_a_verdict_says_nothing_of_one() -> None:
    found = read_gauges(gauges.exposition(samples.view()))
    assert not {"degraded", "performance_verdict", "performance_breaches", "estimator_withdrawn"} & found.keys()


def dict_of(series: list[tuple[dict[str, str], float]], labels: dict[str, str]) -> float:
    """The one value with just these labels."""
    (value,) = (value for found, value in series if found == labels)
    return value


def test_equal_nights_give_equal_bytes_without_the_moment_of_success() -> None:
    text = gauges.exposition(samples.view())
    assert text == gauges.exposition(samples.view())
    assert b"success" not in text


def test_performance_that_was_not_measured_is_absent_and_not_zero() -> None:
    view = dataclasses.replace(samples.view(), performance=samples.performance(measured=False))
    assert "performance" not in read_gauges(gauges.exposition(view))


def test_of_many_columns_the_most_drifted_thousand_are_kept() -> None:
    view = dataclasses.replace(samples.view(), drift=samples.drift(columns=1500, drifted=400))
    found = read_gauges(gauges.exposition(view))
    assert len(found["column_drifted"]) == 1000
    assert sum(value for _, value in found["column_drifted"]) == 400.0
    assert found["columns_evaluated"] == [({}, 1500.0)]


def test_columns_without_a_score_have_no_score_series() -> None:
    view = dataclasses.replace(samples.view(), drift=samples.drift(not_evaluable=2))
    found = read_gauges(gauges.exposition(view))
    assert found["columns_not_evaluable"] == [({}, 2.0)]
    assert not [labels for labels, _ in found["column_drift_score"] if labels["column"].startswith("broken")]


def test_long_names_are_shortened_and_stay_different() -> None:
    labels = {families.column_label("x" * 10_000), families.column_label("x" * 9_999 + "y"), families.column_label("x")}
    assert len(labels) == 3
    assert max(map(len, labels)) == families.MAX_LABEL


def test_hostile_names_are_labels_like_any_other(pushgateway: Pushgateway, prometheus: Prometheus) -> None:
    gauges.push(gauges.exposition(hostile_view()), "churn", pushgateway.url, NOW)
    prometheus.wait_for("model_monitor_drift_share_ratio == 1")
    scraped = {sample.labels["column"] for sample in prometheus.query("model_monitor_column_drifted")}
    assert scraped == {families.column_label(name) for name in HOSTILE}


def test_a_pushed_night_is_scraped_under_its_monitor(pushgateway: Pushgateway, prometheus: Prometheus) -> None:
    gauges.push(gauges.exposition(samples.view()), "churn", pushgateway.url, NOW)
    (share,) = prometheus.wait_for('model_monitor_drift_share_ratio{job="nightjar"}')
    assert share.labels == {"job": "nightjar", "monitor": "churn"}
    assert share.value == 0.5
    (success,) = prometheus.query("model_monitor_last_success_timestamp_seconds")
    assert success.value == NOW


def test_a_push_replaces_the_night_before_and_no_other_monitor(pushgateway: Pushgateway) -> None:
    wide = dataclasses.replace(samples.view(), drift=samples.drift(columns=18))
    narrow = dataclasses.replace(samples.view(), drift=samples.drift(columns=4, drifted=1))
    for monitor in ("churn", "fraud"):
        gauges.push(gauges.exposition(wide), monitor, pushgateway.url, NOW)
    gauges.push(gauges.exposition(narrow), "churn", pushgateway.url, NOW + 86_400)
    drifted = pushgateway.samples("model_monitor_column_drifted")
    by_monitor = [sample.labels["monitor"] for sample in drifted]
    assert (by_monitor.count("churn"), by_monitor.count("fraud")) == (4, 18)


def test_a_failure_leaves_the_last_good_gauges_and_the_next_success_clears_it(pushgateway: Pushgateway) -> None:
    text = gauges.exposition(samples.view())
    gauges.push(text, "churn", pushgateway.url, NOW)
    gauges.push_failure("churn", pushgateway.url, "pull_snapshots", NOW + 1)
    gauges.push_failure("churn", pushgateway.url, "measure_drift", NOW + 2)
    assert pushgateway.value("model_monitor_drift_share_ratio", monitor="churn") == 0.5
    assert pushgateway.value("model_monitor_last_success_timestamp_seconds") == NOW
    assert pushgateway.value("model_monitor_last_failure_timestamp_seconds", task="measure_drift") == NOW + 2
    assert pushgateway.value("model_monitor_last_attempt_timestamp_seconds") == NOW + 2
    gauges.push(text, "churn", pushgateway.url, NOW + 3)
    assert not pushgateway.samples("model_monitor_last_failure_timestamp_seconds")
    assert pushgateway.value("model_monitor_last_attempt_timestamp_seconds") == NOW + 3


def test_how_long_steps_took_goes_with_the_push_and_not_with_the_text(pushgateway: Pushgateway) -> None:
    text = gauges.exposition(samples.view())
    assert b"step_duration" not in text
    gauges.push(text, "churn", pushgateway.url, NOW, durations={"measure_drift": 61.5, "decide": 0.2})
    assert pushgateway.value("model_monitor_step_duration_seconds", step="measure_drift") == 61.5
    gauges.push(text, "churn", pushgateway.url, NOW, durations={"decide": 0.3})
    (left,) = pushgateway.samples("model_monitor_step_duration_seconds")
    assert (left.labels["step"], left.value) == ("decide", 0.3)


def test_what_the_gateway_cannot_read_is_refused(pushgateway: Pushgateway) -> None:
    with pytest.raises(OutletRefused, match="refused the gauges with 400"):
        gauges.push(b"no gauge\n", "churn", pushgateway.url, NOW)


def test_user_and_password_travel_as_basic_auth(webhook: Webhook) -> None:
    url = webhook.url.replace("://", "://night%40jar:p%2Fw%3A1@")
    gauges.push(b"x 1\n", "churn", url + "/behind/a/proxy/", NOW)
    (request,) = webhook.requests
    assert (request.method, request.path) == ("PUT", "/behind/a/proxy/metrics/job/nightjar/monitor/churn")
    assert request.headers["authorization"] == "Basic bmlnaHRAamFyOnAvdzox"
    assert request.body.startswith(b"x 1\n")


def test_a_gateway_that_stumbles_is_asked_again(webhook: Webhook) -> None:
    waits: list[float] = []
    webhook.respond(503, times=2)
    gauges.push(b"x 1\n", "churn", webhook.url, NOW, waits.append)
    assert len(webhook.requests) == 3
    assert waits == sorted(waits)
    assert waits[0] > 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_gateway_that_keeps_failing_is_unavailable(webhook: Webhook, status: int) -> None:
    webhook.respond(status, times=10)
    with pytest.raises(OutletUnavailable, match=str(status)):
        gauges.push(b"x 1\n", "churn", webhook.url, NOW, no_sleep)
    assert len(webhook.requests) == 4


@pytest.mark.parametrize("status", [307, 400, 401, 403, 404])
def test_a_final_answer_is_not_asked_for_twice(webhook: Webhook, status: int) -> None:
    webhook.respond(status, times=10, headers={"Location": "/elsewhere"} if status == 307 else None)
    with pytest.raises(OutletRefused, match=str(status)):
        gauges.push(b"x 1\n", "churn", webhook.url, NOW, no_sleep)
    assert len(webhook.requests) == 1


@pytest.mark.parametrize("push", [lambda url: gauges.push(b"x 1\n", "churn", url, NOW, no_sleep),
                                  lambda url: gauges.push_failure("churn", url, "decide", NOW, no_sleep)])  # fmt: skip
def test_nobody_listening_is_told_without_the_password(push: Callable[[str], None]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        port = taken.getsockname()[1]
        with pytest.raises(OutletUnavailable, match=f"http://127.0.0.1:{port} cannot be reached") as caught:
            push(f"http://nightjar:s3cret@127.0.0.1:{port}")
    assert "s3cret" not in str(caught.value)
    assert "connection refused; check that it runs" in str(caught.value)


@pytest.mark.parametrize("url", ["http://", "http://user:s3/cret@host", "http://host:0"])
def test_an_address_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(ConfigError, match="PIPELINE_PUSHGATEWAY_URL") as caught:
        gauges.push(b"", "churn", url, NOW, no_sleep)
    assert "cret" not in str(caught.value)
