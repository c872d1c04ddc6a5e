"""The retraining run of a monitor: gather snapshots and labels, call the retrain room, publish what came of it.

    retrain: lease -> registry -> found by its key? -> gather -> quality gate -> train, judge -> archive, register
                   -> conclude (promote, propose, reject) -> tell serving -> publish
    promote, rollback: lease -> registry -> move the champion -> tell serving -> publish, tell people
    tell_untold: what one of these left untold when it was interrupted

Results are published like nights, under `<store>/<monitor>/retraining/<run_date>/`. What is said of a monitor's data or
model is a result; `require_sound` turns the bad ones into the errors that end a task or a command as failed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import OutletRefused, OutletUnavailable, QualityGateFailed
from pipeline.results import (
    Decision,
    DriftResult,
    QualityResult,
    RetrainResult,
    Snapshot,
    TrainingCounts,
)
from pipeline.retrain.progress import Progress
from pipeline.steps import pages, telling
from pipeline.steps.named import step
from pipeline.steps.night import Night, Workspace
from pipeline.steps.registered import registry_of
from pipeline.steps.sources import Snapshots
from pipeline.storage.scratch import scratch_folder, sweep
from pipeline.wording import count

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from pipeline.results import AliasChange, Mover, Watch
    from pipeline.retrain.champion.promotion import Occasion
    from pipeline.retrain.champion.registry import Registry, Version
    from pipeline.retrain.data.training_set import TrainingSet
    from pipeline.retrain.judging.trial import Kinds
    from pipeline.snapshots import Cache
    from pipeline.storage.lease import Lease

log = logging.getLogger(__name__)

_BUSY_SECONDS = 60.0
_OF_A_WHOLE_NIGHT = ("expect_table_row_count", "expect_table_column")


@step
def retrain(night: Night, reason: str, force: bool = False, progress: Progress = log.info) -> RetrainResult:
    """Train a challenger for a date and let the gate decide; what was done before for the date is only completed.

    Args:
        night: the monitor, and the date up to which data is used.
        reason: why, for people; kept with the model.
        force: train although the date has a model.
        progress: is given a line for every step, and what the trainer says.

    Raises:
        SnapshotUnreadable, SnapshotChanged, SourceUnavailable: the data cannot be read.
        OutletUnavailable, OutletRefused: MLflow or the run store; nothing was promoted, and a rerun goes on from there.
            Or an outlet that people are told through; all is published then, and a rerun tells what is left to tell.
    """
    from pipeline.retrain.champion.conclusion import conclude, note_people_told, recorded

    # Whoever comes second waits for the first, and is told what came of it.
    patience = night.monitor.retrain.time_limit_minutes * 60 + _BUSY_SECONDS
    with night.store.alone_retraining(night.name, patience) as lease:
        with suppress(OSError):  # what is in the way there is told by whoever needs it
            sweep(night.settings.cache_dir)
        registry = registry_of(night)
        version = None if force else registry.find(_key(night))
        if version is None:
            result, version = _train(night, registry, _Request(reason, force, progress), lease)
        else:
            progress(f"version {version.number} was trained for {night.run_date} before")
            registry.complete(version)
            result = recorded(registry, version)
        if version is not None:
            occasion = _occasion(night, datetime.now(UTC), "retraining", night.run_date)
            result = conclude(registry, version, result, night.monitor, lease, occasion=occasion)
        # Nobody else tells of it meanwhile: who finds something untold waits for the lease, too.
        pages.publish_retraining(night, result)
        log.info("%s", result.words)
        log.info("%s", telling.send_retraining(night, result))
        if version is not None:
            note_people_told(registry, version.number)
    return result


def _occasion(workspace: Workspace, moment: datetime, by: Mover, after: date | None = None) -> Occasion:
    """A move of the champion now, after the newest night that there is."""
    from pipeline.retrain.champion.promotion import Occasion

    newest = [day for day in (after, *workspace.nights()[-1:]) if day is not None]
    return Occasion(by, moment, max(newest, default=None))


def require_sound(result: RetrainResult) -> None:
    """End a retraining that broke as failed, after it was published. A challenger that is no better is not broken.

    Raises:
        QualityGateFailed: the training set did not pass the suite.
        TrainingFailed: no model came of it.
        OutletUnavailable: the model was promoted, but serving could not be told; a rerun tells it again.
    """
    from pipeline.errors import TrainingFailed

    if result.status == "quality_failed":
        raise QualityGateFailed(result.words)
    if result.status == "failed":
        raise TrainingFailed(result.words)
    if result.told is not None and result.told.startswith("not told"):
        raise OutletUnavailable(f"{result.monitor}: promoted, but {result.told}")


@step
def promote(workspace: Workspace, number: str, moment: datetime) -> AliasChange:
    """Make a version champion by hand, and its training set the reference; serving and people are told.

    Args:
        workspace: the monitor.
        number: of the version.
        moment: now, in UTC.

    Raises:
        ConfigError: there is no such version.
        ModelTampered: its files are not the registered ones.
        OutletUnavailable, OutletRefused: the champion has moved, but somebody could not be told; again tells them.
    """
    from pipeline.retrain.champion import by_hand

    occasion = _occasion(workspace, moment, "person")
    changed = by_hand.promote(workspace.monitor, workspace.settings.store, workspace.tracking_uri, number, occasion)
    return _tell(workspace, changed, moment)


@step
def rollback(workspace: Workspace, moment: datetime, stepping_from: str | None = None) -> AliasChange:
    """Put the previous champion and its reference back; serving and people are told.

    Args:
        workspace: the monitor.
        moment: now, in UTC.
        stepping_from: the version to step back from; when that was done before, only who was not told is.

    Raises:
        ConfigError: there is no champion, or none before it, or `stepping_from` never was one.
        ModelTampered: the files of the previous one are not the registered ones.
        OutletUnavailable, OutletRefused: the champion has moved, but somebody could not be told; again tells them.
    """
    occasion = _occasion(workspace, moment, "person")
    return _roll_back(workspace, stepping_from, occasion, moment)


def undo(night: Night, evidence: Watch, moment: datetime) -> AliasChange:
    """Put the champion before back, as a probation found it to be better: once, and told like every move.

    Args:
        night: the night whose labels showed it.
        evidence: what it rests on; it names the version to step back from.
        moment: now, in UTC.

    Raises:
        ConfigError, ModelTampered, OutletUnavailable, OutletRefused: as for `rollback`.
    """
    occasion = replace(_occasion(night, moment, "probation", night.run_date), evidence=evidence)
    return _roll_back(night, evidence.version, occasion, moment)


def _roll_back(workspace: Workspace, stepping_from: str | None, occasion: Occasion, moment: datetime) -> AliasChange:
    from pipeline.retrain.champion import by_hand

    monitor, store, tracking_uri = workspace.monitor, workspace.settings.store, workspace.tracking_uri
    return _tell(workspace, by_hand.rollback(monitor, store, tracking_uri, stepping_from, occasion), moment)


@step
def tell_untold(workspace: Workspace, moment: datetime) -> AliasChange | None:
    """Tell serving and people of the champion's last move, as far as they were not when it was interrupted.

    Returns the move, None when everybody knows it.

    Raises:
        StoreBusy: the champion is being moved just now; whoever does that tells of it.
        OutletUnavailable, OutletRefused: somebody still could not be told.
    """
    from pipeline.retrain.champion import by_hand

    change = by_hand.finish(workspace.monitor, workspace.settings.store, workspace.tracking_uri)
    return None if change is None else _tell(workspace, change, moment)


def _tell(workspace: Workspace, change: AliasChange, moment: datetime) -> AliasChange:
    """Bring the pages of the retrainings in line with a move of the champion, and tell it, unless that was done.

    Raises:
        OutletUnavailable, OutletRefused: the champion has moved, but somebody could not be told.
    """
    from pipeline.retrain.champion import by_hand
    from pipeline.retrain.champion.conclusion import note_people_told

    log.info("%s", change.words)
    registry = registry_of(workspace)
    results = by_hand.retrainings_of(registry, change)
    for result in results:
        pages.publish_retraining(workspace, result)
    if change.event == "unchanged":
        return change
    try:
        if not by_hand.people_know(registry):
            log.info("%s", _tell_people(workspace, change, results, moment))
            note_people_told(registry, change.version)
    except (OutletUnavailable, OutletRefused) as error:
        raise type(error)(f"{change.words}. Not everybody could be told: {error}") from error
    if change.told is not None and change.told.startswith("not told"):
        raise OutletUnavailable(change.words)
    return change


def _tell_people(workspace: Workspace, change: AliasChange, results: Sequence[RetrainResult], moment: datetime) -> str:
    """A promotion by a retraining is told as that retraining."""
    own = [result for result in results if result.lineage and result.lineage.version == change.version]
    if change.by == "retraining" and own:
        return telling.send_retraining(workspace, own[0])
    return "; ".join(telling.send_change(workspace, change, change.moment or moment))


@step
def score(night: Night, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as the champion of the night's date scores them: with prediction, score and model version columns.

    Raises:
        ConfigError: there was no champion.
        ModelTampered: its files are not the registered ones.
    """
    from pipeline.retrain.champion import serving

    with scratch_folder(night.settings.cache_dir) as scratch:
        return serving.score(night.monitor, registry_of(night), night.run_date, rows, scratch)


