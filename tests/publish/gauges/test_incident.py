"""Where the newest night stands in an incident, as gauges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.incidents import standing_of
from pipeline.publish.gauges.incident import exposition
from pipeline.results import Status
from tests.publish.nights import past
from tests.publish.reading import read_gauges

DAYS = (date(2026, 1, 12), date(2026, 1, 13), date(2026, 1, 14))


def nights(*found: Status) -> list[PastNight]:
    usual = past()[0]
    return [
        usual.model_copy(update={"run_date": day, "status": status}) for day, status in zip(DAYS, found, strict=True)
    ]


@pytest.mark.parametrize(
    ("known", "number"),
    [
        (nights("healthy", "healthy", "healthy"), 0),
        (nights("healthy", "healthy", "drifted"), 1),
        (nights("drifted", "data_broken", "degraded"), 3),
        (nights("drifted", "drifted", "healthy"), 0),  # over
    ],
)
def test_an_incident_is_open_with_its_nights_and_its_beginning_until_it_is_over(
    known: Sequence[PastNight], number: int
) -> None:
    found = read_gauges(exposition(standing_of(known, DAYS[-1])))
    assert found["incident_open"] == [({}, float(number > 0))]
    assert found.get("incident_nights", []) == ([({}, number)] if number else [])
    began = {1: 1_768_348_800.0, 3: 1_768_176_000.0}
    assert found.get("incident_started_timestamp_seconds", []) == ([({}, began[number])] if number else [])
