"""One function per task of a night: gather inputs, call a room, keep the result. The only place that joins the rooms.

    pull_snapshots -> validate_quality, measure_drift, measure_performance -> decide -> render_report
                   -> log_run, push_gauges, send_summary, (Airflow: trigger_retraining) -> require_quality

A step takes what earlier steps kept in the run store and keeps its own result there, so that each can run in a process
or on a machine of its own, and again. Rooms are imported inside the steps: a task pays only for what it uses.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.errors import QualityGateFailed, ResultMissing
from pipeline.results import Decision, DriftResult, PerformanceResult, QualityResult, SnapshotPair
from pipeline.steps import pages, standing, telling
from pipeline.steps.night import Night
from pipeline.wording import count

if TYPE_CHECKING:
    from pipeline.publish.facts.night import NightView

log = logging.getLogger(__name__)


def pull_snapshots(night: Night) -> SnapshotPair:
    """Pin reference and production, and labels where they have arrived.

    Raises:
        SnapshotMissing, SnapshotUnreadable, SnapshotChanged, SourceUnavailable: see `pipeline.snapshots.pin`.
    """
    cache = night.cache()
    sources = night.monitor.snapshots
    labels_date = night.run_date - timedelta(days=night.monitor.performance.label_delay_days)
    labels = night.pin_if_there(sources.labels, labels_date, cache)
    pair = SnapshotPair(
        monitor=night.name,
        run_date=night.run_date,
        reference=standing.reference(night, cache),
        production=night.pin(sources.production, night.run_date, cache),
        labels_date=labels_date if sources.labels else None,
        labels=labels,
        labelled=night.pin_if_there(sources.production, labels_date, cache) if labels else None,
    )
    night.save(pair)
    reference, production = count(pair.reference.rows), count(pair.production.rows, "production row")
    log.info("%s: %s reference and %s", night.name, reference, production)
    return pair


def validate_quality(night: Night) -> QualityResult:
    """Run the monitor's suite and the built-in checks on the production snapshot."""
    from pipeline.checks.quality import Limits, load_suite, validate
    from pipeline.snapshots import open_snapshot

    pair, cache = night.load(SnapshotPair), night.cache()
    suite = load_suite(night.settings.expectations_dir / f"{night.monitor.quality.suite}.json")
    with open_snapshot(pair.reference, cache) as reference, open_snapshot(pair.production, cache) as production:
        limits = Limits(budget_bytes=night.settings.memory_budget_bytes)
        result = validate(
            night.monitor, suite, reference, production, pair, recent_rows=_recent_rows(night), limits=limits
        )
    night.save(result)
    return result


def _recent_rows(night: Night) -> list[int]:
    """Production rows of the published nights before this one, oldest first, as far back as a check looks."""
    policy = night.monitor.quality.checks.row_history
    if policy is None:
        return []
    pairs = (earlier.read(SnapshotPair) for earlier in night.earlier()[-policy.nights :])
    return [pair.production.rows for pair in pairs if pair is not None]


def measure_drift(night: Night) -> DriftResult:
    """Compare every configured column of production with the reference."""
    from pipeline.checks.drift.measure import measure
    from pipeline.snapshots import open_snapshot

    pair, cache = night.load(SnapshotPair), night.cache()
    importances = standing.importances(night)
    with open_snapshot(pair.reference, cache) as reference, open_snapshot(pair.production, cache) as production:
        result = measure(
            night.monitor,
            reference,
            production,
            pair.digest,
            budget_bytes=night.settings.memory_budget_bytes,
            importances=importances,
        )
    night.save(result)
    return result


def measure_performance(night: Night) -> PerformanceResult:
    """Realised metrics on the newest day that has labels."""
    pair = night.load(SnapshotPair)
    result = _performance(night, pair)
    night.save(result)
    return result


def _performance(night: Night, pair: SnapshotPair) -> PerformanceResult:
    from pipeline.checks.performance.realised import configured, join_labels, measure
    from pipeline.snapshots import open_snapshot, read_frame

    roles, labels_date = night.monitor.columns, pair.labels_date
    if labels_date is None or not configured(roles):
        return PerformanceResult(snapshots=pair.digest, status="not_configured")
    if pair.labels is None or pair.labelled is None:
        reason = f"no labels for {labels_date} yet"
        return PerformanceResult(
            snapshots=pair.digest, status="awaiting_labels", reason=reason, labels_date=labels_date
        )
    wanted = [name for name in (roles.id, roles.label, roles.prediction, roles.score) if name is not None]
    cache = night.cache()
    with open_snapshot(pair.labels, cache) as paths:
        labels = read_frame(paths, wanted)
    with open_snapshot(pair.labelled, cache) as paths:
        joined = join_labels(read_frame(paths, wanted), labels, roles)
    with open_snapshot(pair.reference, cache) as paths:
        reference = read_frame(paths, wanted)
    return measure(joined, reference, roles, labels_date, pair.digest, wanted=night.monitor.task)


