"""Runs in a process of its own, so that it can be killed: trains a model, or asks a model file for its answers.

    train FOLDER    job.json, frame.parquet -> model/, scores.parquet, done.json
    answer FOLDER   job.json, frame.parquet, model/ -> answers.parquet, done.json

What it prints is progress. When it fails, `failed.json` says why; rows of data are never part of that.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from pipeline import own_process
from pipeline.errors import unspoken
from pipeline.results import Task
from pipeline.retrain.data.features import Features, typed
from pipeline.retrain.model import model_files
from pipeline.retrain.model.signature import Declared, as_declared
from pipeline.retrain.trainer import Trainer, TrainingData, load_trainer
from pipeline.wording import count

if TYPE_CHECKING:
    import pandas as pd

LABEL = "__label__"
_EXAMPLE_ROWS = 5
_IMPORTANCE_ROWS = 2_000


class Job(BaseModel):
    """What the worker is to do."""

    task: Task
    features: Features
    trainer: str | None = None
    seed: int = 7
    score_rows: bool = False
    private: tuple[str, ...] = ()
    trusted_types: tuple[str, ...] = ()
    allow_pickle: bool = False
    serialization: str = model_files.SKOPS
    positive: int | str | None = None
    types: dict[str, Declared] = Field(default_factory=dict)


class Refused(Exception):
    """What the trainer returned cannot be used; the message says why."""


def main(arguments: list[str]) -> int:
    """Do one job; 0 when done."""
    command, folder = arguments[0], Path(arguments[1])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    job = Job.model_validate_json((folder / "job.json").read_bytes())
    try:
        done = _train(job, folder) if command == "train" else _answer(job, folder)
    except BaseException as error:  # noqa: BLE001 - whatever a trainer raises is a result here
        traceback.print_exception(unspoken(error))  # it is logged, and what it says may quote rows
        (folder / "failed.json").write_text(json.dumps({"message": _words(error)}))
        return 1
    (folder / "done.json").write_text(json.dumps(done))
    return 0


def _end_with_parent() -> None:
    """The parent holds the other end of standard input: when it is gone, however it ended, so is this whole session."""
    while os.read(sys.stdin.fileno(), 1024):  # unbuffered: a buffer's lock would be in the way of a normal end
        pass
    os.killpg(0, signal.SIGKILL)


def _words(error: BaseException) -> str:
    """Where and what, without the message of a foreign error, which may quote rows; the log has all of it."""
    if isinstance(error, Refused | model_files.Untrusted):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno} in {frame.name}"


def _train(job: Job, folder: Path) -> dict[str, Any]:
    import pandas as pd

    rows = pd.read_parquet(folder / "frame.parquet")
    frame, labels = typed(rows, job.features), rows[LABEL]
    trainer = _trainer(job)
    _say(f"training on {count(len(frame), 'row')} and {count(len(job.features.names), 'feature')}")
    model = trainer(_data(job, frame, labels, _say))
    _require_usable(model, frame, job.task)
    _say("saving the model")
    parameters = _parameters(model)
    model_files.save(
        model,
        folder / "model",
        model_files.Description(job.task, job.features, job.serialization, job.trusted_types, job.positive),
        as_declared(_example(frame, job.private), job.types),
        job.types,
    )
    if job.score_rows:
        _say("scoring the training rows, each half by a model of the other half")
        _out_of_fold(job, frame, labels).to_parquet(folder / "scores.parquet")
    return {"parameters": parameters, "importances": _importances(job, model, frame)}


def _trainer(job: Job) -> Trainer:
    try:
        return load_trainer(job.trainer)
    except (ImportError, AttributeError) as error:
        raise Refused(f"retrain.trainer {job.trainer}: {error}; it has to be importable where this runs") from error


def _data(job: Job, frame: pd.DataFrame, labels: pd.Series, log: Any) -> TrainingData:
    return TrainingData(frame, labels, job.features, job.task, job.seed, log)


def _require_usable(model: Any, frame: pd.DataFrame, task: Task) -> None:
    if not callable(getattr(model, "predict", None)):
        raise Refused(f"the trainer returned {type(model).__name__}, which has no predict method")
    if len(model.predict(frame.head(2))) != len(frame.head(2)):
        raise Refused(f"predict of {type(model).__name__} does not give one answer per row")
    if task == "classification" and hasattr(model, "predict_proba") and not hasattr(model, "classes_"):
        raise Refused(f"{type(model).__name__} has predict_proba but no classes_")


def _example(frame: pd.DataFrame, private: tuple[str, ...]) -> pd.DataFrame:
    return frame.head(_EXAMPLE_ROWS).drop(columns=list(private), errors="ignore")


def _parameters(model: Any) -> dict[str, str]:
    """Settings of the last step, without nested estimators: short enough to be read."""
    last = model[-1] if hasattr(model, "steps") else model
    found = last.get_params(deep=False) if hasattr(last, "get_params") else {}
    plain = {name: value for name, value in found.items() if isinstance(value, str | int | float | bool | None)}
    return {"estimator": type(last).__name__} | {name: str(value)[:200] for name, value in sorted(plain.items())}


def _importances(job: Job, model: Any, frame: pd.DataFrame) -> dict[str, float]:
    """How far the answers move, on average, when one feature's values are shuffled among some rows (Breiman 2001, on
    answers instead of errors, so that it needs no label and works for any estimator).

    In probability for a classifier that gives one, else the share of answers that change; in standard deviations of
    the answers for a regressor.
    """
    import numpy as np

    sample = frame.sample(min(len(frame), _IMPORTANCE_ROWS), random_state=job.seed).reset_index(drop=True)
    order = np.random.default_rng(job.seed).permutation(len(sample))
    usual = _answers(model, sample, job.task)
    found = {}
    for name in job.features.names:
        shuffled = sample.assign(**{name: sample[name].iloc[order].reset_index(drop=True)})
        found[name] = _moved(usual, _answers(model, shuffled, job.task), job.task)
    return found


def _moved(usual: pd.DataFrame, shuffled: pd.DataFrame, task: Task) -> float:
    if task == "regression":
        spread = float(usual["prediction"].std())
        moved = float((usual["prediction"] - shuffled["prediction"]).abs().mean())
        return moved / spread if spread > 0 else 0.0
    probabilities = usual.columns.drop("prediction")
    if len(probabilities):
        return float((usual[probabilities] - shuffled[probabilities]).abs().sum(axis=1).mean() / 2)
    return float((usual["prediction"] != shuffled["prediction"]).mean())


def _out_of_fold(job: Job, frame: pd.DataFrame, labels: pd.Series) -> pd.DataFrame:
    """Answers for rows the answering model has not seen: as unsure as it will be in production."""
    import numpy as np
    import pandas as pd

    half = np.random.default_rng(job.seed).permutation(len(frame)) % 2
    parts = []
    for fold in (0, 1):
        model = _trainer(job)(_data(job, frame[half != fold], labels[half != fold], _silent))
        parts.append(_answers(model, frame[half == fold], job.task))
    return pd.concat(parts).sort_index()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def _silent(line: str) -> None:
    """The halves repeat what the whole already told."""


def _answer(job: Job, folder: Path) -> dict[str, Any]:
    import pandas as pd

    model = model_files.load(folder / "model", job.serialization, job.trusted_types, job.allow_pickle)
    frame = typed(pd.read_parquet(folder / "frame.parquet"), job.features)
    answers = _answers(model, frame, job.task)
    answers.to_parquet(folder / "answers.parquet")
    classes = [_plain(name) for name in getattr(model, "classes_", ())] if job.task == "classification" else []
    return {"classes": classes, "probabilities": any(name != "prediction" for name in answers)}


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _answers(model: Any, frame: pd.DataFrame, task: Task) -> pd.DataFrame:
    """`prediction`, and for a classifier that gives them a probability per class, `p0`, `p1` and so on."""
    import pandas as pd

    found = pd.DataFrame({"prediction": model.predict(frame)}, index=frame.index)
    if task == "classification" and hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(frame)
        for position in range(probabilities.shape[1]):
            found[f"p{position}"] = probabilities[:, position]
    return found


if __name__ == "__main__":
    own_process.run(partial(main, sys.argv[1:]))
