"""The gauges of a retraining."""

from __future__ import annotations

from pipeline.publish.gauges import night as gauges
from pipeline.publish.gauges import retraining as retrain_gauges
from tests.publish import samples
from tests.publish.reading import read_gauges
from tests.publish.retrainings import STATUSES, retraining
from tests.publish.samples import NOW
from tests.servers.pushgateway import Pushgateway


def test_the_gauges_say_what_the_result_says() -> None:
    found = read_gauges(retrain_gauges.exposition(retraining()))
    assert [labels["status"] for labels, value in found["retraining_status"] if value] == ["promoted"]
    assert len(found["retraining_status"]) == len(STATUSES)
    assert found["retraining_champion_version"] == [({}, 3.0)]
    assert ({"metric": "roc_auc", "model": "champion"}, 0.7804) in found["retraining_performance"]
    assert ({"metric": "roc_auc", "model": "challenger"}, 0.8123) in found["retraining_performance"]
    rejected = read_gauges(retrain_gauges.exposition(retraining("rejected")))
    assert rejected["retraining_champion_version"] == [({}, 2.0)]
    assert "retraining_performance" not in read_gauges(retrain_gauges.exposition(retraining("no_labels")))


def test_nights_and_retrainings_leave_each_others_gauges_alone(pushgateway: Pushgateway) -> None:
    night = gauges.exposition(samples.view())
    gauges.push(night, "churn", pushgateway.url, NOW)
    retrain_gauges.push(retrain_gauges.exposition(retraining()), "churn", pushgateway.url, NOW + 1)
    gauges.push(night, "churn", pushgateway.url, NOW + 2)
    assert pushgateway.value("model_monitor_last_success_timestamp_seconds", monitor="churn") == NOW + 2
    assert pushgateway.value("model_monitor_last_retraining_timestamp_seconds", monitor="churn") == NOW + 1
    assert pushgateway.value("model_monitor_retraining_status", monitor="churn", status="promoted") == 1
    retrain_gauges.push(retrain_gauges.exposition(retraining("no_labels")), "churn", pushgateway.url, NOW + 3)
    assert not pushgateway.samples("model_monitor_retraining_performance")
    assert pushgateway.value("model_monitor_drift_share_ratio", job="nightjar", monitor="churn") == 0.5


def test_equal_results_give_equal_bytes() -> None:
    assert retrain_gauges.exposition(retraining()) == retrain_gauges.exposition(retraining())
