"""The page of a retraining: what came of it, why it was started, and everything the verdict rests on.

Equal results give equal bytes, as for every page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import groupby

from markupsafe import Markup

from pipeline.config import Monitor
from pipeline.publish import charts
from pipeline.publish.facts.retraining import remember
from pipeline.publish.facts.retraining_words import (
    both,
    by_weight,
    check_rows,
    command,
    data_words,
    drift_words,
    gain,
    metric_rows,
    next_step,
    verdict_words,
)
from pipeline.publish.facts.words import failure_line, sentence
from pipeline.publish.templates import page
from pipeline.results import (
    Evaluation,
    Lineage,
    MetricComparison,
    RetrainResult,
    SegmentComparison,
    TrainingCost,
    TrainingCounts,
)
from pipeline.wording import clip, count, listed, share

MAX_SEGMENTS = 200
MAX_LEFT_OUT = 100
MAX_FAILURES = 50
MAX_PARAMETERS = 60
MAX_FEATURES = 100
_LEFT_OUT = {
    "no_production": "no production data",
    "no_labels": "no labels",
    "labels_unusable": "labels that cannot be used",
    "quality_failed": "critical expectations failed",
    "over_max_rows": "over the limit of rows, newer nights go first",
}
_AGAINST = {
    "logged": "No champion could be loaded: the predictions logged in production stand for it, for information.",
    "nobody": "There is no champion to compare with.",
}


def retraining_page(monitor: Monitor, result: RetrainResult, environment: str | None = None) -> bytes:
    """The retraining's `index.html`: verdict first, then why, both models, the data and where the model comes from."""
    past = remember(result)
    evaluation = result.evaluation
    return page(
        "retraining.html.j2",
        environment,
        monitor=monitor,
        result=result,
        past=past,
        title=f"Retraining {past.headline}",
        subject=f"[{monitor.name}] {past.subject}",
        owner=clip(monitor.owner, 120),
        verdict=verdict_words(result),
        reason=clip(result.reason, 400),
        drift=drift_words(result),
        data=data_words(result),
        next_step=next_step(monitor, result),
        command=command(monitor, result),
        told=clip(result.told or "", 300),
        metrics=_metrics(evaluation) if evaluation else [],
        against=_against(evaluation, result.lineage) if evaluation else "",
        compared=evaluation is not None and evaluation.against != "nobody",
        checks=check_rows(evaluation) if evaluation else [],
        segments=_segments(evaluation) if evaluation else [],
        more_segments=max(len(evaluation.segments) - MAX_SEGMENTS, 0) if evaluation else 0,
        counts=_counts(result.counts, result.cost) if result.counts else [],
        left_out=_left_out(result.counts) if result.counts else [],
        failures=_failures(result),
        lineage=_lineage(result.lineage) if result.lineage else [],
        parameters=_parameters(result.lineage),
        features=_features(result.lineage),
        more_features=max(len(result.lineage.importances) - MAX_FEATURES, 0) if result.lineage else 0,
        linked_night=result.drift_share is not None,
    )


def _metrics(evaluation: Evaluation) -> list[dict[str, object]]:
    """Each bar has a scale of its own."""
    bars = (_bar(item, _reach(item)) for item in by_weight(evaluation))
    return [{**row, "bar": bar} for row, bar in zip(metric_rows(evaluation), bars, strict=True)]


def _bar(item: MetricComparison, extent: float) -> Markup:
    if item.improvement is None or item.low is None or item.high is None:
        return Markup("")
    return charts.interval_bar(item.low, item.improvement, item.high, extent or 1.0)


def _reach(item: MetricComparison) -> float:
    return max((abs(value) for value in (item.low, item.high, item.improvement) if value is not None), default=0.0)


def _against(evaluation: Evaluation, lineage: Lineage | None) -> str:
    if evaluation.against != "version":
        return _AGAINST[evaluation.against]
    champion = f"version {clip(lineage.champion_version, 20)}" if lineage and lineage.champion_version else "a version"
    return f"The champion is {champion} of the registry."


