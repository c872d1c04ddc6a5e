"""One believable night of a churn model, as the publish room receives it. Equal arguments give equal values."""

from __future__ import annotations

import hashlib
import itertools
import math
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from pipeline.config import Monitor
from pipeline.publish.facts.night import NightView, Runs
from pipeline.results import (
    ClassPerformance,
    ColumnDrift,
    ColumnType,
    Decision,
    DriftResult,
    ExpectationOutcome,
    PerformanceResult,
    PinnedObject,
    QualityResult,
    Severity,
    Shape,
    Snapshot,
    SnapshotPair,
)

RUN_DATE = date(2026, 1, 14)
NOW = 1_768_450_000.0
MOMENT = datetime.fromtimestamp(NOW, UTC)
NUMERICAL = (
    "age", "tenure_days", "orders_90d", "average_order_value", "support_tickets_90d", "churn_probability",
    "sessions_30d", "basket_size", "discount_share", "days_since_last_order", "refunds_365d", "newsletter_opens_90d",
)  # fmt: skip
CATEGORICAL = ("country", "region", "plan", "prediction", "device", "payment_method")
KNOWN = tuple(name for group in zip(NUMERICAL[::2], NUMERICAL[1::2], CATEGORICAL, strict=True) for name in group)
HOSTILE = (
    "</script><script>alert(1)</script>",
    'quote " and backslash \\ and \\n',
    "{{ 7 * 7 }}{% raw %}",
    "line\r\nbreak",
    "tab\tnull\x00",
    "\u202eright to left\u202c \u05e9\u05dc\u05d5\u05dd",
    "x" * 10_000,
    "x" * 9_999 + "y",
)
"""Names and texts that somebody chose with care."""
SCRIPTS = (
    "</script><script>window.hacked = 1</script>",
    "<!--<script>window.hacked = 1",
    "\"'><img src=x onerror='window.hacked = 1'>",
    "{{ 7 * 7 }}{% raw %}${7 * 7}",
    "![x](http://evil.example/x.png) [y](javascript:window.hacked=1)",
    "<a href='https://evil.example/'>click</a><b>bold</b>",
    "__proto__",
    "line\u2028break\u2029\x00\x1b[31m\r\nX-Header: 1",
    "\u202egnirts desrever",
    "x" * 10_000,
    "<" * 10_000,
)
"""Texts that a browser might take for more than text."""
EDGES = tuple(float(edge) for edge in range(0, 105, 5))
REASONS = (
    "the mean moved up by 1.4 reference standard deviations (41.2 to 55.9)",
    "the median moved down by 0.8 reference standard deviations (412 to 287); missing values rose from 1.2% to 9.8%",
    "category 'PT' is new, with 12% of the values; category 'ES' shrank from 31% to 14%",
)


def monitor(name: str = "churn", limit: float = 0.30) -> Monitor:
    """A monitor as `monitors/churn.yaml` describes it."""
    return Monitor.model_validate(
        {
            "name": name,
            "description": "Churn predictor, scored every night",
            "owner": "ml-team@example.com",
            "snapshots": {
                "reference": "data/churn/reference/",
                "production": "data/churn/production/dt={date}/",
                "labels": "data/churn/labels/dt={date}/",
            },
            "columns": {"id": "customer_id", "label": "churned", "prediction": "prediction"},
            "quality": {"suite": "churn"},
            "drift": {"limit": limit, "columns": {"age": {"method": "psi", "threshold": 0.2}}},
            "performance": {"label_delay_days": 7},
            "notify": {"email": ["ml-team@example.com"]},
        }
    )


def pair(run_date: date = RUN_DATE, production: str = "production") -> SnapshotPair:
    """Pinned snapshots; another word for `production` stands for other bytes."""
    labels_date = run_date - timedelta(days=7)
    return SnapshotPair(
        monitor="churn",
        run_date=run_date,
        reference=snapshot("reference", 20_000),
        production=snapshot(production, 3_412),
        labels_date=labels_date,
        labels=snapshot(f"labels-{labels_date}", 3_287),
        labelled=snapshot(f"production-{labels_date}", 3_391),
    )


def snapshot(word: str, rows: int) -> Snapshot:
    """A snapshot of one object whose digest follows from the word."""
    digest = hashlib.sha256(word.encode()).hexdigest()
    uri = f"data/churn/{word}/part-0.parquet"
    fields = tuple(ColumnType(name=name, type="double") for name in NUMERICAL)
    fields += tuple(ColumnType(name=name, type="string") for name in CATEGORICAL)
    content = PinnedObject(uri=uri, size=rows * 61, sha256=digest, rows=rows)
    return Snapshot(uri=f"data/churn/{word}/", objects=(content,), fields=fields, rows=rows)


