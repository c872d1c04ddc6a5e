"""A published night without measuring anything, and its gauges."""

from __future__ import annotations

from datetime import date

from pipeline.steps import nightly as steps
from pipeline.steps.unmeasured import no_profile
from tests.project import Project
from tests.publish import samples

DAY = date(2026, 1, 14)


def publish(project: Project, name: str, day: date = DAY) -> None:
    """Write a night of samples, and push it where a gateway is set."""
    night, view = project.night(str(day), name), samples.view(name, day)
    night.save(no_profile(view.pair))
    for result in (view.pair, view.quality, view.drift, view.performance, view.decision):
        night.save(result if result is view.pair else result.model_copy(update={"snapshots": view.pair.digest}))
    steps.render_report(night)
    steps.push_gauges(night)
