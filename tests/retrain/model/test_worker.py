"""The process that trains: what it hands back, how it ends, and what it loads."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from examples.trainers import forest
from pipeline.errors import TrainingFailed
from pipeline.retrain.data.features import Features, features_of, typed
from pipeline.retrain.model import model_files, process
from pipeline.retrain.model.model_files import Description, Untrusted
from pipeline.retrain.model.signature import declared
from pipeline.retrain.model.worker import LABEL, Job
from pipeline.retrain.trainer import TrainingData
from tests.retrain.trainers import Own
from tests.retrain.world import is_gone, people, wait_for

pytestmark = pytest.mark.slow

FEATURES = Features(("age", "income"), ("city",), ("city",))


def silent(line: str) -> None:
    pass


def job_folder(folder: Path, trainer: str, module: str = "tests.retrain.trainers", **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    job = Job(task="classification", features=FEATURES, trainer=f"{module}:{trainer}", **changes)
    (folder / "job.json").write_text(job.model_dump_json())
    people(200, seed=1).rename(columns={"label": LABEL}).to_parquet(folder / "frame.parquet")
    return folder


def test_a_trained_model_gives_the_same_answers_when_it_is_asked(tmp_path: Path) -> None:
    lines: list[str] = []
    folder = job_folder(tmp_path / "job", "quick", score_rows=True, private=("income",))

    done = process.run("train", folder, 120, 2, lines.append)
    asked = job_folder(tmp_path / "asked", "quick")
    (asked / "model").symlink_to(folder / "model")
    answered = process.run("answer", asked, 120, 2, lines.append)

    assert done["parameters"]["estimator"] == "LogisticRegression"
    assert answered == {"classes": [0, 1], "probabilities": True}
    answers = pd.read_parquet(asked / "answers.parquet")
    scores = pd.read_parquet(folder / "scores.parquet")
    assert list(answers) == list(scores) == ["prediction", "p0", "p1"]
    assert list(scores.index) == list(range(200))
    assert 0 < (answers["p1"] - scores["p1"]).abs().max() < 0.3  # of a model that had not seen the row
    assert "  training on 200 rows and 3 features" in lines
    kept = model_files.describe(folder / "model")
    assert (kept.features, kept.task, kept.serialization) == (FEATURES, "classification", "skops")
    requirements = (folder / "model" / "requirements.txt").read_text()
    assert "skops==" in requirements
    assert "scikit-learn==" in requirements
    from mlflow.models import Model

    signature = Model.load(str(folder / "model")).signature
    assert signature.inputs.input_names() == ["age", "income", "city"]


def test_a_trainer_may_be_a_module_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELINE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.chdir("/")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "our_trainer.py").write_text("from tests.retrain.trainers import quick as ours\n")

    done = process.run("train", job_folder(tmp_path / "job", "ours", "our_trainer"), 120, 2, silent)

    assert done["parameters"]["estimator"] == "LogisticRegression"


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")  # MLflow, of its own types, when it is imported
def test_mlflow_itself_can_load_what_was_saved(tmp_path: Path) -> None:
    folder = job_folder(tmp_path / "job", "quick")
    process.run("train", folder, 120, 2, silent)

    from mlflow import pyfunc

    model = pyfunc.load_model(str(folder / "model"))

    assert set(model.predict(pd.DataFrame({"age": [20.0], "income": [1e4], "city": ["Bern"]}))) <= {0, 1}


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")
@pytest.mark.parametrize("gaps", [False, True])
def test_a_model_takes_production_s_own_frame_and_answers_the_same(tmp_path: Path, gaps: bool) -> None:
    import pyarrow.parquet as pq
    from mlflow import pyfunc

    rows = production(gaps)
    rows.to_parquet(tmp_path / "production.parquet")
    schema = pq.read_schema(tmp_path / "production.parquet")
    frame = pd.read_parquet(tmp_path / "production.parquet")
    features = features_of(frame, ["age", "small", "seen", "day", "nullable", "income"], ["flag", "city", "plan"])
    labels = (frame["income"] > 50).astype("int64")
    (tmp_path / "job").mkdir()
    types = {name: declared(schema.field(name).type, bool(frame[name].isna().any())) for name in features.names}
    job = Job(task="classification", features=features, types=types)
    (tmp_path / "job" / "job.json").write_text(job.model_dump_json())
    typed(frame, features).assign(**{LABEL: labels}).to_parquet(tmp_path / "job" / "frame.parquet")
    process.run("train", tmp_path / "job", 120, 2, silent)

    model = pyfunc.load_model(str(tmp_path / "job" / "model"))
    said = model.predict(frame)

    own = model_files.load(tmp_path / "job" / "model", "skops", (), allow_pickle=False)
    assert said.tolist() == own.predict(typed(frame, features)).tolist() == own.predict(frame).tolist()
    assert set(said) == {0, 1}
    if not gaps:
        said_of = {spec.name: getattr(spec.type, "name", "any") for spec in model.metadata.signature.inputs.inputs}
        assert said_of == {
            "age": "long", "small": "long", "seen": "datetime", "day": "datetime", "nullable": "any",
            "income": "double", "flag": "boolean", "city": "string", "plan": "any",
        }  # fmt: skip
    assert len(model.predict(frame[["income", "city"]])) == len(frame)  # columns that are not there are missing
    assert len(model.predict(frame[["nullable"]].astype("Int64"))) == len(frame)


def production(gaps: bool) -> pd.DataFrame:
    """A column of every type, as a production file may hold it."""
    many = 240
    days = pd.date_range("2026-01-01", periods=many)
    rows = pd.DataFrame(
        {
            "age": range(many),
            "small": pd.Series(range(many), dtype="int32"),
            "seen": days.as_unit("us"),
            "day": days.date,
            "nullable": pd.Series([None, *range(many - 1)], dtype="Int64"),
            "income": [float(row % 100) for row in range(many)],
            "flag": [row % 3 == 0 for row in range(many)],
            "city": ["Bern", "Graz"] * (many // 2),
            "plan": pd.Series(["free", "paid", None] * (many // 3), dtype="category"),
        }
    )
    if not gaps:
        return rows
    return pd.DataFrame({str(name): rows[name].where(rows.index % 7 > 0, None) for name in rows})


def test_it_ends_with_all_it_started_when_its_parent_is_killed(tmp_path: Path) -> None:
    folder = job_folder(tmp_path / "job", "endless")
    code = (
        "import sys; from pathlib import Path; from pipeline.retrain.model import process\n"
        "process.run('train', Path(sys.argv[1]), 600, 10, print)"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TRAINER_ENDLESS_PIDS": str(tmp_path / "pids"),
    }
    parent = subprocess.Popen([sys.executable, "-c", code, str(folder)], env=environment, stdout=subprocess.DEVNULL)
    wait_for((tmp_path / "pids").is_file)
    wait_for(lambda: len((tmp_path / "pids").read_text().split()) == 2)
    worker, child = map(int, (tmp_path / "pids").read_text().split())
    parent.send_signal(signal.SIGKILL)
    parent.wait()

    wait_for(lambda: is_gone(worker) and is_gone(child))


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_example_trainer_needs_no_trust_beyond_ours(task: Any) -> None:
    import skops.io

    frame = people(200, seed=1)
    labels = frame["income"] if task == "regression" else frame["label"]
    data = TrainingData(frame[["age", "city"]], labels, Features(("age",), ("city",), ("city",)), task, 7, silent)

    model = forest(data)

    assert set(skops.io.get_untrusted_types(data=skops.io.dumps(model))) <= set(model_files.TRUSTED_TYPES)
    assert len(model.predict(data.frame)) == 200


@pytest.mark.parametrize(
    ("trainer", "words"),
    [
        ("useless", "the trainer returned object, which has no predict method"),
        ("nowhere", "module 'tests.retrain.trainers' has no attribute 'nowhere'"),
        ("own", "types that are not trusted: tests.retrain.trainers.Own"),
    ],
)
def test_what_a_trainer_may_not_do_is_said(tmp_path: Path, trainer: str, words: str) -> None:
    with pytest.raises(TrainingFailed, match=words):
        process.run("train", job_folder(tmp_path / "job", trainer), 120, 2, silent)


def test_a_process_that_dies_is_told_from_one_that_fails(tmp_path: Path) -> None:
    folder = job_folder(tmp_path / "job", "dying")

    with pytest.raises(TrainingFailed, match="ended with signal SIGKILL and no result; was there enough memory"):
        process.run("train", folder, 120, 2, silent)


def test_a_pickle_is_not_opened_unless_allowed(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(Own([0, 1])))

    with pytest.raises(Untrusted, match="allow_pickle is not set"):
        model_files.load(tmp_path, "pickle", (), allow_pickle=False)
    assert isinstance(model_files.load(tmp_path, "pickle", (), allow_pickle=True), Own)


def test_a_skops_file_with_other_types_is_not_loaded_whatever_it_says_of_itself(tmp_path: Path) -> None:
    import numpy as np
    import skops.io

    skops.io.dump(Own(np.array([0, 1])), tmp_path / "model.skops")

    with pytest.raises(Untrusted, match="Own"):
        model_files.load(tmp_path, "skops", (), allow_pickle=True)
    assert isinstance(model_files.load(tmp_path, "skops", ("tests.retrain.trainers.Own",), False), Own)


@pytest.mark.filterwarnings("ignore:.*type hint:UserWarning")
def test_types_that_the_monitor_trusts_are_saved(tmp_path: Path) -> None:
    import numpy as np

    description = Description("classification", FEATURES, "skops", ("tests.retrain.trainers.Own",))

    model_files.save(Own(np.array([0, 1])), tmp_path / "model", description, pd.DataFrame({"age": [1.0]}))

    assert model_files.describe(tmp_path / "model") == description


def test_what_skops_cannot_save_is_said(tmp_path: Path) -> None:
    with pytest.raises(Untrusted, match="allow_pickle"):
        model_files.save(
            Own(lambda: 0), tmp_path / "model", Description("regression", FEATURES, "skops"), pd.DataFrame()
        )


def digest(folder: Path) -> str:
    return model_files.digest(model_files.listing(folder))


def test_every_file_counts_for_the_digest(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = digest(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b").write_text("2")
    second = digest(tmp_path)
    (tmp_path / "folder" / "b").rename(tmp_path / "folder" / "c")

    assert len({first, second, digest(tmp_path)}) == 3


def test_the_registered_files_are_checked_and_others_are_left_out(tmp_path: Path) -> None:
    for name in ("MLmodel", "model.skops"):
        (tmp_path / name).write_text(name)
    files, sha256 = model_files.listing(tmp_path), digest(tmp_path)
    (tmp_path / "registered_model_meta").write_text("of MLflow")
    (tmp_path / "code.py").write_text("of somebody")

    assert model_files.differing(tmp_path, files, sha256) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["MLmodel", "model.skops"]
    (tmp_path / "model.skops").write_text("of somebody")
    assert model_files.differing(tmp_path, files, sha256) == ["model.skops"]
    (tmp_path / "model.skops").unlink()
    assert model_files.differing(tmp_path, files, sha256) == ["model.skops"]


def test_a_list_that_was_not_registered_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("sound")
    sha256 = digest(tmp_path)
    (tmp_path / "registered_model_meta").write_text("of MLflow")
    assert model_files.differing(tmp_path, {}, sha256) == []  # a model of an earlier version
    (tmp_path / "MLmodel").write_text("of somebody")
    for files in ({}, model_files.listing(tmp_path)):
        assert model_files.differing(tmp_path, files, sha256) == ["one of them"]


LEAVES_ONE_BEHIND = """
import subprocess, sys
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
print(left.pid)
open(sys.argv[1] + "/done.json", "w").write("{}")
"""


def test_a_process_that_a_trainer_leaves_behind_with_its_output_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: str, folder: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", LEAVES_ONE_BEHIND, str(folder)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    monkeypatch.setattr(process, "_start", start)
    monkeypatch.setattr(process, "_LAST_WORDS_SECONDS", 0.2)
    lines: list[str] = []
    assert process.run("train", tmp_path, 50, 1, lines.append) == {}
    left = int(lines[0])
    assert not is_gone(left)
    os.kill(left, signal.SIGKILL)
    wait_for(lambda: is_gone(left))
