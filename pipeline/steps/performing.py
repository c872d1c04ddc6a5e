"""How well the model does on a night: labels that came, what is expected without them, and what follows from both.

Each part may break alone: without the reference's own values floors decide, without estimates labels do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.checks.performance.realised import Own
from pipeline.errors import SnapshotChanged, SnapshotUnreadable
from pipeline.labels.columns import LabelsUnusable
from pipeline.results import (
    Estimate,
    Estimated,
    LabelledDay,
    PerformanceResult,
    PerformanceVerdict,
    Shift,
    SnapshotPair,
)
from pipeline.steps import labelled_nights
from pipeline.steps.contain import Mishaps
from pipeline.steps.night import Night

if TYPE_CHECKING:
    from pipeline.checks.performance.estimated.expected import Expected
    from pipeline.checks.performance.estimated.features import Features
    from pipeline.checks.performance.labelled_rows import Rows
    from pipeline.checks.performance.pooled import Serving
    from pipeline.checks.performance.standard import Standard
    from pipeline.publish.facts.history import PastNight

_MOST_PRODUCTION = 500_000  # rows of a night that are estimated: chance among more is nothing beside all else
_MOST_VALUES = 20_000_000  # of a wide table fewer rows are looked at
_FEWEST = 20_000
_VERDICT = "verdict on performance"
_NO_VERDICT = PerformanceVerdict(status="unknown", sentence="an error kept it from being told")


@dataclass(frozen=True)
class _Work:
    """A night's measuring: what several parts of it need is read once. Only samples are held: they may be wide."""

    night: Night
    pair: SnapshotPair
    mishaps: Mishaps

    @cached_property
    def sample(self) -> Rows:
        """Label, answers and inputs of the reference, of as many rows as an estimator learns from."""
        from pipeline.checks.performance.estimated.thin import MOST_REFERENCE
        from pipeline.checks.performance.labelled_rows import Rows
        from pipeline.snapshots import read_sample

        uri, wanted = self.pair.reference.uri, list(dict.fromkeys([*self.features.names, *_judged(self.night)]))
        most = _most(MOST_REFERENCE, wanted)
        return Rows(read_sample(self.pair.reference, self.night.cache(), wanted, most), uri, uri)

    @cached_property
    def production(self) -> Rows:
        """Inputs and answers of tonight's production, of at most 500,000 rows."""
        from pipeline.checks.performance.labelled_rows import Rows
        from pipeline.snapshots import read_sample

        roles, uri = self.night.monitor.columns, self.pair.production.uri
        told = [] if roles.model_version is None else [roles.model_version]
        wanted = list(dict.fromkeys([*self.features.names, *roles.answers, *told]))
        most = _most(_MOST_PRODUCTION, wanted)
        return Rows(read_sample(self.pair.production, self.night.cache(), wanted, most), uri, uri)

    @cached_property
    def features(self) -> Features:
        """What drift compares, without what the model answered."""
        from pipeline.checks.drift.measure import plan_columns
        from pipeline.checks.performance.estimated.features import Features
        from pipeline.snapshots import open_snapshot

        cache, monitor = self.night.cache(), self.night.monitor
        with open_snapshot(self.pair.reference, cache) as before, open_snapshot(self.pair.production, cache) as after:
            plans = plan_columns(monitor, [*map(str, before)], [*map(str, after)])
        kinds = {plan.name: plan.kind for plan in plans if plan.name not in monitor.columns.answers}
        numerical, categorical = (
            [name for name, kind in kinds.items() if kind == wanted] for wanted in ("numerical", "categorical")
        )
        return Features(numerical, categorical)