def _segments(evaluation: Evaluation) -> list[dict[str, object]]:
    """Segment by segment, those that fall too far first; all bars have one scale."""
    extent = max((_reach(item.main) for item in evaluation.segments), default=0.0)
    ordered = sorted(evaluation.segments, key=lambda item: (item.passed, not item.judged, item.column, -item.rows))
    return [
        {
            "column": clip(item.column, 60),
            "value": clip(item.value, 60),
            "rows": count(item.rows, "row"),
            "says": _segment_words(item),
            "failed": item.judged and not item.passed,
            **both(item.main),
            **gain(item.main),
            "bar": _bar(item.main, extent),
        }
        for item in ordered[:MAX_SEGMENTS]
    ]


def _segment_words(item: SegmentComparison) -> str:
    if not item.judged:
        return "too few rows to judge"
    return "holds" if item.passed else "falls too far"


def _counts(counts: TrainingCounts, cost: TrainingCost | None) -> list[tuple[str, str]]:
    nights = count(counts.nights, "labelled night")
    rows = [
        ("Days", f"{counts.first_date} to {counts.last_date}"),
        ("To learn from", count(counts.training_rows, "row")),
        ("Held out", f"{count(counts.holdout_rows, 'row')}, the newest labelled ones"),
        ("From the reference", count(counts.reference_rows, "row")),
        ("From production", f"{count(counts.labelled_rows, 'row')} of {nights}"),
    ]
    for name, many in (("Without a label", counts.unlabelled_rows), ("Same id, older", counts.duplicate_rows)):
        rows.append((name, f"{count(many, 'row')} left out" if many else "none"))
    return rows if cost is None else [*rows, ("Work", clip(cost.words, 300))]


def _left_out(counts: TrainingCounts) -> list[tuple[str, str]]:
    """`no labels`, `3 nights: 2026-01-11, 2026-01-13 to 2026-01-14`, one for each reason."""
    ordered = sorted(counts.left_out, key=lambda item: (item.why, item.run_date))
    lines = []
    for why, group in groupby(ordered, key=lambda item: item.why):
        days = [item.run_date for item in group]
        nights = count(len(days), "night")
        lines.append((_LEFT_OUT[why], f"{nights}: {listed(_runs(days), MAX_LEFT_OUT)}"))
    return lines


def _runs(days: Sequence[date]) -> list[str]:
    """Days that follow each other as one, in order."""
    found: list[list[date]] = []
    for day in days:
        if found and day - found[-1][-1] == timedelta(days=1):
            found[-1].append(day)
        else:
            found.append([day])
    return [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in found]


def _failures(result: RetrainResult) -> list[dict[str, str]]:
    failures = result.quality.failures if result.quality else ()
    return [{"severity": item.severity, "line": sentence(failure_line(item))} for item in failures[:MAX_FAILURES]]


def _lineage(lineage: Lineage) -> list[tuple[str, str, bool]]:
    """Name, text, and whether it is a digest."""
    rows = [
        ("Version", lineage.version, False),
        ("Champion before", lineage.champion_version or "none", False),
        ("Model", lineage.model_uri, False),
        ("Model digest", lineage.model_sha256, True),
        ("MLflow run", lineage.run_id, True),
        ("Training snapshot", lineage.training_uri, False),
        ("Snapshot digest", lineage.training_sha256, True),
        ("Trainer", lineage.trainer, False),
        ("Trainer digest", lineage.trainer_sha256, True),
        ("Serialised with", lineage.serialization, False),
        ("Code version", lineage.code_version, False),
    ]
    return [(name, clip(text, 400), digest) for name, text, digest in rows if text]


def _parameters(lineage: Lineage | None) -> list[tuple[str, str]]:
    found = sorted(lineage.parameters.items()) if lineage else []
    return [(clip(name, 80), clip(value, 200)) for name, value in found[:MAX_PARAMETERS]]


def _features(lineage: Lineage | None) -> list[tuple[str, str]]:
    """Every feature with its share of what all of them move, the strongest first."""
    if lineage is None:
        return []
    total = sum(lineage.importances.values())
    ordered = sorted(lineage.importances.items(), key=lambda item: (-item[1], item[0]))
    return [(clip(name, 80), share(weight / total if total else 0.0)) for name, weight in ordered[:MAX_FEATURES]]
