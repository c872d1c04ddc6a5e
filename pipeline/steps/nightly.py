"""One function per task of a night: gather inputs, call a room, keep the result. The only place that joins the rooms.

    pull_snapshots -> validate_quality, measure_drift, measure_performance -> decide -> render_report
                   -> log_run, push_gauges, send_summary, watch_champion, (Airflow: trigger_retraining)
                   -> require_quality

A step takes what earlier steps kept in the run store and keeps its own result there, so that each can run in a process
or on a machine of its own, and again. Rooms are imported inside the steps: a task pays only for what it uses.

What breaks in one measurement, file or page takes no other down: see `pipeline.steps.contain`. The last step tells.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from pipeline.config.schedule import due_after
from pipeline.errors import (
    ExitCode,
    NightIncomplete,
    OutletRefused,
    QualityGateFailed,
    ResultMissing,
    SnapshotChanged,
    SnapshotUnreadable,
)
from pipeline.results import (
    Decision,
    DriftResult,
    Failure,
    NightProfile,
    PerformanceResult,
    QualityResult,
    Rendering,
    SnapshotPair,
)
from pipeline.steps import delivering, muting, pages, reports, same_news, standing, telling, views
from pipeline.steps.contain import Mishaps, attempt
from pipeline.steps.named import step
from pipeline.steps.night import Night
from pipeline.steps.pushing import fleet_gauges, instead_of_former, push_durations, push_newest
from pipeline.steps.remembering import nights_of
from pipeline.steps.timing import durations, timed
from pipeline.steps.together import kept, measure_together, unmeasured
from pipeline.steps.unmeasured import no_drift, no_performance, no_profile, no_quality
from pipeline.wording import count

if TYPE_CHECKING:
    from pipeline.publish.facts.incidents import Standing
    from pipeline.publish.facts.night import NightView
    from pipeline.results import Snapshot
    from pipeline.snapshots import Cache

log = logging.getLogger(__name__)


@timed
def pull_snapshots(night: Night) -> SnapshotPair:
    """Pin reference and production, and labels where they have arrived. Labels that cannot be read stop no night.

    Raises:
        SnapshotMissing, SnapshotUnreadable, SnapshotChanged, SourceUnavailable: see `pipeline.snapshots.pin`.
    """
    cache = night.cache()
    sources = night.monitor.snapshots
    labels_date = night.run_date - timedelta(days=night.monitor.performance.label_delay_days)
    labels, labelled, problem = _labels(night, labels_date, cache)
    pair = SnapshotPair(
        monitor=night.name,
        run_date=night.run_date,
        reference=standing.reference(night, cache),
        production=night.pin(sources.production, night.run_date, cache),
        labels_date=labels_date if sources.labels else None,
        labels=labels,
        labelled=labelled,
        labels_problem=problem,
    )
    night.save(pair)
    reference, production = count(pair.reference.rows), count(pair.production.rows, "production row")
    log.info("%s: %s reference and %s", night.name, reference, production)
    return pair


def _labels(night: Night, day: date, cache: Cache) -> tuple[Snapshot | None, Snapshot | None, str | None]:
    """The labels of a day and the production rows that they are of; or why they cannot be read."""
    sources = night.monitor.snapshots
    try:
        labels = night.pin_if_there(sources.labels, day, cache)
        return labels, night.pin_if_there(sources.production, day, cache) if labels else None, None
    except (SnapshotUnreadable, SnapshotChanged) as problem:
        log.warning("%s: the labels of %s are left out: %s", night.name, day, problem)
        return None, None, str(problem)


@timed
def validate_quality(night: Night) -> QualityResult:
    """Run the monitor's suite and the built-in checks on the production snapshot."""
    pair = night.load(SnapshotPair)
    result = attempt("quality", lambda: _quality(night, pair), lambda failure: no_quality(night, pair, failure))
    night.save(result)
    return result


def _quality(night: Night, pair: SnapshotPair) -> QualityResult:
    from pipeline.checks.quality import Limits, load_suite, validate
    from pipeline.snapshots import open_snapshot, reading_shelf_of, told_by_sources

    cache = night.cache()
    suite = load_suite(night.settings.expectations_dir / f"{night.monitor.quality.suite}.json")
    with open_snapshot(pair.reference, cache) as reference, open_snapshot(pair.production, cache) as production:
        limits = Limits(budget_bytes=night.settings.memory_budget_bytes)
        result = validate(
            night.monitor,
            suite,
            reference,
            production,
            pair,
            recent_rows=_recent_rows(night),
            limits=limits,
            shelf=reading_shelf_of(pair.reference, cache),
        )
        return told_by_sources(result, (pair.reference, reference), (pair.production, production))


def _recent_rows(night: Night) -> list[int]:
    """Production rows of the published nights before this one, oldest first, as far back as a check looks."""
    policy = night.monitor.quality.checks.row_history
    if policy is None:
        return []
    pairs = (earlier.read(SnapshotPair) for earlier in night.earlier()[-policy.nights :])
    return [pair.production.rows for pair in pairs if pair is not None]


