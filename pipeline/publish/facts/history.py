"""What is remembered of nights, and which pages show it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import date
from itertools import takewhile
from typing import ClassVar

from pydantic import Field

from pipeline.publish.facts.failing import key_of
from pipeline.publish.facts.performance import basis_of, first_breach, held_words, kind_of, worse_words
from pipeline.publish.facts.probation import PastWatch, remember_probation
from pipeline.publish.facts.verdict import State, by_importance, headline, is_stale, retraining_state, state_of
from pipeline.publish.facts.words import found_first
from pipeline.results import (
    Basis,
    Breach,
    Cause,
    Decision,
    DriftResult,
    Estimate,
    Hold,
    Kept,
    LabelledDay,
    Number,
    PerformanceResult,
    ProbationResult,
    QualityResult,
    Result,
    SnapshotPair,
    Status,
    strength,
)
from pipeline.wording import few_rows, metric_name, share_and_limit

SHOWN_BEFORE = 30
MAX_FAILING = 200
"""How many earlier nights the page of a night has in its charts, its own aside."""


class FewRows(Result):
    """How many rows a night had in `nights` together, too few to tell anything, and how many it takes, where known."""

    rows: int
    nights: int = 1
    needed: int | None = None

    @property
    def words(self) -> str:
        """`24 instead of at least 310`."""
        return few_rows(self.rows, self.nights, self.needed)


class PastNight(Kept):
    """What history remembers of a night; strict JSON like every result.

    Shares and `limit` are fractions in [0, 1]; `rows` are production rows; `strengths` is by column, 1.0 on
    the threshold (see `results.strength`), for evaluated columns only; `drifted` names drifted columns, the
    strongest first; `performance` is by metric, where it was measured. `weighted_drift_share` is the share by
    importance, where that is the one held against the limit; `stale`: the data was older than it should have been.
    `critical` names drifted columns that decide alone; `starts`: something starts the retraining the night asks for.

    `metric` is the main metric of the monitor, `value` what the night's verdict on it was about, `metric_before` the
    reference's own value and `metric_limit` what it must not be worse than; `degraded`: it was, or another metric was,
    and `breach` is the first thing to say of it. `basis` says what `value` is made of, `causes` are
    those of the decision.
    Of the night's own predictions `estimated` is the main metric before labels; `performance` (all metrics), `realised`
    (the main one), `labelled_share` and `final` follow the labels as they come. `probation` is the champion that was on
    probation on that night, with what was done about it. `few`: nothing could be told of drift, and the share is none.

    `failing` names the failed expectations, see `facts.failing.key_of`, `found` says what the first of them found, and
    `broken` names the measurements that an error kept from an end. `snapshots` is the digest of the night's snapshots,
    `expected` names columns that changed as people expect, and `counted` is how many columns the share is of. All six
    are empty in histories of earlier versions.
    """

    file: ClassVar[str] = "history"

    run_date: date
    status: Status
    drift_share: Number
    limit: Number
    passed_share: Number
    critical_failures: int
    rows: int
    retrain: bool
    strengths: dict[str, Number] = Field(default_factory=dict)
    drifted: tuple[str, ...] = ()
    failures: int = 0
    performance: dict[str, Number] = Field(default_factory=dict)
    labels_date: date | None = None
    hold: Hold | None = None
    weighted_drift_share: Number | None = None
    stale: bool = False
    critical: tuple[str, ...] = ()
    starts: bool = True
    metric: str | None = None
    value: Estimate | None = None
    metric_before: Number | None = None
    metric_limit: Number | None = None
    degraded: bool = False
    estimated: Estimate | None = None
    realised: Estimate | None = None
    labelled_share: Number | None = None
    final: bool = False
    basis: Basis | None = None
    breach: Breach | None = None
    causes: tuple[Cause, ...] = ()
    probation: PastWatch | None = None
    few: FewRows | None = None
    failing: tuple[str, ...] = ()
    found: str = ""
    broken: tuple[str, ...] = ()
    snapshots: str = ""
    expected: tuple[str, ...] = ()
    counted: int | None = None

    @property
    def headline(self) -> str:
        """The verdict in a line, such as `drifted: 9 of 18 columns (50%)`."""
        return headline(
            self.status,
            len(self.drifted) if self.status != "degraded" or self.over or self.critical else 0,
            len(self.strengths) - len(self.expected) if self.counted is None else self.counted,
            self.critical_failures,
            share=self.share_words,
            apart=len(self.expected),
            weighted=self.weighted_drift_share is not None,
            stale=self.stale,
            critical=len(self.critical),
            worse=self.worse_words,
            few="" if self.few is None else self.few.words,
        )

    @property
    def worse_words(self) -> str:
        """In what the model is worse than it may be: `ROC AUC 0.47, at least 0.81 expected`."""
        if self.breach is not None:
            return worse_words(self.breach)
        if self.metric is None or self.value is None or self.metric_limit is None:
            return "worse than expected"
        value, asked = held_words(self.metric, self.value.value, self.metric_limit, 2)
        return f"{metric_name(self.metric)} {value}, {asked} expected"

    @property
    def metric_words(self) -> tuple[str, str, str]:
        """The main metric as columns of tables have it: `ROC AUC`, `0.812`, `at least 0.806`; empty where not known.

        An estimated one is told by its name, `estimated ROC AUC`.
        """
        if self.metric is None or self.value is None:
            return "", "", ""
        value, asked = held_words(self.metric, self.value.value, self.metric_limit)
        return ("estimated " if self.basis == "estimated" else "") + metric_name(self.metric), value, asked

    def margin(self, unknown: float) -> float:
        """How far the main metric is from its limit, negative beyond it; of an error as a fraction of the limit."""
        if self.metric is None or self.value is None or self.metric_limit is None:
            return unknown
        return kind_of(self.metric).loss(self.value.value, self.metric_limit)

    def subject(self, monitor: str) -> str:
        """Monitor, headline, date and what happens to the model."""
        return f"[{monitor}] {self.headline} on {self.run_date}" + (f", {self.action}" if self.action else "")

    @property
    def state(self) -> State:
        """What the night is shown as."""
        return state_of(self.status, self.stale)

    @property
    def decisive_share(self) -> float:
        """The drift share that is held against the limit."""
        return self.drift_share if self.weighted_drift_share is None else self.weighted_drift_share

    @property
    def share_words(self) -> str:
        """The decisive share as it reads everywhere: with digits enough to tell it from the limit; or that none is."""
        return "not known" if self.few is not None else share_and_limit(self.decisive_share, self.limit)[0]

    @property
    def rolled_back(self) -> bool:
        """Whether the champion was undone on the night, as it was worse in its probation."""
        return self.probation is not None and self.probation.done == "rolled_back"

    @property
    def over(self) -> bool:
        """Whether the share is over the limit, whatever came of it."""
        return self.decisive_share > self.limit

    @property
    def action(self) -> str:
        """`retraining requested`, `retraining due`, `retraining held: cooldown`, or nothing."""
        return retraining_state(self.status, self.retrain, self.hold, self.starts, self.causes)


class History(Result):
    """The published nights of a monitor, oldest first."""

    nights: tuple[PastNight, ...]


def remember(
    pair: SnapshotPair,
    quality: QualityResult,
    drift: DriftResult,
    performance: PerformanceResult,
    decision: Decision,
    *,
    starts: bool = True,
    labelled: LabelledDay | None = None,
    probation: ProbationResult | None = None,
) -> PastNight:
    """A night's results as history keeps them.

    Args:
        pair: its snapshots.
        quality: its quality.
        drift: its drift.
        performance: its performance, as it was judged.
        decision: its verdict.
        starts: something starts the retraining it asks for.
        labelled: its own predictions, with the labels that have come so far.
        probation: what was found of versions that answer beside each other.
    """
    verdict, estimated = performance.verdict, performance.estimated
    metric = None if verdict is None else verdict.metric
    night = PastNight(
        run_date=pair.run_date,
        status=decision.status,
        drift_share=drift.drift_share,
        limit=drift.limit,
        passed_share=quality.passed_share,
        critical_failures=quality.failed("critical"),
        rows=pair.production.rows,
        retrain=decision.retrain,
        strengths={item.name: strength(item) for item in drift.columns if item.status == "evaluated"},
        drifted=tuple(item.name for item in drift.drifted_columns),
        expected=tuple(item.name for item in drift.expected_columns),
        counted=drift.counted,
        failures=len(quality.failures),
        labels_date=performance.labels_date,
        hold=decision.hold,
        weighted_drift_share=by_importance(drift),
        stale=is_stale(quality),
        critical=drift.deciding,
        starts=starts,
        metric=metric,
        value=None if verdict is None else verdict.value,
        metric_before=None if verdict is None or verdict.before is None else verdict.before.value,
        metric_limit=None if verdict is None else verdict.limit,
        degraded=performance.degraded,
        estimated=None if estimated is None or metric is None else estimated.metrics.get(metric),
        basis=basis_of(performance) if verdict is not None and verdict.value is not None else None,
        breach=first_breach(performance),
        causes=decision.causes,
        probation=remember_probation(probation),
        few=_few(drift),
        failing=tuple(key_of(item) for item in quality.failures[:MAX_FAILING]),
        found=found_first(quality),
        broken=tuple(item.part for item in (quality.failure, drift.failure, performance.failure) if item is not None),
        snapshots=pair.digest,
    )
    return night if labelled is None else with_labels(night, labelled)


def _few(drift: DriftResult) -> FewRows | None:
    if drift.few_rows is None:
        return None
    rows, nights, needed = drift.few_rows
    return FewRows(rows=rows, nights=nights, needed=needed)


def with_labels(night: PastNight, labelled: LabelledDay) -> PastNight:
    """A night with what its labels say of its own predictions by now; nothing else of it changes."""
    metrics = labelled.metrics if labelled.status == "measured" else {}
    return night.model_copy(
        update={
            "performance": {name: found.value for name, found in metrics.items()},
            "realised": None if night.metric is None else metrics.get(night.metric),
            "labelled_share": labelled.coverage,
            "final": labelled.final,
        }
    )


def since(nights: Sequence[PastNight]) -> date | None:
    """Since when a monitor is in the state of its newest night; nights are oldest first."""
    same = takewhile(lambda night: night.state == nights[-1].state, reversed(nights))
    return min((night.run_date for night in same), default=None)


def shown_beside(nights: Sequence[PastNight], day: date) -> tuple[PastNight, ...]:
    """What the page of a night shows of others: those before it that its charts hold, and the next one, for a link.

    Args:
        nights: all that are known, oldest first; the night itself may be one of them.
        day: of the night.
    """
    place = bisect_left(nights, day, key=lambda night: night.run_date)
    later = [night for night in nights[place : place + 2] if night.run_date > day]
    return (*nights[max(place - SHOWN_BEFORE, 0) : place], *later[:1])


def touched(before: Sequence[PastNight], after: Sequence[PastNight]) -> list[date]:
    """The nights whose pages show something that differs between two histories, each oldest first."""
    old, new = ({night.run_date: night for night in nights} for nights in (before, after))
    changed = {day for day in old.keys() | new.keys() if old.get(day) != new.get(day)}

    def shows_a_change(day: date) -> bool:
        beside = (*shown_beside(before, day), *shown_beside(after, day))
        return day in changed or any(night.run_date in changed for night in beside)

    return [day for day in new if shows_a_change(day)] if changed else []
