"""From a training set that passed the quality gate to a registered, judged version."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import Monitor
from pipeline.errors import ModelTampered, TrainingFailed
from pipeline.results import Lineage, RetrainResult, RetrainStatus, TrainingCost
from pipeline.retrain.champion.conclusion import Verdict, verdict_of
from pipeline.retrain.champion.promotion import JUDGED_AGAINST, NOBODY, VERDICT
from pipeline.retrain.champion.registry import CHAMPION, KEY_TAG, Entry, Registry, Version
from pipeline.retrain.data import snapshot_file
from pipeline.retrain.data.gather import Gathered
from pipeline.retrain.data.training_set import TrainingSet
from pipeline.retrain.judging.trial import Kinds, Labels, Setting, Trial, labels_of, run_trial
from pipeline.retrain.model import model_files
from pipeline.retrain.model.lineage import code_version, trainer_digest
from pipeline.retrain.progress import Progress
from pipeline.retrain.trainer import DEFAULT, most_trees
from pipeline.storage.lease import Lease
from pipeline.storage.training_archive import Archive, Archived
from pipeline.wording import count

if TYPE_CHECKING:
    import pyarrow as pa

_LONGEST_REASON = 1000
_MOST_CLASSES = 100
_MANY_TREES = 5_000
_STATUS: dict[Verdict, RetrainStatus] = {"promote": "promoted", "propose": "proposed", "reject": "rejected"}


@dataclass(frozen=True)
class Ground:
    """Where a challenger is trained. `archive` keeps training sets, `scratch` is a folder with room for this one, and
    `draft` the result so far: who, when, why, and from how many rows. `environment` is the name of the installation.
    """

    monitor: Monitor
    registry: Registry
    lease: Lease
    archive: Archive
    scratch: Path
    progress: Progress
    draft: RetrainResult
    environment: str | None = None

    @property
    def key(self) -> str:
        """Under which the registry finds the version again."""
        return f"{self.draft.monitor}/{self.draft.run_date}"


def challenge(
    ground: Ground, gathered: Gathered, kinds: Kinds, like: pa.Schema
) -> tuple[RetrainResult, Version | None]:
    """Train, judge and register a challenger; the result, and its version if it came to one.

    The version's verdict is not carried out yet: that is `conclusion.conclude`.

    Args:
        ground: where, for whom.
        gathered: the training set, and what it is to be learnt as.
        kinds: the columns to learn from.
        like: the columns and types of production, which the archived training set takes.

    Raises:
        OutletUnavailable, OutletRefused: MLflow or the run store.
        StoreBusy: another run took this one's place.
    """
    try:
        labels = labels_of(ground.monitor, gathered.found, gathered.task, gathered.known)
        if labels.problem is not None:
            return ended(ground.draft, "too_few_labels", f"{labels.problem}, so nothing can be learnt or judged"), None
        _require_few_classes(ground.monitor, labels)
        cost = cost_of(ground.monitor, gathered.found, labels, kinds)
        ground = replace(ground, draft=ground.draft.model_copy(update={"cost": cost}))
        ground.progress(f"to do: {cost.words}")
        with tempfile.TemporaryDirectory(prefix="retrain-", dir=ground.scratch) as folder:
            return _challenge(ground, gathered.found, labels, kinds, _Work(Path(folder), like))
    except (TrainingFailed, ModelTampered) as error:
        return ended(ground.draft, "failed", str(error)), None


def ended(draft: RetrainResult, status: RetrainStatus, verdict: str) -> RetrainResult:
    """The draft with its outcome."""
    return draft.model_copy(update={"status": status, "verdict": verdict})


def cost_of(monitor: Monitor, found: TrainingSet, labels: Labels, kinds: Kinds) -> TrainingCost:
    """How much work the training will be."""
    classes, features = len(labels.classes), len(kinds.numerical) + len(kinds.categorical)
    trainings = 3 if any(name in found.training for name in monitor.columns.answers) else 1
    trees = most_trees(classes) if monitor.retrain.trainer is None else None
    words = f"{count(trainings, 'training')} on {count(len(found.training), 'row')} and {count(features, 'feature')}"
    words += f", {count(classes, 'class', 'classes')}" if classes else ""
    if trees is not None:
        words += f": at most {count(trees, 'tree')} each"
        words += ", and saving so many takes minutes" if trees > _MANY_TREES else ""
    return TrainingCost(
        words=words,
        rows=len(found.training),
        features=features,
        classes=classes,
        trainings=trainings,
        most_trees=trees,
    )


def _require_few_classes(monitor: Monitor, labels: Labels) -> None:
    """Names are not classes: nobody waits an hour for a model of them without having said so."""
    if monitor.task == "auto" and len(labels.classes) > _MOST_CLASSES:
        raise TrainingFailed(
            f"{monitor.columns.label} holds {count(len(labels.classes), 'class', 'classes')}, and more than "
            f"{count(_MOST_CLASSES)} are learnt only where the monitor file says so: task: classification; for numbers "
            "that are written as text: task: regression"
        )


@dataclass(frozen=True)
class _Work:
    folder: Path
    like: pa.Schema


def _challenge(
    ground: Ground, found: TrainingSet, labels: Labels, kinds: Kinds, work: _Work
) -> tuple[RetrainResult, Version]:
    ground.registry.prepare()
    champion = ground.registry.at(CHAMPION)
    setting = Setting(
        monitor=ground.monitor,
        found=found,
        labels=labels,
        work=work.folder,
        deadline=time.monotonic() + ground.monitor.retrain.time_limit_minutes * 60,
        progress=ground.progress,
        champion=_champion_files(ground, champion, work.folder),
        must_beat=champion is not None,
        like=work.like,
    )
    trial = run_trial(setting, kinds)
    verdict, words = verdict_of(ground.monitor, trial.evaluation)
    ground.progress(f"verdict: {words}")
    archived = _archive(ground, found, trial, work)
    lineage = _lineage(ground, champion, trial, archived)
    result = ground.draft.model_copy(
        update={
            "status": _STATUS[verdict],
            "verdict": words,
            "evaluation": trial.evaluation,
            "lineage": lineage,
        }
    )
    ground.lease.require()
    return _register(ground, trial, result, verdict)


def _champion_files(ground: Ground, champion: Version | None, folder: Path) -> Path | None:
    """The champion's files, verified. One that Nightjar did not register cannot be, and is not loaded."""
    if champion is None or "model_sha256" not in champion.tags:
        return None
    target = folder / "registered"
    target.mkdir()
    return ground.registry.fetch(champion, target)