def decide(night: Night, backfill: bool = False) -> Decision:
    """The verdict of the night, and whether to retrain.

    Args:
        night: the night.
        backfill: an old night is run again, and nobody said that it may retrain.
    """
    from pipeline.checks import policy

    pair = night.load(SnapshotPair)
    quality = night.load(QualityResult)
    drift = night.load(DriftResult)
    performance = night.load(PerformanceResult)
    _require_same_snapshots(night, pair, quality, drift, performance)
    found = standing.circumstances(night, pair, performance, backfill)
    decision = policy.decide(quality, drift, night.monitor.retrain, found)
    night.save(decision)
    return decision


def render_report(night: Night, airflow_run: str | None = None, *, retrains: bool = False) -> str:
    """Render everything people and programs read of this night and publish it whole; the address of its page.

    Args:
        night: the night.
        airflow_run: the id of the run in Airflow that this is a part of, for a link; it starts what the night asks for.
        retrains: whoever runs this without Airflow does so.
    """
    from pipeline.publish import evidently_report
    from pipeline.publish.gauges import night as gauges
    from pipeline.publish.messages import mail
    from pipeline.publish.pages import night_page

    view = night_view(night)
    view = replace(view, runs=pages.runs_of(night).model_copy(update={"airflow": airflow_run, "retrains": retrains}))
    drift_report = evidently_report.render(view.monitor, view.pair, view.drift)  # slow, so before anybody has to wait

    def files(whole: NightView) -> dict[str, bytes]:
        kept = (view.pair, view.quality, view.drift, view.performance, view.decision, view.tonight, whole.runs)
        message = mail.build_summary(whole, night.settings.mail_from)
        return {
            **{f"{result.file}.json": result.to_json() for result in kept},
            "drift_report.html": drift_report,
            "index.html": night_page(whole),
            "gauges.prom": gauges.exposition(whole),
            **({} if message is None else {"summary.eml": message.as_bytes()}),
        }

    pages.publish(night, view, files)
    return night.uri("index.html")


def log_run(night: Night) -> str:
    """Record the night in MLflow; the run's id."""
    from pipeline.publish import mlflow_run

    files = night.published()
    run_id = mlflow_run.log_night(night_view(night), files, night.tracking_uri)
    pages.note_run(night, run_id)
    return run_id


def push_gauges(night: Night) -> str:
    """Push the night's gauges, or leave them in the run store as a textfile; says which."""
    from pipeline.publish.gauges import night as gauges

    text = night.published()["gauges.prom"]
    url = night.settings.pushgateway_url
    if url is None:
        return f"written to {night.uri('gauges.prom')}"
    gauges.push(text, night.name, url.get_secret_value(), time.time())
    return "pushed"


def send_summary(night: Night) -> str:
    """Tell the published night by mail and chat, once; a rerun tells it again only when its content changed."""
    return telling.send(night, night_view(night), night.published().get("summary.eml"))


def report_failure(night: Night, task: str) -> str:
    """Push that a step of this night broke, beside the gauges of the last good night; says what was done."""
    from pipeline.publish.gauges import night as gauges

    url = night.settings.pushgateway_url
    if url is None:
        return "no Pushgateway is set"
    gauges.push_failure(night.name, url.get_secret_value(), task, time.time())
    return "pushed"


def require_quality(night: Night) -> None:
    """End a night whose data is broken as failed, after everything was published.

    Raises:
        QualityGateFailed: a critical expectation failed; names them.
    """
    quality = night.load(QualityResult)
    if not quality.passed:
        failed = [item.sentence for item in quality.failures if item.severity == "critical"]
        report = night.uri("index.html")
        raise QualityGateFailed(
            f"{night.name} on {night.run_date}: {count(len(failed), 'critical expectation')} failed: "
            f"{'; '.join(failed[:5])}. See {report}"
        )


def night_view(night: Night) -> NightView:
    """All results of a night, as they are told.

    Raises:
        ResultMissing: a step has not run, or ran on other snapshots.
    """
    from pipeline.publish.facts.history import shown_beside

    view = pages.view_of(night, night.load)
    _require_same_snapshots(night, view.pair, view.quality, view.drift, view.performance, view.decision)
    return replace(view, history=shown_beside(pages.nights_of(night), night.run_date))


def _require_same_snapshots(
    night: Night, pair: SnapshotPair, *results: QualityResult | DriftResult | PerformanceResult | Decision
) -> None:
    for result in results:
        if result.snapshots != pair.digest:
            raise ResultMissing(
                f"{night.name} on {night.run_date}: {type(result).__name__} is about other snapshots than those pinned "
                "last: run the night again from pull_snapshots"
            )