@timed
def measure_drift(night: Night) -> DriftResult:
    """Compare every configured column of production with the reference, and keep the night's profile; then columns
    together, where the monitor asks for it.
    """
    pair = night.load(SnapshotPair)
    drift, profile = attempt(
        "drift", lambda: _drift(night, pair), lambda failure: (no_drift(night, pair, failure), no_profile(pair))
    )
    night.save(drift)
    night.save(profile)
    together = attempt("together", lambda: measure_together(night, pair, drift), unmeasured(night, pair))
    if together is not None:
        night.save(together)
    return drift


def _drift(night: Night, pair: SnapshotPair) -> tuple[DriftResult, NightProfile]:
    from pipeline.checks.drift.measure import measure
    from pipeline.snapshots import open_snapshot, shelf_of, told_by_sources
    from pipeline.steps.expecting import expected_on
    from pipeline.steps.past_nights import past_nights

    cache = night.cache()
    importances, past, expected = standing.importances(night), past_nights(night), expected_on(night)
    with open_snapshot(pair.reference, cache) as reference, open_snapshot(pair.production, cache) as production:
        drift, profile = measure(
            night.monitor,
            reference,
            production,
            pair,
            budget_bytes=night.settings.memory_budget_bytes,
            importances=importances,
            past=past,
            expected=expected,
            shelf=shelf_of(pair.reference, cache),
        )
        told = told_by_sources(drift, (pair.reference, reference), (pair.production, production))
        return told, profile


@timed
def measure_performance(night: Night) -> PerformanceResult:
    """Whether the model still does what it should: realised where labels are, estimated where not, and the verdict."""
    from pipeline.steps import performing

    pair = night.load(SnapshotPair)
    work, instead = partial(performing.measure, night, pair), partial(no_performance, pair)
    result = attempt("performance", work, instead)
    night.save(result)
    return result


@timed
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
    views.require_same_snapshots(night, pair, quality, drift, performance)
    asked = bool(policy.causes_of(drift, performance))
    found = standing.circumstances(night, pair, asked, backfill)
    decision = policy.decide(quality, drift, night.monitor.retrain, found, performance)
    known = {"backfill": found.backfill, "labelled_rows": found.labelled_rows, "later": found.later}
    decision = decision.model_copy(update=known)
    night.save(decision)
    return decision


@timed
def render_report(night: Night, airflow_run: str | None = None, *, retrains: bool = False) -> str:
    """Render everything people and programs read of this night and publish it whole; the address of its page.

    A file or page that cannot be made is left out, or says so itself; `require_quality` tells of it at the end.

    Args:
        night: the night.
        airflow_run: the id of the run in Airflow that this is a part of, for a link; it starts what the night asks for.
        retrains: whoever runs this without Airflow does so.
    """
    from pipeline.publish.gauges import night as gauges
    from pipeline.publish.messages import mail
    from pipeline.publish.pages import night_page, stand_in

    mishaps, title, sender = Mishaps(), f"{night.name}, {night.run_date}", night.settings.mail_from
    runs = views.runs_of(night).model_copy(update={"airflow": airflow_run, "retrains": retrains})
    view = replace(views.measured_night(night), runs=runs, probation=standing.probation(night))
    view = replace(view, together=kept(night, view.pair))
    profile = _profile(night, view.pair)
    mishaps.attempt("mute", partial(muting.noted, night))
    drift_report = mishaps.attempt(
        "drift report", lambda: _drift_report(night, view)
    )  # slow, so before anybody has to wait
    linked = None if drift_report is None else reports.linked(night.store, drift_report)

    def files(whole: NightView) -> dict[str, bytes]:
        tonight = mishaps.attempt("history", lambda: view.tonight)
        told = (view.pair, view.quality, view.drift, profile, view.performance, view.decision, tonight, whole.runs)
        message = mishaps.attempt("mail", lambda: same_news.night_mail(night, view, mail.build_summary(whole, sender)))
        exposition = mishaps.attempt("gauges", lambda: gauges.exposition(whole, profile))
        page = mishaps.attempt("night's page", lambda: night_page(whole))
        return {
            **{f"{result.file}.json": result.to_json() for result in (*told, view.together) if result is not None},
            **({} if view.probation is None else pages.probation_files(view.probation)),
            reports.REPORT: linked or stand_in(title, mishaps.failures),
            "index.html": page or stand_in(title, mishaps.failures),
            **({} if exposition is None else {"gauges.prom": exposition}),
            **({} if message is None else {"summary.eml": message.as_bytes()}),
        }

    pages.publish(night, view, files, mishaps)
    night.save(Rendering(failures=tuple(mishaps.failures)))
    return night.uri("index.html")