def _archive(ground: Ground, found: TrainingSet, trial: Trial, work: _Work) -> Archived:
    roles = ground.monitor.columns
    rows = snapshot_file.scored(found.training, trial.scores, trial.told, roles)
    path = work.folder / "training.parquet"
    snapshot_file.write(rows, work.like, str(roles.label), path)
    return ground.archive.keep(ground.monitor.name, path)


def _lineage(ground: Ground, champion: Version | None, trial: Trial, archived: Archived) -> Lineage:
    trainer = ground.monitor.retrain.trainer
    files = model_files.listing(trial.folder)
    return Lineage(
        version="",
        run_id="",
        model_uri="",
        model_sha256=model_files.digest(files),
        model_files=files,
        training_uri=archived.uri,
        training_sha256=archived.sha256,
        champion_version=champion.number if champion else None,
        code_version=code_version(),
        trainer=trainer or DEFAULT,
        trainer_sha256=trainer_digest(trainer),
        serialization=trial.serialization,
        parameters=trial.parameters,
        importances=trial.importances,
    )


def _register(ground: Ground, trial: Trial, result: RetrainResult, verdict: Verdict) -> tuple[RetrainResult, Version]:
    assert result.lineage is not None  # noqa: S101  (made by the caller)
    named = {} if ground.environment is None else {"environment": ground.environment}
    tags = _tags(result, result.lineage, verdict) | named
    entry = Entry(
        key=ground.key,
        folder=trial.folder,
        params=_params(result, result.lineage),
        metrics=_metrics(trial),
        tags=tags,
    )
    run_id, source = ground.registry.record(entry)
    result = result.model_copy(update={"lineage": result.lineage.model_copy(update={"run_id": run_id})})
    ground.lease.require()
    version = ground.registry.register(run_id, source, {KEY_TAG: ground.key, **tags}, result.to_json())
    ground.progress(f"registered as version {version.number}")
    return result, version


def _tags(result: RetrainResult, lineage: Lineage, verdict: Verdict) -> dict[str, str]:
    return {
        "monitor": result.monitor,
        "run_date": result.run_date.isoformat(),
        "reason": result.reason[:_LONGEST_REASON],
        "drift_share": "" if result.drift_share is None else f"{result.drift_share:.6g}",
        "training_uri": lineage.training_uri,
        "training_sha256": lineage.training_sha256,
        "model_sha256": lineage.model_sha256,
        "serialization": lineage.serialization,
        "code_version": lineage.code_version,
        "trainer": lineage.trainer,
        JUDGED_AGAINST: lineage.champion_version or NOBODY,
        VERDICT: verdict,
    }


def _params(result: RetrainResult, lineage: Lineage) -> Mapping[str, str]:
    counts = {} if result.counts is None else result.counts.model_dump(mode="json", exclude={"left_out"})
    evaluated = {} if result.evaluation is None else {"main_metric": result.evaluation.main_metric}
    found = {**lineage.parameters, **counts, **evaluated, "trainer": lineage.trainer}
    return {name: str(value) for name, value in found.items()}


def _metrics(trial: Trial) -> dict[str, float]:
    """Of both models, as far as there are values."""
    found: dict[str, float] = {}
    for item in trial.evaluation.metrics:
        values = {"challenger": item.challenger, "champion": item.champion, "improvement": item.improvement}
        found |= {f"{who}_{item.name}": value for who, value in values.items() if value is not None}
    return found
