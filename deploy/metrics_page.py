"""Writes docs/metrics.md from the catalogue of gauges: `python -m deploy.metrics_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.publish.gauges.catalogue import SECTIONS, Family, Section
from pipeline.publish.gauges.gateway import JOB

PAGE = Path(__file__).parents[1] / "docs" / "metrics.md"
_TOP = f"""\
# Metrics

<!-- Written by `python -m deploy.metrics_page`; edit pipeline/publish/gauges/catalogue.py instead. -->

Every gauge that Nightjar pushes to a Pushgateway. Beside the labels below each has those of its group: `job="{JOB}"`,
`monitor`, `flow` where the section says so, and `environment` where the installation has a name
(`PIPELINE_ENVIRONMENT`), which keeps several apart. Without a Pushgateway the same text lies in the run store, as
`gauges.prom` of a night or a retraining and `probation.prom` of a night, but for the moments at which it was pushed.

How long steps took is told twice: with the night's gauges, as far as it is known then, and whole when all is over
(`require_quality`, in Airflow only where nothing failed). Where an incident stands is told with the push.

A unit of `own` is that of what a label names: the column's, the metric's, the loss's, or that of the method of drift.
A fraction is in [0, 1]. The alerts are in [notifications.md](notifications.md#alerts),
dashboards that show every gauge in [compose.md](compose.md#dashboards).
"""


def page() -> str:
    """The whole page, in Markdown."""
    return "\n".join([_TOP, *("\n".join(_section(section)) for section in SECTIONS)])


def _section(section: Section) -> Iterator[str]:
    group = f' Group: `flow="{section.flow}"`.' if section.flow else ""
    yield f"## {section.title}\n\n{section.when}{group}\n"
    yield "| gauge | unit | labels | meaning | example |"
    yield "|---|---|---|---|---|"
    yield from (_row(family) for family in section.families)
    yield ""


def _row(family: Family) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    cells = (f"`{family.full_name}`", family.unit, labels, family.meaning, f"`{family.query}`")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
