"""The gauges of a probation."""

from __future__ import annotations

import pytest

from pipeline.publish.gauges import night as night_gauges
from pipeline.publish.gauges import probation as gauges
from pipeline.results import Done, ProbationResult
from tests.publish import probations, samples
from tests.publish.reading import read_gauges
from tests.publish.samples import NOW
from tests.servers.pushgateway import Pushgateway

STATES = ("champion_on_probation", "champion_rollback_proposed", "champion_rolled_back")


@pytest.mark.parametrize(
    ("done", "states"),
    [
        ("watching", (1, 0, 0)),
        ("proposed", (1, 1, 0)),
        ("rolled_back", (0, 0, 1)),
        ("kept", (0, 0, 0)),
        ("not_possible", (0, 0, 0)),
    ],
)
def test_the_gauges_say_how_it_stands(done: Done, states: tuple[int, int, int]) -> None:
    found = read_gauges(gauges.exposition(probations.found(done)))
    assert tuple(found[name] for name in STATES) == tuple([({}, float(state))] for state in states)


def test_the_difference_has_both_ends_and_what_is_not_known_is_absent() -> None:
    found = read_gauges(gauges.exposition(probations.found("rolled_back")))
    ends = [found[f"probation_loss_difference{end}"] for end in ("", "_low", "_high")]
    assert ends == [[({"loss": "log_loss"}, value)] for value in (0.0692, 0.0214, 0.117)]
    nothing = gauges.exposition(ProbationResult(monitor="churn", run_date=samples.RUN_DATE))
    assert sorted(read_gauges(nothing)) == sorted(STATES)


def test_a_night_leaves_them_alone_and_the_next_one_replaces_them(pushgateway: Pushgateway) -> None:
    gauges.push(gauges.exposition(probations.found("rolled_back")), "churn", pushgateway.url)
    night_gauges.push(night_gauges.exposition(samples.view()), "churn", pushgateway.url, NOW)
    assert pushgateway.value("model_monitor_champion_rolled_back", monitor="churn") == 1
    nothing = ProbationResult(monitor="churn", run_date=samples.RUN_DATE)
    gauges.push(gauges.exposition(nothing), "churn", pushgateway.url)
    assert pushgateway.value("model_monitor_champion_rolled_back", monitor="churn") == 0
    assert not pushgateway.samples("model_monitor_probation_loss_difference")
    assert pushgateway.value("model_monitor_drift_share_ratio", job="nightjar", monitor="churn") == 0.5
