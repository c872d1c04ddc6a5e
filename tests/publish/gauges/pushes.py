"""Everything that Nightjar ever pushes, in one go: nights of every kind, retrainings, probations and a failure."""

from __future__ import annotations

import dataclasses

from pipeline.config import Monitor
from pipeline.publish.facts.night import NightView
from pipeline.publish.gauges import night, probation, retraining
from pipeline.results import TogetherResult
from tests.publish import budgets, performances, probations, profiles, retrainings, samples
from tests.publish.together import together, vector

PROFILE = profiles.profile([profiles.numbers("age", 0.5, missing=60), profiles.countries("country")])


def push_all(gateway_url: str) -> None:
    """Each night and each retraining under a monitor of its own; the failure beside a whole night's gauges."""
    for name, view in _nights().items():
        night.push(night.exposition(view, PROFILE), name, gateway_url, samples.NOW)
    for status in retrainings.STATUSES:
        told = retraining.exposition(retrainings.retraining(status))
        retraining.push(told, f"retrained-{status}", gateway_url, samples.NOW)
    retraining.push_champion("promoted-by-hand", "7", gateway_url)
    probation.push(probation.exposition(probations.found("rolled_back")), "churn", gateway_url)
    night.push_failure("churn", gateway_url, "pull_snapshots", samples.NOW)


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
