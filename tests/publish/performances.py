"""Believable verdicts on performance, in every state, and the nights behind them. Equal arguments give equal values."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from typing import Literal

from pipeline.config import Monitor
from pipeline.publish.facts.fleet import Watched
from pipeline.publish.facts.history import PastNight
from pipeline.publish.facts.night import NightView
from pipeline.publish.facts.retraining import PastRetraining, remember
from pipeline.results import (
    Basis,
    Breach,
    CalibrationGroup,
    ClassPerformance,
    Decision,
    Details,
    Estimate,
    Estimated,
    Histogram,
    LabelledDay,
    PerformanceResult,
    PerformanceVerdict,
    Seen,
    Shift,
    Span,
    Trend,
)
from tests.publish import samples
from tests.publish.nights import past
from tests.publish.retrainings import retraining
from tests.publish.samples import HOSTILE

LABELS_DATE = samples.RUN_DATE - timedelta(days=7)
OWN = {
    "roc_auc": 0.8634, "average_precision": 0.7421, "accuracy": 0.8467, "precision": 0.7012, "recall": 0.6390,
    "f1": 0.6687, "balanced_accuracy": 0.7762, "precision_macro": 0.7931, "recall_macro": 0.7762, "f1_macro": 0.7839,
    "precision_weighted": 0.8411, "recall_weighted": 0.8467, "f1_weighted": 0.8429, "matthews_correlation": 0.5690,
    "log_loss": 0.3521, "brier_score": 0.1104, "calibration_error": 0.0121,
}  # fmt: skip
LIMIT = 0.8134
AGED = 0.4712


def estimate(value: float, rows: int = 3_287, spread: float = 0.5) -> Estimate:
    """A value with the noise of so many rows."""
    error = spread / math.sqrt(rows)
    return Estimate(value=value, low=value - 1.96 * error, high=value + 1.96 * error, error=error, rows=rows)


def metrics(loss: float, rows: int = 3_287) -> dict[str, Estimate]:
    """All metrics, worse by `loss` than the reference's own."""
    lower = ("log_loss", "brier_score", "calibration_error")
    return {name: estimate(round(value + (loss if name in lower else -loss), 4), rows) for name, value in OWN.items()}


def details(now: bool = True) -> Details:
    """Two classes; `now` the model is too sure."""
    groups = tuple(
        CalibrationGroup(rows=400 - 30 * place, score=score, share=max(0.0, score - 0.22 * score * now))
        for place, score in enumerate((0.04, 0.12, 0.22, 0.35, 0.48, 0.61, 0.72, 0.83, 0.91, 0.97))
    )
    return Details(
        classes=("0", "1"),
        confusion=((2_021, 466), (398, 402)) if now else ((11_900, 1_400), (1_666, 5_034)),
        calibration=groups,
        threshold=0.5,
    )


def shifts() -> tuple[Shift, ...]:
    """What is watched, of which two moved."""
    return (
        Shift(name="label_share", now=0.2434, before=0.241, sentence="not beyond the noise (z-test, p 0.71)"),
        Shift(name="label_distance", now=0.0031, before=0.0, sentence=""),
        Shift(name="mean_confidence", now=0.7123, before=0.8012, moved=True, sentence="beyond the noise (t-test)"),
        Shift(name="grey_zone_share", now=0.182, before=0.093, moved=True, sentence="beyond the noise (z-test)"),
    )


def estimated(value: float = 0.8512, status: Literal["measured", "withdrawn"] = "measured") -> Estimated:
    """The estimate of tonight, or one that was wrong too often."""
    reason = (
        "on 5 of the last 7 labelled nights ROC AUC lay beyond its interval, by 0.31 in the mean: this is concept drift"
    )
    return Estimated(
        method="cbpe",
        status=status,
        reason=reason if status == "withdrawn" else None,
        metrics={
            name: estimate(value - place * 0.01, 3_412, 0.4)
            for place, name in enumerate(("roc_auc", "accuracy", "precision", "recall", "f1", "f1_macro", "log_loss"))
        },
        nights_compared=7,
        nights_missed=5 if status == "withdrawn" else 0,
        gaps={"roc_auc": 0.31 if status == "withdrawn" else 0.012},
    )


def span(days: int, loss: float) -> Span:
    """Several nights together."""
    rows = 3_287 * days
    return Span(
        first=LABELS_DATE - timedelta(days=days - 1),
        last=LABELS_DATE,
        nights=days,
        rows=3_412 * days,
        labelled_rows=rows,
        metrics=metrics(loss, rows),
    )