@dataclass(frozen=True)
class _Request:
    """Why a retraining was started, and who hears of its progress."""

    reason: str
    force: bool
    progress: Progress


def _key(night: Night) -> str:
    return f"{night.name}/{night.run_date}"


def _train(night: Night, registry: Registry, request: _Request, lease: Lease) -> tuple[RetrainResult, Version | None]:
    """A result, and the version that was registered, if it came to one."""
    from pipeline.retrain.challenge import Ground, challenge, ended
    from pipeline.retrain.data.gather import gather
    from pipeline.retrain.data.training_set import shortage

    cache, archive = night.cache(), night.archive()
    archive.adopt(night.name)
    base = night.pin(night.monitor.snapshots.base, night.run_date, cache)
    gathered = gather(night.monitor, night.run_date, base, _Source(night, cache), request.progress)
    draft = _draft(night, request, gathered.found.counts)
    problem = shortage(night.monitor, gathered.found.counts)
    if problem is not None or gathered.newest is None:
        return ended(draft, *(problem or ("no_labels", "there are no labelled nights"))), None
    quality = _validate_set(night, gathered.found)
    draft = draft.model_copy(update={"quality": quality})
    if not quality.passed:
        failed = "; ".join(item.sentence for item in quality.failures if item.severity == "critical")
        return ended(draft, "quality_failed", f"nothing was trained, as the training set fails: {failed}"), None
    with scratch_folder(night.settings.cache_dir) as scratch:
        ground = Ground(
            monitor=night.monitor,
            registry=registry,
            lease=lease,
            archive=archive,
            scratch=scratch,
            progress=request.progress,
            draft=draft,
            environment=night.settings.environment,
        )
        return challenge(ground, gathered, *_shape(night, base, gathered.newest, cache))