def _profile(night: Night, pair: SnapshotPair) -> NightProfile | None:
    """What is kept of the columns; None where a version that kept none had measured them."""
    try:
        found = night.load(NightProfile)
    except ResultMissing:
        return None
    views.require_same_snapshots(night, pair, found)
    return found


def _drift_report(night: Night, view: NightView) -> bytes:
    from pipeline.publish import evidently_report

    told = (view.monitor, view.pair, view.drift, view.performance)
    return evidently_report.render(*told, night.settings.cache_dir)


@timed
def log_run(night: Night) -> str:
    """Record the night in MLflow; the run's id."""
    from pipeline.publish import mlflow_run

    view, files = views.published_night(night)
    files[reports.REPORT] = reports.whole(night.store, files[reports.REPORT])
    with delivering.serving(night, delivering.MLFLOW):
        with night.store.alone_outlet(night.name, "mlflow"):  # two who find no run would both make one
            run_id = mlflow_run.log_night(view, files, night.tracking_uri)
        pages.note_run(night, run_id)
    return run_id


@timed
def push_gauges(night: Night) -> str:
    """Push the night's gauges, or leave them in the run store as a textfile; says which.

    Gauges are about the newest night: those of an older one, which a backfill runs again, stay in the run store.

    Raises:
        OutletRefused: they could not be made, or the gateway does not accept them.
        OutletUnavailable: the gateway does not answer.
    """
    from pipeline.publish.gauges import fleet, incident
    from pipeline.publish.gauges import night as gauges

    text = night.published().get("gauges.prom")
    if text is None:
        raise OutletRefused(f"{night.uri()}: the night's gauges could not be made; the log of render_report says why")
    url = night.settings.pushgateway_url
    if url is None:
        delivering.note(night, [delivering.GATEWAY])  # nobody waits for it any more
        return f"written to {night.uri('gauges.prom')}"
    gateway, took = url.get_secret_value(), durations(night)
    of_all = fleet_gauges(night.settings)
    text += incident.exposition(attempt("incident", partial(_standing, night), lambda _: None))

    def push() -> None:
        now = datetime.now(UTC)
        due = due_after(night.monitor.schedule, night.run_date, now)
        environment = night.settings.environment
        with instead_of_former(night, gateway):
            gauges.push(text, night.name, gateway, now.timestamp(), durations=took, due=due, environment=environment)
            if of_all is not None:
                fleet.push(of_all, gateway, environment=environment)

    with delivering.serving(night, delivering.GATEWAY):
        return push_newest(night.store, night.name, night.run_date, night.nights, push)


def _standing(night: Night) -> Standing | None:
    from pipeline.publish.facts.incidents import standing_of

    return standing_of(nights_of(night), night.run_date)


@timed
def send_summary(night: Night) -> str:
    """Tell the published night by mail and chat, once; a rerun tells it again only when its content changed."""
    view, files = views.published_night(night)
    return telling.send(night, view, files.get("summary.eml"))


def broken_parts(night: Night) -> tuple[Failure, ...]:
    """What of a night could not be measured or made, in the order of its steps."""
    together = kept(night, night.load(SnapshotPair))
    measured = (
        night.load(QualityResult).failure,
        night.load(DriftResult).failure,
        night.load(PerformanceResult).failure,
        None if together is None else together.failure,
    )
    return (*filter(None, measured), *night.load(Rendering).failures)


@step
def report_failure(night: Night, task: str) -> str:
    """Push that a step of this night broke, beside the gauges of the last good night; says what was done.

    Where a later night is published, an old one broke that is run again: whoever does that sees it. The run store may
    be what broke, so it is asked and not relied on.
    """
    from pipeline.publish.gauges import night as gauges

    url = night.settings.pushgateway_url
    if url is None:
        return "no Pushgateway is set"
    newest = max(attempt("newest night", night.nights, lambda _: []), default=night.run_date)
    if newest > night.run_date:
        return f"not pushed, as {newest} is newer"
    gauges.push_failure(night.name, url.get_secret_value(), task, time.time(), environment=night.settings.environment)
    return "pushed"


@step
def require_quality(night: Night) -> None:
    """End a night that broke, or whose data is broken, as failed, after everything was published; how long that took
    is told first.

    Raises:
        NightIncomplete: parts of it could not be measured or made; names them.
        QualityGateFailed: a critical expectation failed; names them.
    """
    push_durations(night)
    report = night.uri("index.html")
    broken = broken_parts(night)
    if broken:
        words = [f"{failure.part}: {failure.error}" for failure in broken]
        code = ExitCode.of(failure.exit_code for failure in broken)
        raise NightIncomplete(f"{night.name} on {night.run_date} is incomplete: {'; '.join(words)}. See {report}", code)
    quality = night.load(QualityResult)
    if not quality.passed:
        failed = [item.sentence for item in quality.failures if item.severity == "critical"]
        raise QualityGateFailed(
            f"{night.name} on {night.run_date}: {count(len(failed), 'critical expectation')} failed: "
            f"{'; '.join(failed[:5])}. See {report}"
        )
