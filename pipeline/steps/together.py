"""Columns of a night held together against the reference, where the monitor asks for it."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.errors import ResultMissing
from pipeline.results import Decision, DriftResult, Failure, SnapshotPair, TogetherResult
from pipeline.steps.night import Night

USUAL_NIGHTS = 60
"""How many past nights say what is usual."""


def measure_together(night: Night, pair: SnapshotPair, drift: DriftResult) -> TogetherResult | None:
    """What the columns that could be compared are together, and those of lists of numbers each as a whole; None where
    nobody asked.

    Raises:
        NightjarError: a snapshot cannot be read.
    """
    policy = night.monitor.drift.together
    if policy is None:
        return None
    from pipeline.checks.drift.measure import set_aside
    from pipeline.checks.together.measure import measure
    from pipeline.snapshots import open_snapshot

    columns = {item.name: item.kind for item in drift.columns if item.status == "evaluated"}
    cache, aside = night.cache(), set_aside(night.monitor)
    with open_snapshot(pair.reference, cache) as reference, open_snapshot(pair.production, cache) as production:
        return measure(policy, reference, production, columns, pair.digest, past=_past(night), aside=aside)


def unmeasured(night: Night, pair: SnapshotPair) -> Callable[[Failure], TogetherResult | None]:
    """Makes what stands in for it where it broke."""

    def made(failure: Failure) -> TogetherResult | None:
        policy = night.monitor.drift.together
        per_nights = 0 if policy is None else policy.per_nights
        return TogetherResult(snapshots=pair.digest, per_nights=per_nights, failure=failure)

    return made


def kept(night: Night, pair: SnapshotPair) -> TogetherResult | None:
    """What was measured tonight; None where the monitor does not ask for it, or a version before had measured it."""
    if night.monitor.drift.together is None:
        return None
    try:
        found = night.load(TogetherResult)
    except ResultMissing:
        return None
    return found if found.snapshots == pair.digest else None


def _past(night: Night) -> list[TogetherResult]:
    """Of published nights whose data was not broken, oldest first."""
    recent = [(one.read(Decision), one.read(TogetherResult)) for one in night.earlier()[-USUAL_NIGHTS:]]
    return [
        found
        for decision, found in recent
        if decision is not None and decision.status != "data_broken" and found is not None and found.failure is None
    ]