def quality(failed: bool = False) -> QualityResult:
    """A suite of ten expectations: one warning failed; with `failed` also a critical one."""
    outcomes = [
        outcome(
            "expect_table_row_count_to_be_between", None, "critical", "The snapshot has between 1000 and 100000 rows"
        ),
        outcome("expect_column_values_to_be_unique", "customer_id", "critical", "customer_id has no value twice"),
        *(
            outcome("expect_column_values_to_not_be_null", name, "info", f"{name} has no missing values")
            for name in NUMERICAL[1:7]
        ),
        ExpectationOutcome(
            expectation="expect_column_mean_to_be_between",
            column="age",
            severity="warning",
            passed=False,
            sentence="age has a mean of between 38 and 47",
            observed="55.9",
            notes="The reference mean is 43 years.",
        ),
        ExpectationOutcome(
            expectation="expect_column_values_to_be_between",
            column="tenure_days",
            severity="critical",
            passed=not failed,
            sentence="tenure_days lies between 0 and 6000",
            unexpected_share=0.124 if failed else 0.0,
            notes="Negative means a sign-up in the future.",
        ),
    ]
    return QualityResult(snapshots=pair().digest, suite="churn", passed=not failed, outcomes=tuple(outcomes))


def outcome(expectation: str, column: str | None, severity: Severity, sentence: str) -> ExpectationOutcome:
    """An expectation that passed."""
    return ExpectationOutcome(expectation=expectation, column=column, severity=severity, passed=True, sentence=sentence)


def drift(columns: int = 18, drifted: int = 9, not_evaluable: int = 0, limit: float = 0.30) -> DriftResult:
    """`columns` evaluated ones, of which every other drifted until there are `drifted`, and some without a score."""
    marked = [*range(0, columns, 2), *range(1, columns, 2)][:drifted]
    compared = [column(position, position in marked) for position in range(columns)]
    share = drifted / columns if columns else 0.0
    return DriftResult(
        snapshots=pair().digest,
        drift_share=share,
        limit=limit,
        drifted=share > limit,
        columns=(*compared, *(without_score(position) for position in range(not_evaluable))),
    )


def weighed(drifted: int = 2, decisive: Literal["columns", "importance"] = "importance") -> DriftResult:
    """Ten columns, of which the champion relies on the first for 37% and on every other for 7%; the first drifts."""
    found = drift(10, drifted)
    columns = tuple(
        item.model_copy(update={"importance": 0.37 if place == 0 else 0.07}) for place, item in enumerate(found.columns)
    )
    weighted = sum(item.importance or 0.0 for item in columns if item.drifted)
    held = weighted if decisive == "importance" else found.drift_share
    return found.model_copy(
        update={
            "columns": columns,
            "weighted_drift_share": weighted,
            "decisive": decisive,
            "drifted": held > found.limit,
        }
    )


def stale(severity: Severity = "warning") -> QualityResult:
    """Everything passed but the freshness check."""
    late = ExpectationOutcome(
        expectation="newest_object_is_fresh",
        column=None,
        severity=severity,
        passed=False,
        sentence="The newest file was not written more than 48 hours before the end of the run date",
        observed="73 hours before",
        check="freshness",
    )
    passed = tuple(item for item in quality().outcomes if item.passed)
    return QualityResult(
        snapshots=pair().digest, suite="churn", passed=severity != "critical", outcomes=(*passed, late)
    )


def column(position: int, drifted: bool, name: str | None = None) -> ColumnDrift:
    """A compared column: every third is categorical, every fifth scored by a p-value."""
    name = name or (KNOWN[position] if position < len(KNOWN) else f"feature_{position:04d}")
    kind: Literal["numerical", "categorical"] = "categorical" if position % 3 == 2 else "numerical"
    p_value = position % 5 == 4
    past = (1.2 + position % 7 * 0.83) if drifted else 1 / (1.3 + position % 6)
    threshold = 0.05 if p_value else 0.1
    if p_value:
        method = "chisquare" if kind == "categorical" else "ks"
    else:
        method = "jensenshannon" if kind == "categorical" else "wasserstein"
    return ColumnDrift(
        name=name,
        kind=kind,
        method=method,
        direction="p_value" if p_value else "distance",
        score=threshold / past if p_value else threshold * past,
        threshold=threshold,
        drifted=drifted,
        status="evaluated",
        reason=REASONS[position % 3] if drifted else None,
        missing_reference_share=0.012,
        missing_production_share=0.098 if position % 3 == 1 and drifted else 0.013,
        flags=("missing values rose from 1.2% to 9.8%",) if position % 3 == 1 and drifted else (),
        shape=categories(drifted) if kind == "categorical" else bars(drifted),
    )