def _draft(night: Night, request: _Request, counts: TrainingCounts) -> RetrainResult:
    request.progress(
        f"{count(counts.training_rows, 'row')} to train on and {count(counts.holdout_rows)} held out: "
        f"{count(counts.reference_rows)} of the reference, "
        f"{count(counts.labelled_rows)} of {count(counts.nights, 'labelled night')}"
    )
    drift, decision = night.read(DriftResult), night.read(Decision)
    return RetrainResult(
        monitor=night.name,
        run_date=night.run_date,
        status="failed",
        reason=request.reason,
        verdict="",
        forced=request.force,
        night_reason=None if decision is None else decision.reason,
        drift_share=None if drift is None else drift.drift_share,
        counts=counts,
    )


@dataclass(frozen=True)
class _Source(Snapshots):
    """The snapshots of a night's monitor, for `pipeline.retrain.data.gather`."""

    def is_sound(self, day: date, production: Snapshot) -> bool:
        """As it was found on that night if the data is still the same, else as it is found now."""
        from pipeline.snapshots import open_snapshot

        found = self.found_sound(day, production)
        if found is not None:
            return found
        with open_snapshot(production, self.cache) as paths:
            return _validate(self.night, paths, production.digest, whole=True).passed


def _validate_set(night: Night, found: TrainingSet) -> QualityResult:
    """The same gate as every night, on all rows of the training set, held out ones included."""
    from pipeline.retrain.data.frames import writable
    from pipeline.retrain.data.training_set import stack

    with scratch_folder(night.settings.cache_dir) as folder:
        path = folder / "training_set.parquet"
        writable(stack([found.training, found.holdout])).to_parquet(path, index=False)
        return _validate(night, [path], "training set", whole=False)


def _validate(night: Night, paths: list[Path], digest: str, whole: bool) -> QualityResult:
    """The monitor's suite on some parquet files; unless they are one night, without what it says of a whole night."""
    from pipeline.checks.quality import Limits, load_suite, validate_suite

    suite = load_suite(night.settings.expectations_dir / f"{night.monitor.quality.suite}.json")
    if not whole:
        entries = tuple(entry for entry in suite.entries if not entry["type"].startswith(_OF_A_WHOLE_NIGHT))
        suite = replace(suite, entries=entries)
    limits = Limits(budget_bytes=night.settings.memory_budget_bytes)
    return validate_suite(suite, paths, digest, private=night.monitor.columns.private, limits=limits)


def _shape(night: Night, base: Snapshot, newest: Snapshot, cache: Cache) -> tuple[Kinds, pa.Schema]:
    """What to learn from (what is compared for drift, except what models themselves wrote), and production's types."""
    import pyarrow.parquet as pq

    from pipeline.checks.drift.measure import plan_columns
    from pipeline.retrain.judging.trial import Kinds
    from pipeline.snapshots import open_snapshot

    roles = night.monitor.columns
    aside = {*roles.answers, roles.id, roles.label, roles.model_version}
    with open_snapshot(base, cache) as before, open_snapshot(newest, cache) as after:
        plans = plan_columns(night.monitor, [str(path) for path in before], [str(path) for path in after])
        like = pq.read_schema(after[0])
    features = [plan for plan in plans if plan.name in like.names and plan.name not in aside]
    kinds = Kinds(
        [plan.name for plan in features if plan.kind == "numerical"],
        [plan.name for plan in features if plan.kind == "categorical"],
    )
    return kinds, like
