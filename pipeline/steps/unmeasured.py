"""What stands for a measurement that an error kept from an end: a result like any other, that says so."""

from __future__ import annotations

from pipeline.results import (
    DriftResult,
    ExpectationOutcome,
    Failure,
    NightProfile,
    PerformanceResult,
    QualityResult,
    SnapshotPair,
)
from pipeline.steps.night import Night


def no_quality(night: Night, pair: SnapshotPair, failure: Failure) -> QualityResult:
    """Data that could not be judged is not taken for sound."""
    outcome = ExpectationOutcome(
        expectation="suite_evaluated",
        column=None,
        severity="critical",
        passed=False,
        sentence="The suite and the built-in checks can be evaluated",
        error=failure.error,
        check="evaluated",
    )
    suite = night.monitor.quality.suite
    return QualityResult(snapshots=pair.digest, suite=suite, passed=False, outcomes=(outcome,), failure=failure)


def no_drift(night: Night, pair: SnapshotPair, failure: Failure) -> DriftResult:
    """Without a column nothing is evaluated, and so there is no verdict."""
    limit = night.monitor.drift.limit
    return DriftResult(snapshots=pair.digest, drift_share=0.0, limit=limit, drifted=False, columns=(), failure=failure)


def no_profile(pair: SnapshotPair) -> NightProfile:
    """Nothing was counted."""
    return NightProfile(snapshots=pair.digest, reference=pair.reference.digest, columns=())


def no_performance(pair: SnapshotPair, failure: Failure) -> PerformanceResult:
    """The reason is the error."""
    return PerformanceResult(
        snapshots=pair.digest,
        status="not_evaluable",
        reason=failure.error,
        labels_date=pair.labels_date,
        failure=failure,
    )
