"""Where the newest night stands in an incident, as gauges.

It follows from the nights before, which may run again: it is told when the night is pushed, beside the night's text.
"""

from __future__ import annotations

from pipeline.publish.facts.incidents import Standing
from pipeline.publish.gauges.families import Gauges, midnight


def exposition(standing: Standing | None) -> bytes:
    """The gauges in the Prometheus text format.

    Args:
        standing: of the newest night; None outside of any incident.
    """
    gauges = Gauges()
    goes_on = standing is not None and not standing.over
    gauges.one("incident_open", goes_on)
    if standing is not None and goes_on:
        gauges.one("incident_nights", standing.number)
        gauges.one("incident_started_timestamp_seconds", midnight(standing.first))
    return gauges.text()
