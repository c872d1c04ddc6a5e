"""The decision, as a table."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.checks.policy import Circumstances, decide
from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.results import (
    ColumnDrift,
    DriftResult,
    ExpectationOutcome,
    NightAlarms,
    PerformanceResult,
    PerformanceVerdict,
    QualityResult,
    Severity,
)


def drift(drifted: int, evaluated: int, limit: float = 0.30, not_evaluable: int = 0) -> DriftResult:
    columns = [
        ColumnDrift(
            name=f"c{position}",
            kind="numerical",
            method="ks" if position < evaluated else None,
            direction="p_value" if position < evaluated else None,
            score=0.5 if position < evaluated else None,
            threshold=0.05 if position < evaluated else None,
            drifted=position < drifted,
            status="evaluated" if position < evaluated else "not_evaluable",
        )
        for position in range(evaluated + not_evaluable)
    ]
    share = drifted / evaluated if evaluated else 0.0
    return DriftResult(snapshots="s", drift_share=share, limit=limit, drifted=share > limit, columns=tuple(columns))


def quality(*failed: Severity) -> QualityResult:
    outcomes = [
        ExpectationOutcome(expectation="e", column=None, severity=severity, passed=False, sentence="It holds")
        for severity in failed
    ]
    return QualityResult(snapshots="s", suite="x", passed="critical" not in failed, outcomes=tuple(outcomes))


@pytest.mark.parametrize(
    ("drifted", "evaluated", "failed", "status", "retrain"),
    [
        (0, 10, [], "healthy", False),
        (3, 10, [], "healthy", False),  # 0.30 is the limit, and holds
        (6, 20, [], "healthy", False),
        (9, 30, [], "healthy", False),
        (31, 100, [], "drifted", True),
        (4, 10, [], "drifted", True),
        (10, 10, [], "drifted", True),
        (4, 10, ["warning", "info"], "drifted", True),
        (4, 10, ["critical"], "data_broken", False),
        (0, 10, ["critical"], "data_broken", False),
        (0, 0, [], "data_broken", False),
    ],
)
def test_the_verdict(drifted: int, evaluated: int, failed: list[Severity], status: str, retrain: bool) -> None:
    decision = decide(quality(*failed), drift(drifted, evaluated))
    assert (decision.status, decision.retrain) == (status, retrain)


def test_no_retrain_at_exactly_the_limit_for_any_number_of_columns() -> None:
    for evaluated in range(10, 1001, 10):
        assert not decide(quality(), drift(evaluated * 3 // 10, evaluated)).retrain
        assert decide(quality(), drift(evaluated * 3 // 10 + 1, evaluated)).retrain


@pytest.mark.parametrize(("limit", "drifted", "retrain"), [(0.0, 0, False), (0.0, 1, True), (1.0, 10, False)])
def test_the_ends_of_the_limit(limit: float, drifted: int, retrain: bool) -> None:
    assert decide(quality(), drift(drifted, 10, limit)).retrain is retrain


def test_columns_that_could_not_be_compared_are_out_of_the_share() -> None:
    assert decide(quality(), drift(2, 5, not_evaluable=20)).reason.startswith("2 of 5 columns drifted (40%)")


def test_the_reason_says_why_a_drifted_night_with_broken_data_is_held() -> None:
    reason = decide(quality("critical", "critical"), drift(9, 10)).reason
    assert reason == (
        "2 critical expectations failed, so nothing is retrained, "
        "although 9 of 10 columns drifted (90%), over the limit of 30%"
    )


@pytest.mark.parametrize(
    ("drifted", "evaluated", "limit", "reason"),
    [
        (1, 3000, 0.3, "1 of 3,000 columns drifted (0.033%), not over the limit of 30%"),
        (2999, 3000, 0.3, "2,999 of 3,000 columns drifted (99.967%), over the limit of 30%"),
        (751, 2500, 0.3, "751 of 2,500 columns drifted (30.04%), over the limit of 30%"),
        (749, 2500, 0.3, "749 of 2,500 columns drifted (29.96%), not over the limit of 30%"),
        (1, 3, 0.3333, "1 of 3 columns drifted (33.333%), over the limit of 33.33%"),
        (1, 1, 1.0, "1 of 1 column drifted (100%), not over the limit of 100%"),
    ],
)
def test_the_reason_tells_the_share_from_the_limit(drifted: int, evaluated: int, limit: float, reason: str) -> None:
    found = drift(3, 10).model_copy(update={"columns": drift(drifted, evaluated).columns})
    share = drifted / evaluated
    told = decide(quality(), found.model_copy(update={"drift_share": share, "limit": limit, "drifted": share > limit}))
    assert told.reason == reason


def on_a_budget(drifted: int = 0, **told: object) -> DriftResult:
    """Ten columns of a night on a budget that could tell nothing but what drifted."""
    alarms = {"per_nights": 365, "chance": 0.7, "nights": 28, "rows": 24, "too_few_rows": True, **told}
    return drift(drifted, 10).model_copy(update={"alarms": NightAlarms.model_validate(alarms)})


FEW = "too few rows to tell a change from chance: 24"


@pytest.mark.parametrize(
    ("found", "failed", "degraded", "status", "reason"),
    [
        (on_a_budget(), [], False, "too_few_rows", FEW),
        (on_a_budget(rows_needed=310), ["warning"], False, "too_few_rows", f"{FEW} instead of at least 310"),
        (on_a_budget(rows=168, window=7), [], False, "too_few_rows", f"{FEW[:-2]}168 in 7 nights together"),
        (on_a_budget(), [], True, "degraded", f"the model is degraded: ROC AUC 0.47 over 6 nights, below 0.83; {FEW}"),
        (on_a_budget(), ["critical"], False, "data_broken", "1 critical expectation failed, so nothing is retrained"),
        (on_a_budget(4), [], False, "drifted", "4 of 10 columns drifted (40%), over the limit of 30%"),
        (
            on_a_budget(too_few_rows=False),
            [],
            False,
            "healthy",
            "0 of 10 columns drifted (0%), not over the limit of 30%",
        ),
    ],
)
def test_too_few_rows_are_neither_healthy_nor_drifted(
    found: DriftResult, failed: list[Severity], degraded: bool, status: str, reason: str
) -> None:
    decision = decide(
        quality(*failed),
        found,
        RetrainPolicy(),
        Circumstances(run_date=date(2026, 1, 14), rows=24),
        performance(DEGRADED if degraded else None),
    )
    assert (decision.status, decision.retrain) == (status, status in ("degraded", "drifted"))
    assert decision.reason == reason
    assert (decision.status == "too_few_rows") <= (decision.hold is None and not decision.causes)


def test_a_column_that_decides_alone_and_has_no_score_is_named_among_too_few_rows() -> None:
    reason = decide(quality(), on_a_budget().model_copy(update={"critical": ("plan",)})).reason
    assert reason == f"{FEW}; plan, which decides alone, could not be compared"


def alone(drifted: int, critical: tuple[str, ...]) -> DriftResult:
    found = drift(drifted, 16).model_copy(update={"critical": critical})
    return found.model_copy(update={"drifted": found.over or bool(found.deciding)})


FOUR = "4 of 16 columns drifted (25%), not over the limit of 30%"
EIGHT = "8 of 16 columns drifted (50%), over the limit of 30%"


@pytest.mark.parametrize(
    ("drifted", "critical", "status", "reason"),
    [
        (4, ("c3",), "drifted", f"c3 drifted, which decides alone; {FOUR}"),
        (4, ("c1", "c0", "c9"), "drifted", f"c0, c1 drifted, each of which decides alone; {FOUR}"),
        (4, ("c9",), "healthy", FOUR),
        (8, ("c3",), "drifted", f"c3 drifted, which decides alone; {EIGHT}"),
        (4, ("gone",), "healthy", f"{FOUR}; gone, which decides alone, could not be compared"),
    ],
)
def test_a_critical_column_decides_alone(drifted: int, critical: tuple[str, ...], status: str, reason: str) -> None:
    found = alone(drifted, critical)
    decision = decide(quality(), found)
    assert (decision.status, decision.retrain, decision.reason) == (status, status == "drifted", reason)
    assert found.drift_share == drifted / 16
    assert decide(quality("critical"), found).status == "data_broken"


def test_a_result_of_before_has_no_critical_columns() -> None:
    written = drift(2, 10).model_dump(mode="json", exclude={"critical"})
    assert DriftResult.model_validate(written).deciding == ()


WORSE = "ROC AUC 0.47 over 6 nights, below 0.83"
SOUND = PerformanceVerdict(status="sound", sentence="ROC AUC 0.88")
DEGRADED = PerformanceVerdict(status="degraded", sentence=WORSE)


def performance(verdict: PerformanceVerdict | None) -> PerformanceResult:
    return PerformanceResult(snapshots="s", status="measured", verdict=verdict)


@pytest.mark.parametrize(
    ("verdict", "drifted", "failed", "status", "causes"),
    [
        (None, 4, [], "drifted", ("drift",)),
        (SOUND, 1, [], "healthy", ()),
        (PerformanceVerdict(status="unknown", sentence="no labels"), 1, [], "healthy", ()),
        (DEGRADED, 1, [], "degraded", ("degraded",)),
        (DEGRADED, 4, [], "degraded", ("degraded", "drift")),
        (DEGRADED, 1, ["warning"], "degraded", ("degraded",)),
        (DEGRADED, 4, ["critical"], "data_broken", ("degraded", "drift")),
    ],
)
def test_a_degraded_model_is_a_verdict_of_its_own(
    verdict: PerformanceVerdict | None, drifted: int, failed: list[Severity], status: str, causes: tuple[str, ...]
) -> None:
    decision = decide(quality(*failed), drift(drifted, 10), performance=performance(verdict))
    assert (decision.status, decision.causes) == (status, causes)
    assert decision.retrain == (status in ("degraded", "drifted"))
    assert (WORSE in decision.reason) == (verdict is DEGRADED)


@pytest.mark.parametrize(
    ("on", "verdict", "drifted", "retrain", "hold"),
    [
        (["drift", "degraded"], DEGRADED, 1, True, None),
        (["degraded"], DEGRADED, 1, True, None),
        (["degraded"], DEGRADED, 4, True, None),
        (["degraded"], SOUND, 4, False, None),
        (["drift"], DEGRADED, 1, False, None),
        (["drift"], DEGRADED, 4, True, None),
        ([], DEGRADED, 4, False, None),
    ],
)
def test_the_monitor_says_what_asks_for_retraining(
    on: list[str], verdict: PerformanceVerdict, drifted: int, retrain: bool, hold: str | None
) -> None:
    policy = RetrainPolicy.model_validate({"on": on})
    found = Circumstances(run_date=date(2026, 1, 14), rows=1000)
    decision = decide(quality(), drift(drifted, 10), policy, found, performance(verdict))
    assert (decision.retrain, decision.hold) == (retrain, hold)
    assert decision.status in ("degraded", "drifted")


def test_a_degraded_model_is_held_like_a_drifted_night() -> None:
    policy = RetrainPolicy.model_validate({"min_rows": 1000})
    found = Circumstances(run_date=date(2026, 1, 14), rows=999)
    decision = decide(quality(), drift(1, 10), policy, found, performance(DEGRADED))
    assert (decision.status, decision.retrain, decision.hold) == ("degraded", False, "too_few_rows")
    assert "retraining held: 999 production rows" in decision.reason
