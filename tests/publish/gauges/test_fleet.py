"""The gauges of all monitors."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.publish.gauges import fleet, night
from tests.publish import samples
from tests.publish.reading import read_gauges
from tests.publish.samples import MOMENT, NOW
from tests.servers.pushgateway import Pushgateway


def test_they_name_every_sound_monitor_and_count_the_wrong_files() -> None:
    churn = samples.monitor()
    fraud = churn.model_copy(update={"name": "fraud", "owner": "risk@example.com", "schedule": "0 2 * * 1"})
    found = read_gauges(fleet.exposition([churn, fraud], 2, "staging", MOMENT))
    assert found["configured"] == [
        ({"monitor": "churn", "owner": churn.owner, "environment": "staging"}, 1.0),
        ({"monitor": "fraud", "owner": "risk@example.com", "environment": "staging"}, 1.0),
    ]
    assert found["first_night_due_timestamp_seconds"] == [
        ({"monitor": "churn"}, datetime(2026, 1, 16, 6, tzinfo=UTC).timestamp()),
        ({"monitor": "fraud"}, datetime(2026, 1, 19, 6, tzinfo=UTC).timestamp()),
    ]
    assert found["wrong_monitor_files"] == [({}, 2.0)]


def test_a_monitor_whose_file_is_gone_leaves_no_series_and_nights_are_left_alone(pushgateway: Pushgateway) -> None:
    churn = samples.monitor()
    night.push(night.exposition(samples.view()), "churn", pushgateway.url, NOW)
    fleet.push(fleet.exposition([churn, churn.model_copy(update={"name": "old"})], 0, None, MOMENT), pushgateway.url)
    fleet.push(fleet.exposition([churn], 0, None, MOMENT), pushgateway.url)
    (left,) = pushgateway.samples("model_monitor_configured")
    assert left.labels["monitor"] == "churn"
    assert pushgateway.value("model_monitor_drift_share_ratio", monitor="churn") == 0.5
