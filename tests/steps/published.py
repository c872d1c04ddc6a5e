"""A night of a small project as far as its publication, for tests of what later nights make of it."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time

import pandas as pd

from pipeline.steps import nightly as steps
from pipeline.steps.night import Night
from tests.project import Project

AS_FAR_AS_PUBLICATION = (
    steps.pull_snapshots,
    steps.validate_quality,
    steps.measure_drift,
    steps.measure_performance,
    steps.decide,
    steps.render_report,
)


def publish(project: Project, day: date, frame: pd.DataFrame) -> Night:
    """The night of a day on some rows, published; the reference and the monitor are there.

    The snapshot was last written on its day, so that a night that runs again tells the same time.
    """
    path = project.write_parquet(f"production/dt={day}/part-0.parquet", frame)
    written = datetime.combine(day, time(23), UTC).timestamp()
    os.utime(path, (written, written))
    night = project.night(str(day))
    for step in AS_FAR_AS_PUBLICATION:
        step(night)
    return night
