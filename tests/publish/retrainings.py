"""One believable retraining of a churn model in every outcome. Equal arguments give equal values."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from typing import Literal, get_args

from pipeline.results import (
    Evaluation,
    GateCheck,
    Lineage,
    MetricComparison,
    NightLeftOut,
    RetrainResult,
    RetrainStatus,
    SegmentComparison,
    TrainingCounts,
)
from tests.publish import samples
from tests.publish.samples import HOSTILE

STATUSES: tuple[RetrainStatus, ...] = get_args(RetrainStatus)
WITH_A_MODEL = ("promoted", "proposed", "rejected", "superseded")
VERDICTS: dict[RetrainStatus, str] = {
    "promoted": "ROC AUC 0.8123 against 0.7804, better by +0.0319 (95% interval +0.0102 to +0.0541): beyond the noise",
    "proposed": "waits for a person: ROC AUC 0.8123 against 0.7804: beyond the noise",
    "rejected": "the champion stays: ROC AUC falls by more than 5% in 1 of 6 segments (plan = basic: 0.701)",
    "superseded": "the champion changed while this one was trained; it waits as challenger for a person",
    "no_labels": "nothing was trained, as no night of the window has labels",
    "too_few_labels": "nothing was trained, as there are 120 labelled rows, at least 500 are needed",
    "quality_failed": "nothing was trained, as the training set fails: tenure_days lies between 0 and 6000",
    "failed": "the trainer raised ValueError: 3 classes found, 2 expected",
}


def retraining(status: RetrainStatus = "promoted", run_date: date = samples.RUN_DATE) -> RetrainResult:
    """What came of it, whole."""
    trained = status in WITH_A_MODEL
    return RetrainResult(
        monitor="churn",
        run_date=run_date,
        status=status,
        reason=samples.decision().reason,
        night_reason=samples.decision().reason,
        verdict=VERDICTS[status],
        drift_share=0.5,
        counts=counts(run_date),
        quality=samples.quality(status == "quality_failed") if status != "no_labels" else None,
        evaluation=evaluation(falls=status == "rejected") if trained else None,
        lineage=lineage() if trained else None,
        told="the webhook answered 200" if status == "promoted" else None,
    )


def counts(run_date: date = samples.RUN_DATE) -> TrainingCounts:
    """Two weeks of nights, three of them left out, and ten before them that were too many."""
    left_out = [NightLeftOut(run_date=run_date - timedelta(days=ago), why="no_labels") for ago in (1, 0)]
    left_out += [NightLeftOut(run_date=run_date - timedelta(days=5), why="quality_failed")]
    older = (run_date - timedelta(days=ago) for ago in range(23, 13, -1))
    left_out += [NightLeftOut(run_date=day, why="over_max_rows") for day in older]
    return TrainingCounts(
        first_date=run_date - timedelta(days=13),
        last_date=run_date,
        reference_rows=20_000,
        labelled_rows=36_157,
        unlabelled_rows=1_204,
        duplicate_rows=311,
        training_rows=49_321,
        holdout_rows=6_836,
        nights=11,
        left_out=tuple(left_out),
    )


def evaluation(falls: bool = False, against: Literal["version", "logged", "nobody"] = "version") -> Evaluation:
    """A challenger that is better, except in one segment when it `falls`."""
    metrics: tuple[MetricComparison, ...] = (
        compared("accuracy", 0.8231, 0.8119, 0.0112, -0.0013, 0.0236),
        compared("precision", 0.6702, 0.6431, 0.0271, 0.0034, 0.0507),
        compared("recall", 0.5710, 0.5822, -0.0112, -0.0351, 0.0128),
        compared("f1", 0.6166, 0.6111, 0.0055, -0.0162, 0.0270),
        compared("roc_auc", 0.8123, 0.7804, 0.0319, 0.0102, 0.0541),
        compared("log_loss", 0.4012, 0.4398, 0.0386, 0.0201, 0.0570, "lower"),
        compared("calibration_error", 0.0312, 0.0187, -0.0125, -0.0213, -0.0041, "lower"),
    )
    if against == "nobody":
        metrics = tuple(
            item.model_copy(update={"champion": None, "improvement": None, "low": None, "high": None})
            for item in metrics
        )
    return Evaluation(
        task="classification",
        main_metric="roc_auc",
        against=against,
        metrics=metrics,
        segments=segments(falls),
        checks=(
            GateCheck(name="main_metric", passed=True, sentence="ROC AUC 0.8123 against 0.7804: beyond the noise"),
            GateCheck(name="floor", passed=True, sentence="ROC AUC 0.8123, at least 0.7 is asked for"),
            GateCheck(
                name="segments",
                passed=not falls,
                sentence="ROC AUC falls by more than 5% in 1 of 6 segments (plan = basic: 0.701 against 0.748)"
                if falls
                else "none of 5 segments falls by more than 5%",
            ),
        ),
    )


def compared(
    name: str,
    challenger: float,
    champion: float,
    improvement: float,
    low: float,
    high: float,
    better: Literal["higher", "lower"] = "higher",
) -> MetricComparison:
    """One metric of both models."""
    return MetricComparison(
        name=name,
        better=better,
        challenger=challenger,
        challenger_low=challenger - 0.012,
        challenger_high=challenger + 0.012,
        champion=champion,
        improvement=improvement,
        low=low,
        high=high,
    )


def segments(falls: bool = False) -> tuple[SegmentComparison, ...]:
    """Two columns, one value of them too rare to judge."""
    rows = (
        ("country", "DE", 2_310, 0.822, 0.794),
        ("country", "ES", 1_903, 0.805, 0.761),
        ("country", "PT", 41, 0.76, 0.71),
        ("plan", "basic", 3_120, 0.701 if falls else 0.781, 0.748),
        ("plan", "premium", 2_241, 0.833, 0.815),
        ("plan", "family", 1_475, 0.809, 0.802),
    )
    return tuple(
        SegmentComparison(
            column=column,
            value=value,
            rows=many,
            main=compared(
                "roc_auc", challenger, champion, challenger - champion, challenger - champion - 0.02,
                challenger - champion + 0.02,
            ),
            judged=many > 100,
            passed=challenger > champion * 0.95,
        )
        for column, value, many, challenger, champion in rows
    )  # fmt: skip


def lineage() -> Lineage:
    """Version 3, which came after version 2."""
    return Lineage(
        version="3",
        run_id="5f0c1b2a9d3e4f60718293a4b5c6d7e8",
        model_uri="models:/churn/3",
        model_sha256=hashlib.sha256(b"model").hexdigest(),
        training_uri="s3://models/churn/training/2026-01-14/training.parquet",
        training_sha256=hashlib.sha256(b"training").hexdigest(),
        champion_version="2",
        code_version="1.4.0 (a5c6f9f)",
        trainer="pipeline.retrain.trainer:train",
        trainer_sha256=hashlib.sha256(b"trainer").hexdigest(),
        serialization="skops",
        parameters={"learning_rate": "0.1", "max_iter": "400", "seed": "0"},
    )


SUBJECTS: dict[RetrainStatus, str] = {
    "promoted": "[churn] retraining promoted version 3 on 2026-01-14: ROC AUC 0.812 against 0.780",
    "proposed": "[churn] retraining proposes version 3 on 2026-01-14: ROC AUC 0.812 against 0.780",
    "rejected": "[churn] retraining rejected version 3 on 2026-01-14: ROC AUC 0.812 against 0.780",
    "superseded": "[churn] retraining left version 3 waiting on 2026-01-14: ROC AUC 0.812 against 0.780",
    "no_labels": "[churn] retraining not done: no labels on 2026-01-14",
    "too_few_labels": "[churn] retraining not done: too few labels on 2026-01-14",
    "quality_failed": "[churn] retraining not done: the training data is broken on 2026-01-14",
    "failed": "[churn] retraining failed on 2026-01-14",
}


COMMANDS: dict[RetrainStatus, str | None] = {
    "promoted": "python -m pipeline rollback churn --from 3",
    "proposed": "python -m pipeline promote churn 3",
    "rejected": None,
    "superseded": "python -m pipeline promote churn 3",
    "no_labels": "python -m pipeline retrain churn --date 2026-01-14",
    "too_few_labels": "python -m pipeline retrain churn --date 2026-01-14",
    "quality_failed": "python -m pipeline retrain churn --date 2026-01-14",
    "failed": "python -m pipeline retrain churn --date 2026-01-14",
}


def hostile() -> RetrainResult:
    """Every text that comes from data, from a trainer or from a file was chosen by somebody with care."""
    text = " ".join(HOSTILE[:6])
    whole = retraining("rejected")
    assert whole.evaluation is not None
    assert whole.lineage is not None
    assert whole.quality is not None
    segments = tuple(
        item.model_copy(update={"column": name, "value": name})
        for item, name in zip(whole.evaluation.segments, HOSTILE, strict=False)
    )
    checks = tuple(item.model_copy(update={"sentence": text}) for item in whole.evaluation.checks)
    outcomes = tuple(item.model_copy(update={"sentence": text, "passed": False}) for item in whole.quality.outcomes)
    fields = ("run_id", "model_uri", "training_uri", "code_version", "trainer")
    lineage = whole.lineage.model_copy(
        update={**dict.fromkeys(fields, text), "parameters": dict.fromkeys(HOSTILE, text)}
    )
    return whole.model_copy(
        update={
            "reason": text,
            "verdict": text,
            "told": text,
            "lineage": lineage,
            "evaluation": whole.evaluation.model_copy(update={"segments": segments, "checks": checks}),
            "quality": whole.quality.model_copy(update={"outcomes": outcomes}),
        }
    )
