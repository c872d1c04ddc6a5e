"""The decision of a night, as a pure function of its results and of what happened before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from pipeline.config.retrain_policy import RetrainPolicy
from pipeline.results import Cause, Decision, DriftResult, Hold, PerformanceResult, QualityResult, Status
from pipeline.wording import columns_drifted, count, decided_alone, share, share_and_limit, too_few_rows, undecided


@dataclass(frozen=True)
class Circumstances:
    """What the policy needs to know beside tonight's results.

    `rows` are tonight's production rows. `labelled_rows` are the labelled production rows of the window, counted until
    there are enough; None where no label is configured. `asked_before` says of earlier nights, oldest first, whether
    they found something that asks for retraining. `last_request` is the last earlier date on which a retraining was
    requested, `later` the first later one within the cooldown, for a night that comes late. `backfill`: an old night is
    run again, and nobody said that it may retrain. `asked`: the night was told before, about the same data, and asked
    for a retraining: that is not taken back, whatever came since.
    """

    run_date: date
    rows: int
    labelled_rows: int | None = None
    asked_before: tuple[bool, ...] = ()
    last_request: date | None = None
    later: date | None = None
    backfill: bool = False
    asked: bool = False


def decide(
    quality: QualityResult,
    drift: DriftResult,
    policy: RetrainPolicy | None = None,
    circumstances: Circumstances | None = None,
    performance: PerformanceResult | None = None,
) -> Decision:
    """The verdict, and whether to retrain.

    Retraining is due when the drift share is over the limit, strictly, or a column that decides alone drifted, or the
    model is degraded, and no critical expectation failed: what is found in broken data says something about the data,
    not about the world. It is then held for every reason that the monitor's policy finds in the circumstances; without
    these two, for none. A model that is degraded is told before what drifted, and only where neither is so that there
    were too few rows to tell, which asks for nothing.
    """
    found, causes = _found(drift, performance), causes_of(drift, performance)
    if not quality.passed:
        failed = count(quality.failed("critical"), "critical expectation")
        reason = f"{failed} failed, so nothing is retrained"
        if causes:
            reason += f", although {found}"
        return _broken(drift, reason, "quality_failed", causes)
    if drift.evaluated == 0 and not drift.too_few_rows:
        why = f" ({drift.failure.error})" if drift.failure else ""
        reason = f"no column could be compared with the reference{why}, so there is no verdict on drift"
        reason += f"; {_model(performance)}" if "degraded" in causes else ""
        return _broken(drift, reason, "not_comparable", causes)
    if not causes:
        status: Status = "too_few_rows" if drift.too_few_rows else "healthy"
        return Decision(snapshots=drift.snapshots, status=status, retrain=False, reason=found)
    asks = policy is None or not set(causes).isdisjoint(policy.on)
    waits = policy and circumstances and asks and not circumstances.asked
    holds = list(_holds(policy, circumstances)) if policy and circumstances and waits else []
    reason = found
    if holds:
        reason += f"; retraining held: {'; '.join(words for _, words in holds)}"
    if not asks:
        reason += "; the monitor does not ask for retraining on that (retrain.on)"
    return Decision(
        snapshots=drift.snapshots,
        status="degraded" if "degraded" in causes else "drifted",
        retrain=asks and not holds,
        reason=reason,
        hold=holds[0][0] if holds else None,
        causes=causes,
    )


def causes_of(drift: DriftResult, performance: PerformanceResult | None) -> tuple[Cause, ...]:
    """What was found that may ask for retraining."""
    found: list[tuple[bool, Cause]] = [
        (performance is not None and performance.degraded, "degraded"),
        (drift.drifted, "drift"),
    ]
    return tuple(cause for is_so, cause in found if is_so)


def _found(drift: DriftResult, performance: PerformanceResult | None) -> str:
    model = _model(performance)
    return f"{model}; {_drift(drift)}" if model else _drift(drift)


def _model(performance: PerformanceResult | None) -> str:
    """The verdict on a degraded model; empty for any other."""
    verdict = None if performance is None or not performance.degraded else performance.verdict
    return "" if verdict is None else f"the model is degraded: {verdict.sentence}"


def _drift(drift: DriftResult) -> str:
    """What drifted, and the limit; the share that is held against it is written so as to be told from it.

    What decides alone comes first.
    """
    last = f"; {undecided(drift.undecided)}" if drift.undecided else ""
    if drift.few_rows is not None:
        return too_few_rows(*drift.few_rows) + last
    weighted = drift.weighted_drift_share if drift.decisive == "importance" else None
    held, limit = share_and_limit(drift.decisive_share, drift.limit)
    of_columns = held if weighted is None else share(drift.drift_share)
    drifted = columns_drifted(len(drift.drifted_columns), drift.counted, len(drift.expected_columns))
    drifted += f" ({of_columns})"
    drifted += "" if weighted is None else f", {held} of what the champion relies on"
    first = f"{decided_alone(drift.deciding)}; " if drift.deciding else ""
    return f"{first}{drifted}, {'over' if drift.over else 'not over'} the limit of {limit}{last}"


def _broken(drift: DriftResult, reason: str, hold: Hold, causes: tuple[Cause, ...]) -> Decision:
    return Decision(
        snapshots=drift.snapshots, status="data_broken", retrain=False, reason=reason, hold=hold, causes=causes
    )


def _holds(policy: RetrainPolicy, found: Circumstances) -> Iterator[tuple[Hold, str]]:
    """Every reason to wait; the first one names the state.

    That an old night was run again comes last: it would hide what holds on any night.
    """
    if found.rows < policy.min_rows:
        yield "too_few_rows", f"{count(found.rows, 'production row')}, at least {count(policy.min_rows)} are needed"
    if found.labelled_rows is not None and found.labelled_rows < policy.min_labelled_rows:
        known = (
            f"{count(found.labelled_rows, 'labelled production row')} in the last {count(policy.window_days, 'day')}"
        )
        yield "too_few_labels", f"{known}, at least {count(policy.min_labelled_rows)} are needed"
    asked = 1 + sum(found.asked_before[-(policy.nights_over.of - 1) :] if policy.nights_over.of > 1 else ())
    if asked < policy.nights_over.at_least:
        words = f"{asked} of the last {policy.nights_over.of} nights asked for it"
        yield "not_enough_nights", f"{words}, {policy.nights_over.at_least} are needed"
    if found.last_request is not None:
        free = found.last_request + timedelta(days=policy.cooldown_days)
        if found.run_date < free:
            yield "cooldown", f"the last request was on {found.last_request}, the next may be on {free}"
    if found.later is not None:
        yield "cooldown", f"a later night came first, and a retraining was requested on {found.later}"
    if found.backfill:
        yield "backfill", "an old night was run again, which retrains only when told to"