def verdict(status: Literal["sound", "degraded"], value: float, basis: Basis = "realised") -> PerformanceVerdict:
    """On the main metric of seven nights, or of tonight's estimate."""
    found = estimate(value, 22_830 if basis == "realised" else 3_412)
    first = LABELS_DATE - timedelta(days=6) if basis == "realised" else samples.RUN_DATE
    last = LABELS_DATE if basis == "realised" else samples.RUN_DATE
    words = (
        f"{'estimated ' * (basis == 'estimated')}ROC AUC {value:.3f}, {0.8634 - value:.2f} below the reference's 0.863"
    )
    breach = Breach(
        metric="roc_auc",
        why="drop",
        basis=basis,
        value=found,
        limit=LIMIT,
        before=OWN["roc_auc"],
        since=first,
        nights=7 if basis == "realised" else 1,
        sentence=f"{words}, which may fall by 0.05; beyond the noise of looking every night",
    )
    floor = breach.model_copy(
        update={
            "metric": "recall",
            "why": "floor",
            "value": estimate(0.41),
            "limit": 0.5,
            "sentence": "Recall 0.410 is below its floor of 0.5",
        }
    )
    sound = f"ROC AUC {value:.3f} is within 0.05 of the reference's 0.863, over 7 nights and 22,830 labels"
    return PerformanceVerdict(
        status=status,
        sentence=sound if status == "sound" else f"The model is worse than it may be: {words}, over 7 nights",
        metric="roc_auc",
        basis=basis,
        value=found,
        limit=LIMIT,
        before=estimate(OWN["roc_auc"], 20_000),
        first=first,
        last=last,
        breaches=() if status == "sound" else (breach, floor) if basis == "realised" else (breach,),
        trend=Trend(
            metric="roc_auc",
            nights=10,
            slope=-0.04,
            p_value=0.0004,
            first=0.81,
            last=0.47,
            sentence="ROC AUC fell in 8 of 10 nights, from 0.81 to 0.47",
        )
        if status == "degraded" and basis == "realised"
        else None,
    )


def performance(state: str = "sound") -> PerformanceResult:
    """Sound, degraded, estimated (no labels yet), guessed (degraded by the estimate) or withdrawn."""
    loss = {"sound": 0.008, "degraded": 0.39, "withdrawn": 0.31}.get(state, 0.0)
    base = PerformanceResult(
        snapshots=samples.pair().digest,
        status="measured",
        labels_date=LABELS_DATE,
        labelled_rows=3_287,
        task="classification",
        coverage=0.963,
        final=True,
        intervals=metrics(loss),
        reference_intervals=metrics(0.0, 20_000),
        realised={name: found.value for name, found in metrics(loss).items()},
        reference=OWN,
        positive="1",
        by_class=(
            ClassPerformance(name="0", support=2_487, predicted=2_419, precision=0.835, recall=0.8126, f1=0.8239),
            ClassPerformance(name="1", support=800, predicted=868, precision=0.4631, recall=0.5025, f1=0.482),
        ),
        details=details(now=state != "sound"),
        reference_details=details(now=False),
        spans={"7": span(7, loss), "30": span(30, loss / 3)},
        shifts=shifts() if state != "sound" else shifts()[:1],
        estimated=estimated(),
        verdict=verdict("sound" if state == "sound" else "degraded", 0.8554 if state == "sound" else AGED),
    )
    if state in ("estimated", "guessed"):
        unlabelled = {"status": "awaiting_labels", "reason": f"no labels for {LABELS_DATE} yet", "labelled_rows": 0}
        empty = {"intervals": {}, "realised": {}, "details": Details(), "by_class": (), "spans": {}, "coverage": 0.0}
        judged = (
            verdict("sound", 0.8512, "estimated") if state == "estimated" else verdict("degraded", 0.7712, "estimated")
        )
        guess = estimated(0.8512 if state == "estimated" else 0.7712)
        return base.model_copy(update={**unlabelled, **empty, "final": False, "verdict": judged, "estimated": guess})
    if state == "withdrawn":
        return base.model_copy(update={"estimated": estimated(0.86, "withdrawn")})
    return base


def several() -> PerformanceResult:
    """Three classes."""
    names = ("gold", "silver", "bronze, unpaid", "other")
    return performance("sound").model_copy(
        update={
            "positive": None,
            "details": Details(
                classes=names,
                confusion=((812, 71, 20, 0), (64, 902, 51, 0), (12, 88, 1_201, 0), (3, 9, 54, 0)),
                calibration=details(now=True).calibration,
            ),
            "reference_details": Details(
                classes=names, confusion=((5_012, 210, 61, 0), (220, 5_902, 199, 0), (45, 240, 8_111, 0), (0, 0, 0, 0))
            ),
            "by_class": tuple(
                ClassPerformance(name=name, support=900, predicted=880, precision=0.9, recall=0.88, f1=0.89)
                for name in names[:3]
            ),
        }
    )