def _most(most: int, columns: Sequence[str]) -> int:
    """Rows that are read of so many columns."""
    return min(most, max(_MOST_VALUES // max(len(columns), 1), _FEWEST))


def _judged(night: Night) -> list[str]:
    roles = night.monitor.columns
    return [name for name in (roles.label, *roles.answers) if name is not None]


def _reference(work: _Work) -> Rows:
    """Label and answers of the reference, every row."""
    from pipeline.checks.performance.labelled_rows import Rows
    from pipeline.snapshots import read_table

    uri = work.pair.reference.uri
    return Rows(read_table(work.pair.reference, work.night.cache(), _judged(work.night)), uri, uri)


def measure(night: Night, pair: SnapshotPair) -> PerformanceResult:
    """Everything that can be said of the model tonight. What cannot be measured is a reason.

    Raises:
        SourceUnavailable: the storage of the snapshots did not answer.
    """
    from pipeline.checks.performance.realised import configured, not_evaluable

    roles, due = night.monitor.columns, _due(night, pair)
    blank = PerformanceResult(snapshots=pair.digest, status="not_configured")
    if not configured(roles):
        return blank
    if due is not None:
        reason = f"no labels for {due} yet"
        blank = blank.model_copy(update={"status": "awaiting_labels", "reason": reason, "labels_date": due})
    work = _Work(night, pair, Mishaps())
    try:
        found = _judged_by(work)
    except (LabelsUnusable, SnapshotUnreadable, SnapshotChanged) as why:
        return not_evaluable(blank, str(why))
    if found is None:  # no label has ever been seen, and so nothing says what could be judged
        return blank if pair.labels_problem is None else not_evaluable(blank, pair.labels_problem)
    return _result(work, blank, *found)


def _due(night: Night, pair: SnapshotPair) -> date | None:
    """The day whose labels are due; None where there is no place that they could come from."""
    if pair.labels_date is not None or not labelled_nights.has_labels(night, pair.production):
        return pair.labels_date
    return night.run_date - timedelta(days=night.monitor.performance.label_delay_days)


def _judged_by(work: _Work) -> tuple[Standard, Own] | None:
    """What the model is judged by, and how it did on the reference; None where no label is to be found.

    The reference says it; where it has no labels, those of the window do, all of them together, so that a small night
    turns nothing.
    """
    from pipeline.checks.performance.realised import has_labels, own
    from pipeline.checks.performance.standard import standard_of

    monitor, reference = work.night.monitor, _reference(work)
    at_hand = reference if has_labels(reference, monitor.columns) else labelled_nights.all_labels(work.night)
    if at_hand is None:
        return None
    standard = standard_of(reference, monitor.columns, at_hand, monitor.task, monitor.performance.quantile)
    before = work.mishaps.attempt("the reference's own performance", lambda: own(reference, standard))
    return standard, before or Own()


def _result(work: _Work, blank: PerformanceResult, standard: Standard, before: Own) -> PerformanceResult:
    from pipeline.checks.performance.realised import with_reference

    days = labelled_nights.mature(work.night, work.pair, standard, work.mishaps)
    result = _of_due_day(with_reference(blank, before, standard), work.pair, before, days)
    expected = _expected(work, standard)
    follows = work.mishaps.attempt(_VERDICT, lambda: _assessed(work, result, standard, days, expected))
    moved = work.mishaps.attempt("shifts", lambda: _shifts(work, standard, result.labels_date)) or []
    whole = follows or result.model_copy(update={"estimated": _as_expected(expected), "verdict": _NO_VERDICT})
    return whole.model_copy(update={"shifts": tuple(moved), "failure": next(iter(work.mishaps.failures), None)})


def _assessed(
    work: _Work,
    result: PerformanceResult,
    standard: Standard,
    days: Sequence[LabelledDay],
    expected: Expected | str,
) -> PerformanceResult:
    """With what follows from labels and estimates together."""
    from pipeline.checks.performance import pooled
    from pipeline.checks.performance.assess import Known, main_metric, nights_of, of_no_use, verdict_on

    night, attempt, policy = work.night, work.mishaps.attempt, work.night.monitor.performance
    past, serving = _past(night), _serving(work, standard)
    broken = {item.run_date for item in past if item.status == "data_broken"}
    told = pooled.telling((day for day in days if day.day not in broken), standard.digest, serving)
    metrics = [found.metrics for found in (*reversed(told), expected) if not isinstance(found, str)]
    main = main_metric(policy, standard.task, result.reference_intervals, *metrics)
    nights = _expected_nights(night, past, main, expected)
    compared = attempt("estimated against realised", lambda: _compared(expected, nights, told, main))
    known = Known(
        days=days,
        telling=told,
        serving=serving,
        expected=nights,
        shared_error=0.0 if isinstance(expected, str) else expected.reference_errors.get(main, 0.0),
        can_estimate=compared is not None and compared.status == "measured",
    )
    return result.model_copy(
        update={
            "notes": (*result.notes, *of_no_use(policy, standard.task)),
            "estimated": compared or _as_expected(expected),
            "spans": attempt("nights together", lambda: pooled.spans(told)) or {},
            "nights": attempt("nights of the window", lambda: nights_of(known, policy, main)) or (),
            "verdict": attempt(_VERDICT, lambda: verdict_on(result, known, policy, main)) or _NO_VERDICT,
        }
    )


def _shifts(work: _Work, standard: Standard, due: date | None) -> list[Shift]:
    """What moved beside the metrics: tonight's answers, and the labels of the day that is due, if they have come."""
    from pipeline.checks.performance.shifts import shifts

    labelled = None
    with suppress(LabelsUnusable, SnapshotUnreadable, SnapshotChanged):  # the day itself says why
        labelled = _due_rows(work, due)
    return shifts(work.production, work.sample, standard.roles, standard.classes, labelled)


def _due_rows(work: _Work, due: date | None) -> Rows | None:
    """Rows of the day that is due, with their labels; at most those of 500,000 predictions."""
    night, pair, production = work.night, work.pair, work.pair.labelled
    if night.monitor.snapshots.labels is None and due is not None:  # production has its own
        production = night.pin_if_there(night.monitor.snapshots.production, due, night.cache())
    elif pair.labels is None:
        return None
    return (
        None if production is None else labelled_nights.labelled_rows(night, production, pair.labels, _MOST_PRODUCTION)
    )


def _of_due_day(
    result: PerformanceResult, pair: SnapshotPair, before: Own, days: Sequence[LabelledDay]
) -> PerformanceResult:
    """With what is known of the day whose labels are due, if they have come."""
    from pipeline.checks.performance.realised import not_evaluable, with_day

    day = next((day for day in days if day.day == result.labels_date), None)
    if pair.labels_problem is not None:
        return not_evaluable(result, pair.labels_problem)
    return result if day is None else with_day(result, day, before)


def _serving(work: _Work, standard: Standard) -> Serving:
    """Which model answers tonight: as production says, else since the last promotion before tonight."""
    from pipeline.checks.performance.one_day import version_of
    from pipeline.checks.performance.pooled import Serving
    from pipeline.steps.remembering import retrainings_of

    version = None if standard.roles.model_version is None else version_of(work.production, standard)
    if version is not None:
        return Serving(version=version)
    night = work.night
    promoted = [item.run_date for item in retrainings_of(night) if item.promoted and item.run_date < night.run_date]
    return Serving(since=max(promoted) + timedelta(days=1) if promoted else None)


def _past(night: Night) -> list[PastNight]:
    """The nights before this one, as they are remembered."""
    from pipeline.steps.remembering import nights_of

    return [item for item in nights_of(night) if item.run_date < night.run_date]


def _expected(work: _Work, standard: Standard) -> Expected | str:
    """What is expected of tonight's predictions; or why nothing is."""
    from pipeline.checks.performance.estimated.estimator import fit

    def expect() -> Expected | str:
        try:
            estimator = fit(work.sample, standard.roles, standard.classes, work.features)
            return estimator.expect(work.production)
        except LabelsUnusable as why:
            return str(why)

    found = work.mishaps.attempt("estimated performance", expect)
    return "an error kept it from being made" if found is None else found


def _expected_nights(
    night: Night, past: Sequence[PastNight], main: str, expected: Expected | str
) -> dict[date, Estimate]:
    """What was expected of the main metric, by night: of broken data nothing is. Tonight comes last."""
    first = labelled_nights.days_of(night)[0]
    sound = [item for item in past if item.run_date >= first and item.metric == main and item.status != "data_broken"]
    found = {item.run_date: item.estimated for item in sound if item.estimated is not None}
    tonight = None if isinstance(expected, str) else expected.metrics.get(main)
    return found if tonight is None else found | {night.run_date: tonight}


def _compared(
    expected: Expected | str, nights: Mapping[date, Estimate], told: Sequence[LabelledDay], main: str
) -> Estimated:
    """As it is told, and whether it may go on: it is withdrawn where it was wrong on the last labelled nights."""
    from pipeline.checks.performance.estimated.compare import judged

    if isinstance(expected, str):
        return _as_expected(expected)
    pairs = [(day.day, nights[day.day], day.metrics[main]) for day in told if day.day in nights and main in day.metrics]
    found = judged(main, pairs, expected.reference_errors.get(main))
    return _as_expected(expected).model_copy(
        update={
            "status": "withdrawn" if found.withdrawn else "measured",
            "reason": found.sentence or None,
            "nights_compared": found.nights,
            "nights_missed": found.missed,
            "gaps": {} if found.gap is None else {main: found.gap},
        }
    )


def _as_expected(expected: Expected | str) -> Estimated:
    """What is expected, compared with nothing."""
    if isinstance(expected, str):
        return Estimated(status="not_evaluable", reason=expected)
    return Estimated(method=expected.method, status="measured", metrics=expected.metrics, notes=tuple(expected.notes))
