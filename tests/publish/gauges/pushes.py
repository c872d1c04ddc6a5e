"""Everything that Nightjar ever pushes: nights of every kind, retrainings, probations, a failure and the fleet."""

from __future__ import annotations

import dataclasses
from datetime import date

from pipeline.config import Monitor
from pipeline.config.schedule import Due, due_after
from pipeline.publish.facts.incidents import Standing
from pipeline.publish.facts.night import NightView
from pipeline.publish.gauges import fleet, incident, night, probation, retraining
from pipeline.results import TogetherResult
from tests.publish import budgets, performances, probations, profiles, retrainings, samples
from tests.publish.nights import past
from tests.publish.together import together, vector

DURATIONS = {"pull_snapshots": 4.2, "measure_drift": 61.0, "render_report": 9.5}
PROFILE = profiles.profile([profiles.numbers("age", 0.5, missing=60), profiles.countries("country")])


STANDING = Standing(date(2026, 1, 12), date(2026, 1, 14), number=3, naming=past()[0], over=False)


def push_all(gateway_url: str) -> None:
    """Each night and each retraining under a monitor of its own; the failure beside a whole night's gauges."""
    for name, view in _nights().items():
        told = night.exposition(view, PROFILE) + incident.exposition(STANDING)
        night.push(told, name, gateway_url, samples.NOW, durations=DURATIONS, due=due(view))
    for status in retrainings.STATUSES:
        told = retraining.exposition(retrainings.retraining(status))
        retraining.push(told, f"retrained-{status}", gateway_url, samples.NOW)
    retraining.push_champion("promoted-by-hand", "7", gateway_url)
    probation.push(probation.exposition(probations.found("rolled_back")), "churn", gateway_url)
    night.push_failure("churn", gateway_url, "pull_snapshots", samples.NOW)
    never_ran = samples.monitor().model_copy(update={"name": "never-ran"})
    fleet.push(fleet.exposition([samples.monitor(), never_ran], 1, "elsewhere", samples.MOMENT), gateway_url)


def due(view: NightView) -> Due:
    """When the next nights are late after one that was pushed at `samples.NOW`."""
    return due_after(view.monitor.schedule, view.run_date, samples.MOMENT)


def _nights() -> dict[str, NightView]:
    usual = samples.view()
    told = usual.monitor.model_dump(by_alias=True)
    told["drift"]["profile_gauges"] = True
    return {
        **performances.VIEWS,
        **budgets.VIEWS,
        "churn": dataclasses.replace(usual, monitor=Monitor.model_validate(told), together=_together()),
        "weighed": dataclasses.replace(usual, drift=samples.weighed()),
    }


def _together() -> TogetherResult:
    return together(sides=True, plane=True).model_copy(update={"vectors": (vector(changed=True),)})