def regression() -> PerformanceResult:
    """Forecasts of rentals, of which the error tripled."""
    own = {"mean_absolute_error": 41.23, "root_mean_squared_error": 63.9, "r2": 0.871, "mean_error": 0.42}
    now = {"mean_absolute_error": 126.4, "root_mean_squared_error": 171.2, "r2": 0.213, "mean_error": -84.1}
    spread = {"mean_absolute_error": 60.0, "root_mean_squared_error": 90.0, "r2": 0.6, "mean_error": 110.0}

    def of(values: dict[str, float], rows: int) -> dict[str, Estimate]:
        return {name: estimate(value, rows, spread[name]) for name, value in values.items()}

    found = of(now, 3_287)["mean_absolute_error"]
    breach = Breach(
        metric="mean_absolute_error",
        why="drop",
        basis="realised",
        value=found,
        limit=49.476,
        before=41.23,
        since=LABELS_DATE,
        nights=1,
        sentence="mean absolute error 126 is 3.1 times the reference's 41.2, which may rise by 20%",
    )
    edges = tuple(float(edge) for edge in range(-400, 450, 50))
    moved = tuple(round(2_000 * math.exp(-(((edge + 84) / 110) ** 2))) for edge in edges[:-1])
    calm = tuple(round(9_000 * math.exp(-(((edge + 20) / 60) ** 2))) for edge in edges[:-1])
    return PerformanceResult(
        snapshots=samples.pair().digest,
        status="measured",
        labels_date=LABELS_DATE,
        labelled_rows=3_287,
        task="regression",
        coverage=0.963,
        intervals=of(now, 3_287),
        realised=now,
        reference=own,
        reference_intervals=of(own, 20_000),
        details=Details(residuals=Histogram(edges=edges, counts=moved)),
        reference_details=Details(residuals=Histogram(edges=edges, counts=calm)),
        estimated=Estimated(
            method="dle", status="measured", metrics={"mean_absolute_error": estimate(43.1, 3_412, 60.0)}
        ),
        verdict=PerformanceVerdict(
            status="degraded",
            sentence="The model is worse than it may be: mean absolute error 126, at most 49.5 expected",
            metric="mean_absolute_error",
            basis="realised",
            value=found,
            limit=49.476,
            before=of(own, 20_000)["mean_absolute_error"],
            first=LABELS_DATE,
            last=LABELS_DATE,
            breaches=(breach,),
        ),
    )