def without_score(position: int) -> ColumnDrift:
    """A column that could not be compared."""
    return ColumnDrift(
        name=f"broken_{position}",
        kind="numerical",
        method="wasserstein",
        score=None,
        threshold=0.1,
        drifted=False,
        status="not_evaluable",
        reason="all 3,412 values are missing in production",
        missing_reference_share=0.004,
        missing_production_share=1.0,
        flags=("missing values rose from 0.4% to 100%",),
    )


def bars(moved: bool) -> Shape:
    """A bell over twenty bars, in production moved to the right and wider."""
    return Shape(edges=EDGES, reference=bell(43, 12), production=bell(58, 16) if moved else bell(43.5, 12.2))


def bell(mean: float, deviation: float) -> tuple[float, ...]:
    """Shares of a normal distribution per bar; the outermost bars hold the tails."""
    below = [0.5 * (1 + math.erf((edge - mean) / deviation / math.sqrt(2))) for edge in EDGES]
    below[0], below[-1] = 0.0, 1.0
    return tuple(right - left for left, right in itertools.pairwise(below))


def categories(moved: bool) -> Shape:
    """Shares of six categories, in production without one and with a new one."""
    names = ("DE", "ES", "FR", "IT", "PT", "all others")
    reference = (0.38, 0.31, 0.14, 0.11, 0.0, 0.06)
    production = (0.35, 0.14, 0.19, 0.15, 0.12, 0.05) if moved else (0.375, 0.312, 0.145, 0.109, 0.0, 0.059)
    return Shape(categories=names, reference=reference, production=production)


def performance(measured: bool = True) -> PerformanceResult:
    """Realised metrics of a week ago, somewhat worse than on the reference; or labels that have not arrived."""
    labels_date = RUN_DATE - timedelta(days=7)
    if not measured:
        reason = f"no labels for {labels_date} yet"
        return PerformanceResult(
            snapshots=pair().digest, status="awaiting_labels", reason=reason, labels_date=labels_date
        )
    return PerformanceResult(
        snapshots=pair().digest,
        status="measured",
        labels_date=labels_date,
        labelled_rows=3_287,
        realised={"accuracy": 0.8123, "precision": 0.6431, "recall": 0.5822, "f1": 0.6111, "roc_auc": 0.8047},
        reference={"accuracy": 0.8467, "precision": 0.7012, "recall": 0.6390, "f1": 0.6687, "roc_auc": 0.8634},
        positive="1",
        by_class=(
            ClassPerformance(name="0", support=2_487, predicted=2_563, precision=0.86, recall=0.8854, f1=0.8725),
            ClassPerformance(name="1", support=800, predicted=724, precision=0.6431, recall=0.5822, f1=0.6111),
        ),
    )


def decision(failed: bool = False, drifted: bool = True) -> Decision:
    """The verdict that goes with `quality(failed)` and `drift()`."""
    digest = pair().digest
    if failed:
        reason = "1 critical expectation failed, so nothing is retrained"
        return Decision(snapshots=digest, status="data_broken", retrain=False, reason=reason)
    if drifted:
        reason = "9 of 18 columns drifted (50%), over the limit of 30%"
        return Decision(snapshots=digest, status="drifted", retrain=True, reason=reason)
    reason = "0 of 18 columns drifted (0%), not over the limit of 30%"
    return Decision(snapshots=digest, status="healthy", retrain=False, reason=reason)


def view(name: str = "churn", run_date: date = RUN_DATE) -> NightView:
    """The whole drifted night, run by Airflow."""
    return NightView(
        monitor=monitor(name),
        pair=pair(run_date),
        quality=quality(),
        drift=drift(),
        performance=performance(),
        decision=decision(),
        report_base_url="https://reports.example.com/nightjar",
        runs=Runs(airflow=f"scheduled__{run_date}"),
    )


def with_columns(*columns: ColumnDrift) -> DriftResult:
    """A drift result of just these columns."""
    return drift(0, 0).model_copy(update={"columns": columns, "drift_share": 1.0, "drifted": True})
