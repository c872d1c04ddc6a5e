"""Trains a challenger, asks it and the champion about the held-out rows, and lets the gate judge."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config import Monitor
from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.errors import TrainingFailed
from pipeline.labels.task import typed_labels
from pipeline.results import Against, Evaluation, Task
from pipeline.retrain.data.features import features_of
from pipeline.retrain.data.training_set import TrainingSet
from pipeline.retrain.judging.gate import Judged, evaluate
from pipeline.retrain.judging.metrics import Answers
from pipeline.retrain.model import model_files
from pipeline.retrain.model.process import run
from pipeline.retrain.model.worker import LABEL, Job
from pipeline.retrain.progress import Progress
from pipeline.wording import count

if TYPE_CHECKING:
    import pandas as pd


Worker = Callable[[str, Path], dict[str, Any]]


@dataclass(frozen=True)
class Kinds:
    """Which columns a model learns from."""

    numerical: Sequence[str]
    categorical: Sequence[str]


@dataclass(frozen=True)
class Labels:
    """The labels of both parts of a training set, of one type."""

    task: Task
    training: pd.Series
    holdout: pd.Series

    @property
    def problem(self) -> str | None:
        """Why these labels cannot tell one model from another; None when they can."""
        if self.task == "regression":
            return None
        for part, name in ((self.training, "training"), (self.holdout, "held-out")):
            if part.nunique() < 2:
                return f"all {count(len(part))} {name} rows have the same label"
        return None


@dataclass(frozen=True)
class Trial:
    """A trained model and how it did. `scores` are its out-of-fold answers for the training rows, where wanted."""

    folder: Path
    parameters: dict[str, str]
    importances: dict[str, float]
    evaluation: Evaluation
    serialization: str
    classes: list[Any]
    scores: pd.DataFrame | None


def labels_of(monitor: Monitor, found: TrainingSet, task: Task) -> Labels:
    """The labels of a training set, as classes or numbers.

    Raises:
        TrainingFailed: a regression has labels that are no numbers.
    """
    import pandas as pd

    name = str(monitor.columns.label)
    both = pd.concat([found.training[name], found.holdout[name]], ignore_index=True)
    try:
        labels = typed_labels(both, task)
    except (TypeError, ValueError) as error:
        raise TrainingFailed(
            f"the labels in {name!r} are no numbers, which a {task} needs: set task of the monitor file to "
            "classification, or leave it out"
        ) from error
    return Labels(task, labels.iloc[: len(found.training)], labels.iloc[len(found.training) :].reset_index(drop=True))


@dataclass(frozen=True)
class Setting:
    """What a trial works with: the data, an empty folder as large as it, and until when (`time.monotonic()`).

    `champion` is the folder of the champion's verified files; None when there is none that may be loaded, and then
    `must_beat` says whether there is a champion all the same, which Nightjar did not register.
    """

    monitor: Monitor
    found: TrainingSet
    labels: Labels
    work: Path
    deadline: float
    progress: Progress
    champion: Path | None = None
    must_beat: bool = False

    def run(self, command: str, folder: Path) -> dict[str, Any]:
        """One job of the worker, in the time that is left."""
        limit = self.monitor.retrain.time_limit_minutes
        return run(command, folder, self.deadline - time.monotonic(), limit, self.progress)


def run_trial(setting: Setting, kinds: Kinds) -> Trial:
    """Train, answer, judge.

    Raises:
        TrainingFailed: see `pipeline.retrain.model.process.run`.
    """
    found, work = setting.found, setting.work
    job = _training_job(setting, kinds)
    rows = found.training[list(job.features.names)].assign(**{LABEL: setting.labels.training.to_numpy()})
    trained = setting.run("train", make_job(work / "train", job, rows))
    model = work / "train" / "model"
    setting.progress(f"judging on {count(len(found.holdout), 'held-out row')}")
    challenger = _ask(setting, model, "challenger")
    champion = None if setting.champion is None else _ask(setting, setting.champion, "champion")
    evaluation = _judge(setting, challenger, champion)
    return Trial(
        folder=model,
        parameters=trained["parameters"],
        importances=trained["importances"],
        evaluation=evaluation,
        serialization=job.serialization,
        classes=list(challenger.classes),
        scores=_scores(work / "train" / "scores.parquet"),
    )


def _training_job(setting: Setting, kinds: Kinds) -> Job:
    policy, roles = setting.monitor.retrain, setting.monitor.columns
    training = setting.found.training
    return Job(
        task=setting.labels.task,
        features=features_of(training, kinds.numerical, kinds.categorical),
        trainer=policy.trainer,
        score_rows=any(name is not None and name in training for name in (roles.prediction, roles.score)),
        private=roles.private,
        trusted_types=policy.trusted_types,
        allow_pickle=policy.allow_pickle,
        serialization=model_files.PICKLE if policy.allow_pickle else model_files.SKOPS,
    )


def make_job(folder: Path, job: Job, frame: pd.DataFrame) -> Path:
    """The folder, created, with what the worker needs."""
    folder.mkdir()
    (folder / "job.json").write_text(job.model_dump_json())
    frame.to_parquet(folder / "frame.parquet", index=False)
    return folder


def _scores(path: Path) -> pd.DataFrame | None:
    import pandas as pd

    return pd.read_parquet(path) if path.is_file() else None


def _ask(setting: Setting, model: Path, name: str) -> Answers:
    """Answers for the held-out rows, of the files as they were saved: what is judged is what is registered."""
    return ask(model, setting.found.holdout, setting.monitor.retrain, setting.work / name, setting.run)


def ask(model: Path, rows: pd.DataFrame, policy: RetrainPolicy, folder: Path, work: Worker) -> Answers:
    """What a model says of some rows.

    Args:
        model: the folder of its verified files.
        rows: with the model's features; a column that they lack is missing for every row.
        policy: which types a model file may hold.
        folder: is created for the job.
        work: runs a job of the worker.
    """
    import pandas as pd

    kept = model_files.describe(model)
    job = Job(
        task=kept.task,
        features=kept.features,
        trusted_types=policy.trusted_types,
        allow_pickle=policy.allow_pickle,
        serialization=kept.serialization,
    )
    make_job(folder, job, rows[[name for name in kept.features.names if name in rows]])
    (folder / "model").symlink_to(model.resolve(), target_is_directory=True)
    done = work("answer", folder)
    answers = pd.read_parquet(folder / "answers.parquet")
    probabilities = answers.drop(columns="prediction").to_numpy() if done["probabilities"] else None
    return Answers(answers["prediction"].to_numpy(), tuple(done["classes"]), probabilities)


def _judge(setting: Setting, challenger: Answers, champion: Answers | None) -> Evaluation:
    policy, holdout, labels = setting.monitor.retrain, setting.found.holdout, setting.labels
    against: Against = "version"
    if champion is None:
        champion = _logged(setting.monitor, holdout, labels)
        against = "logged" if champion is not None else "nobody"
    judged = Judged(
        task=labels.task,
        truth=labels.holdout.to_numpy(),
        challenger=challenger,
        champion=champion,
        against=against,
        must_beat=setting.must_beat,
        segments=holdout[[name for name in policy.segments if name in holdout]],
    )
    return evaluate(judged, policy)


def _logged(monitor: Monitor, holdout: pd.DataFrame, labels: Labels) -> Answers | None:
    """What the deployed model said of the held-out rows, as production logged it; None where an answer is missing."""
    roles = monitor.columns
    predictions, scores = (
        holdout[name] if name is not None and name in holdout and bool(holdout[name].notna().all()) else None
        for name in (roles.prediction, roles.score)
    )
    if labels.task == "regression":
        said = predictions if predictions is not None else scores
        return None if said is None else Answers(said.astype("float64").to_numpy())
    return _logged_classes(predictions, scores, labels)


def _logged_classes(predictions: pd.Series | None, scores: pd.Series | None, labels: Labels) -> Answers | None:
    import numpy as np

    classes = tuple(sorted(set(labels.training.tolist()) | set(labels.holdout.tolist())))
    probabilities = None
    if scores is not None and len(classes) == 2 and bool(scores.astype("float64").between(0, 1).all()):
        positive = np.asarray(scores, dtype=np.float64)
        probabilities = np.column_stack([1 - positive, positive])
    if predictions is not None:
        return Answers(typed_labels(predictions, labels.task).to_numpy(), classes, probabilities)
    if probabilities is None:
        return None
    return Answers(np.where(probabilities[:, 1] >= 0.5, classes[1], classes[0]), classes, probabilities)
