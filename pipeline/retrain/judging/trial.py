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
from pipeline.labels.classes import Class, Classes, known_classes, second
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.numbers import numbers, scores
from pipeline.metrics.draws import Answers
from pipeline.results import Against, Evaluation, Task
from pipeline.retrain.data.features import features_of, typed
from pipeline.retrain.data.gather import Known
from pipeline.retrain.data.snapshot_file import Told
from pipeline.retrain.data.training_set import TrainingSet
from pipeline.retrain.judging.gate import Judged, evaluate
from pipeline.retrain.model import model_files
from pipeline.retrain.model.process import run
from pipeline.retrain.model.signature import Declared, declared
from pipeline.retrain.model.worker import LABEL, Job
from pipeline.retrain.progress import Progress
from pipeline.wording import count

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_ROUNDED = 0.01  # so far from 1 may probabilities be that were rounded before they were logged

Worker = Callable[[str, Path], dict[str, Any]]


@dataclass(frozen=True)
class Kinds:
    """Which columns a model learns from."""

    numerical: Sequence[str]
    categorical: Sequence[str]


@dataclass(frozen=True)
class Labels:
    """The labels of both parts of a training set, of one type: int64 or text as classes, or float64.

    `known` are the classes that are known from elsewhere, `classes` those that the training set has, in order. Of these
    `positive` is the one that a single score is about, and that precision, recall and ROC AUC judge; None where there
    are more than two and the monitor does not say.
    """

    task: Task
    training: pd.Series
    holdout: pd.Series
    known: Classes | None = None
    classes: tuple[Class, ...] = ()
    positive: Class | None = None

    @property
    def problem(self) -> str | None:
        """Why these labels cannot tell one model from another; None when they can."""
        if self.task == "regression":
            return None
        for part, name in ((self.training, "training"), (self.holdout, "held-out")):
            if part.nunique() < 2:
                return f"all {count(len(part))} {name} rows have the same label"
        return None

    def as_classes(self, values: pd.Series) -> pd.Series:
        """Predictions as classes of the same type; what is none of them stays what it is."""
        assert self.known is not None  # noqa: S101  (asked of a classification only)
        plain = values.astype(object)
        meant = {value: _same_type(self.known.find(value), self.training) for value in plain.drop_duplicates()}
        return plain.map(lambda value: meant[value]).astype(object)


@dataclass(frozen=True)
class Trial:
    """A trained model and how it did. `scores` are its out-of-fold answers for the training rows, where wanted."""

    folder: Path
    parameters: dict[str, str]
    importances: dict[str, float]
    evaluation: Evaluation
    serialization: str
    told: Told
    scores: pd.DataFrame | None


def labels_of(monitor: Monitor, found: TrainingSet, task: Task, reference: Known | None = None) -> Labels:
    """The labels of a training set, as classes or numbers.

    Args:
        monitor: which column is the label, and which class the positive one.
        found: the training set.
        task: what it is to be learnt as.
        reference: what the reference says of the classes.

    Raises:
        TrainingFailed: a regression has labels that are no numbers, or `columns.positive` is no class.
    """
    import pandas as pd

    name, learnt = str(monitor.columns.label), len(found.training)
    both = pd.concat([found.training[name], found.holdout[name]], ignore_index=True)
    try:
        if task == "regression":
            labels = _numbers(both, name)
            return Labels(task, labels.iloc[:learnt], labels.iloc[learnt:].reset_index(drop=True))
        at_hand = both.drop_duplicates().tolist()
        given = Known() if reference is None else reference
        known = known_classes(monitor.columns, given.labels, given.predictions, at_hand)
    except LabelsUnusable as error:
        raise TrainingFailed(str(error)) from error
    labels = _meant(known, both)
    training, holdout = labels.iloc[:learnt], labels.iloc[learnt:].reset_index(drop=True)
    values = tuple(sorted(labels.drop_duplicates().tolist()))
    positive = None if known.positive is None else _same_type(known.positive, labels)
    return Labels(task, training, holdout, known, values, positive if positive in values else second(values))


def _numbers(labels: pd.Series, name: str) -> pd.Series:
    import pandas as pd
    import pyarrow as pa

    try:
        column = pa.chunked_array([pa.array(labels.astype(object), from_pandas=True)])
        return pd.Series(numbers(column, name), index=labels.index)
    except (LabelsUnusable, pa.ArrowException) as error:
        raise LabelsUnusable(
            f"the labels in {name!r} are no numbers, which a regression needs: set task of the monitor file to "
            "classification, or leave it out"
        ) from error


