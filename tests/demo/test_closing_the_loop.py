"""The story of the demo, without Airflow: the drift is learnt once its labels are there, and does not fire again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from demo import churn
from pipeline.results import Decision, ProbationResult, RetrainResult
from pipeline.steps import retraining as retrain_steps
from pipeline.steps.night import Night, open_night, open_workspace
from pipeline.steps.walk import run_night

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[int, churn.Night]:
    """The demo's nights by their day of January, in a project of their own."""
    for folder in ("monitors", "expectations"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
        monkeypatch.setenv(f"PIPELINE_{folder.upper()}_DIR", str(tmp_path / folder))
    monkeypatch.setenv("PIPELINE_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PIPELINE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    data = churn.write(tmp_path / "data" / "churn", labels_through=date(2025, 12, 31))
    return {night.run_date.day: night for night in data.nights}


def decide(day: int) -> Decision:
    outcome = run_night(_night(day), lambda _: None)
    assert outcome.errors == ()
    assert outcome.decision is not None
    return outcome.decision


def _night(day: int) -> Night:
    return open_night("churn", date(2026, 1, day))


@pytest.fixture
def come(nights: dict[int, churn.Night], tmp_path: Path) -> Callable[[int], None]:
    """Let the labels come that are there on a day."""

    def bring(day: int) -> None:
        for earlier in range(1, day - 2):
            churn.bring_labels(tmp_path / "data" / "churn", nights[earlier])

    return bring


@pytest.fixture
def serve(nights: dict[int, churn.Night]) -> Callable[[int], None]:
    """Let the champion of a day's date score it."""
    return lambda day: churn.rescore([nights[day]], partial(retrain_steps.score, _night(day)))


def retrain(day: int) -> RetrainResult:
    return retrain_steps.retrain(_night(day), "drifted", progress=lambda _: None)


def test_the_fall_is_called_when_it_can_be_known_learnt_from_its_labels_and_the_next_night_is_quiet(
    nights: dict[int, churn.Night], serve: Callable[[int], None], come: Callable[[int], None]
) -> None:
    come(14)
    fall = decide(14)
    first = retrain(14)
    for day in range(15, 22):
        serve(day)
    come(15)
    cooling = decide(15)
    come(18)
    realised = decide(18)
    come(21)
    over_again = decide(21)
    second = retrain(21)
    serve(22)
    come(22)
    after = decide(22)
    retrain_steps.promote(open_workspace("churn"), "1", datetime.now(UTC))
    for day in range(23, 27):
        serve(day)
        come(day)
        mistake = decide(day)
    undone = _night(26).read(ProbationResult)

    assert (fall.status, fall.causes, fall.retrain) == ("degraded", ("degraded", "drift"), True)
    assert "estimated ROC AUC" in fall.reason
    assert first.status == "promoted"  # there was no champion, and the labels of the new market were not there
    assert cooling.hold == "cooldown"
    assert realised.reason.startswith("the model is degraded: ROC AUC 0.4"), realised.reason
    assert over_again.retrain
    assert second.status == "promoted", second.words
    assert second.evaluation is not None
    assert second.evaluation.against == "version"
    main = second.evaluation.main
    assert main is not None
    assert main.champion is not None
    assert main.champion < 0.5 < 0.7 < (main.challenger_low or 0)
    assert second.evaluation.segments
    assert after.status == "healthy", after.reason
    assert pq.read_table(nights[22].production[0])["model_version"][0].as_py() == "2"
    assert pq.read_table(nights[26].production[0])["model_version"][0].as_py() == "1"
    assert mistake.status == "degraded", mistake.reason
    assert undone is not None
    assert undone.probation is not None
    assert (undone.probation.version, undone.probation.against) == ("1", "2")
    assert (undone.probation.done, undone.probation.decision) == ("rolled_back", "worse")