def labelled(share: float = 0.351, value: float = 0.612) -> LabelledDay:
    """The night's own predictions, a part of which has labels by now."""
    rows = round(3_412 * share)
    return LabelledDay(
        day=samples.RUN_DATE,
        key="key",
        status="measured",
        rows=3_412,
        labelled_rows=rows,
        grew=(
            Seen(on=samples.RUN_DATE + timedelta(days=1), labelled_rows=rows // 4),
            Seen(on=samples.RUN_DATE + timedelta(days=2), labelled_rows=rows),
        ),
        metrics={name: estimate(value - place * 0.01, rows) for place, name in enumerate(("roc_auc", "accuracy"))},
    )


@cache
def aging(days: int = 40, until: date = samples.RUN_DATE, promoted: int | None = None) -> tuple[PastNight, ...]:
    """Nights before `until`: the model ages, and recovers where one was promoted so many days before."""
    chance = random.Random(11)
    made = []
    for night in past(days, until):
        ago = (until - night.run_date).days
        age = ago - promoted if promoted is not None and ago > promoted else ago
        fall = 0.0 if promoted is not None and ago <= promoted else max(0.0, (16 - age) / 16) ** 1.5 * 0.4
        made.append(_night(night, ago, fall, chance))
    return tuple(made)


def _night(night: PastNight, ago: int, fall: float, chance: random.Random) -> PastNight:
    share = min(0.97, max(0.0, (ago - 1) / 7)) if ago < 8 else 0.97
    value = OWN["roc_auc"] - fall + chance.gauss(0, 0.012)
    found = estimate(round(value, 4), max(40, round(3_300 * share)), 0.6) if share else None
    judged = estimate(round(OWN["roc_auc"] - fall * 0.7 + chance.gauss(0, 0.004), 4), 22_000)
    worse = judged.value < LIMIT - 0.01
    status = "degraded" if worse and night.status != "data_broken" else night.status
    return night.model_copy(
        update={
            "metric": "roc_auc",
            "value": judged,
            "basis": "realised",
            "metric_before": OWN["roc_auc"],
            "metric_limit": LIMIT,
            "degraded": worse,
            "status": status,
            "retrain": night.retrain and ago % 6 == 0,
            "hold": None if night.retrain and ago % 6 == 0 else "cooldown",
            "estimated": estimate(round(OWN["roc_auc"] - fall * 0.3 + chance.gauss(0, 0.006), 4), 3_400, 0.5),
            "realised": found,
            "labelled_share": share,
            "final": ago >= 8,
            "performance": {} if found is None else _others(found.value),
        }
    )


def _others(value: float) -> dict[str, float]:
    """All metrics of a night, by its ROC AUC."""
    return {"roc_auc": value, "accuracy": round(value - 0.02, 4), "log_loss": round(1.2 - value, 4)}


def promotions(until: date = samples.RUN_DATE) -> tuple[PastRetraining, ...]:
    """One that was promoted three weeks before, and one that was not."""
    return (
        remember(retraining("promoted", until - timedelta(days=24))),
        remember(retraining("rejected", until - timedelta(days=5))),
    )


def decision(status: str, retrain: bool = True, causes: Sequence[str] = ("degraded",)) -> Decision:
    """The decision that goes with it."""
    return Decision.model_validate(
        {
            "snapshots": samples.pair().digest,
            "status": status,
            "retrain": retrain,
            "hold": None if retrain or status == "healthy" else "cooldown",
            "reason": "ROC AUC 0.471, at least 0.813 expected" if status == "degraded" else "within the limit",
            "causes": causes,
        }
    )


def private_monitor() -> Monitor:
    """The label's values are named nowhere."""
    plain = samples.monitor()
    return plain.model_copy(update={"columns": plain.columns.model_copy(update={"private": ("churned",)})})


def healthy_view() -> NightView:
    return dataclasses.replace(
        samples.view(),
        drift=samples.drift(drifted=1),
        performance=performance("sound"),
        decision=decision("healthy", False, ()),
        history=aging(promoted=1),
    )


def degraded_view() -> NightView:
    return dataclasses.replace(
        healthy_view(),
        performance=performance("degraded"),
        decision=decision("degraded"),
        history=aging(),
        labelled=labelled(),
        retrainings=promotions()[1:],
    )


def both_view() -> NightView:
    """Degraded and drifted, held."""
    return dataclasses.replace(
        degraded_view(), drift=samples.drift(), decision=decision("degraded", False, ("drift", "degraded"))
    )


VIEWS: dict[str, NightView] = {
    "healthy": healthy_view(),
    "degraded": degraded_view(),
    "degraded-drifted": both_view(),
    "estimated": dataclasses.replace(healthy_view(), performance=performance("estimated")),
    "guessed": dataclasses.replace(
        healthy_view(), performance=performance("guessed"), decision=decision("degraded", False)
    ),
    "withdrawn": dataclasses.replace(degraded_view(), performance=performance("withdrawn")),
    "several": dataclasses.replace(healthy_view(), performance=several()),
    "regression": dataclasses.replace(
        degraded_view(), performance=regression(), labelled=None, history=(), decision=decision("degraded")
    ),
    "private": dataclasses.replace(degraded_view(), monitor=private_monitor()),
    "older": dataclasses.replace(samples.view(), history=past()),
    "mixed": dataclasses.replace(healthy_view(), history=(*past(40)[:20], *aging(19))),
}
"""Nights of every state, by name."""


def fleet() -> list[Watched]:
    """A monitor for each of these nights."""
    return [Watched(samples.monitor(f"model-{name}"), (*view.history, view.tonight)) for name, view in VIEWS.items()]


def hostile_view() -> NightView:
    """Every text of the performance that comes from data, or quotes it, was chosen by somebody with care."""
    names = tuple(HOSTILE)
    size = len(names)
    square = tuple(tuple(10 + row * column for column in range(size)) for row in range(size))
    base = performance("degraded")
    judged = verdict("degraded", AGED)
    told = {
        "positive": names[0],
        "notes": names,
        "reason": names[0],
        "details": Details(classes=names, confusion=square, calibration=details().calibration),
        "reference_details": Details(classes=names, confusion=square),
        "by_class": tuple(ClassPerformance(name=name, support=1, predicted=1, precision=0.5) for name in names),
        "shifts": tuple(Shift(name=name, now=0.1, before=0.2, moved=True, sentence=name) for name in names),
        "estimated": estimated(0.86, "withdrawn").model_copy(update={"reason": names[0]}),
        "verdict": judged.model_copy(
            update={
                "sentence": names[0],
                "breaches": tuple(judged.breaches[0].model_copy(update={"sentence": name}) for name in names),
            }
        ),
    }
    return dataclasses.replace(
        degraded_view(),
        performance=base.model_copy(update=told),
        labelled=labelled().model_copy(update={"reason": names[0], "notes": names}),
    )