def _meant(classes: Classes, values: pd.Series) -> pd.Series:
    """The classes that values mean: int64 where all of them are whole numbers, else text."""
    plain = values.astype(object)
    meant = {value: classes.find(value) for value in plain.drop_duplicates()}
    if any(isinstance(value, str) for value in meant.values()):
        return plain.map(lambda value: str(meant[value])).astype(object)
    return plain.map(meant).astype("int64")


def _same_type(value: Class, labels: pd.Series) -> Class:
    return str(value) if labels.dtype == object else value


@dataclass(frozen=True)
class Setting:
    """What a trial works with: the data, an empty folder as large as it, and until when (`time.monotonic()`).

    `champion` is the folder of the champion's verified files; None when there is none that may be loaded, and then
    `must_beat` says whether there is a champion all the same, which Nightjar did not register. `like` has the types of
    production, which the model's signature takes.
    """

    monitor: Monitor
    found: TrainingSet
    labels: Labels
    work: Path
    deadline: float
    progress: Progress
    champion: Path | None = None
    must_beat: bool = False
    like: pa.Schema | None = None

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
    rows = typed(found.training, job.features).assign(**{LABEL: setting.labels.training.to_numpy()})
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
        told=Told(challenger.classes, setting.labels.positive),
        scores=_scores(work / "train" / "scores.parquet"),
    )


def _training_job(setting: Setting, kinds: Kinds) -> Job:
    policy, roles = setting.monitor.retrain, setting.monitor.columns
    training = setting.found.training
    return Job(
        task=setting.labels.task,
        features=features_of(training, kinds.numerical, kinds.categorical),
        trainer=policy.trainer,
        score_rows=any(name in training for name in roles.answers),
        private=roles.private,
        trusted_types=policy.trusted_types,
        allow_pickle=policy.allow_pickle,
        serialization=model_files.PICKLE if policy.allow_pickle else model_files.SKOPS,
        positive=setting.labels.positive,
        types=_types(setting, kinds),
    )


def _types(setting: Setting, kinds: Kinds) -> dict[str, Declared]:
    if setting.like is None:
        return {}
    rows = setting.found.training
    names = [name for name in (*kinds.numerical, *kinds.categorical) if name in setting.like.names]
    return {name: declared(setting.like.field(name).type, bool(rows[name].isna().any())) for name in names}


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
    make_job(folder, job, typed(rows, kept.features))
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
        classes=labels.classes,
        positive=labels.positive,
    )
    return evaluate(judged, policy)


def _logged(monitor: Monitor, holdout: pd.DataFrame, labels: Labels) -> Answers | None:
    """What the deployed model said of the held-out rows, as production logged it; None where an answer is missing, or
    is of a type that cannot be read.
    """
    import pyarrow as pa

    roles = monitor.columns
    there = [name for name in roles.answers if name in holdout and bool(holdout[name].notna().all())]
    try:
        table = pa.Table.from_pandas(holdout[there], preserve_index=False)
        if labels.task == "regression":
            said = next((name for name in (roles.prediction, roles.score) if name in there), None)
            return None if said is None else Answers(numbers(table[said], said))
        probabilities = _logged_probabilities(monitor, table, labels)
    except (LabelsUnusable, pa.ArrowException):
        probabilities = None
    if labels.task == "regression":
        return None
    if roles.prediction in there:
        return Answers(labels.as_classes(holdout[roles.prediction]).to_numpy(), labels.classes, probabilities)
    if probabilities is None:
        return None
    import numpy as np

    return Answers(np.array(labels.classes)[probabilities.argmax(axis=1)], labels.classes, probabilities)


def _logged_probabilities(monitor: Monitor, table: pa.Table, labels: Labels) -> Floats | None:
    """A column for each class; None where the scores are not the probabilities of all of them."""
    import numpy as np

    assert labels.known is not None  # noqa: S101  (asked of a classification only)
    given = scores(table, monitor.columns, labels.known, "production")
    if given is None or not bool(((given.values >= 0) & (given.values <= 1)).all()):
        return None
    found = np.zeros((len(table), len(labels.classes)))
    named = [_same_type(value, labels.training) for value in given.classes]
    if len(named) == 1 and len(labels.classes) == 2 and named[0] in labels.classes:
        own = labels.classes.index(named[0])
        found[:, own], found[:, 1 - own] = given.values[:, 0], 1 - given.values[:, 0]
        return found
    for place, value in enumerate(named):
        if value in labels.classes:
            found[:, labels.classes.index(value)] = given.values[:, place]
    return found if np.allclose(found.sum(axis=1), 1, atol=_ROUNDED) else None
