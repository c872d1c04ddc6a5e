"""A night as it is told: of what its steps found while it is being made, and afterwards of what is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pydantic import ValidationError

from pipeline.errors import ResultMissing
from pipeline.results import (
    Decision,
    DriftResult,
    Kept,
    NightProfile,
    PerformanceResult,
    ProbationResult,
    QualityResult,
    SnapshotPair,
    TogetherResult,
    Told,
)
from pipeline.steps import muting
from pipeline.steps.contain import attempt
from pipeline.steps.night import Night
from pipeline.steps.remembering import nights_of, retrainings_of
from pipeline.steps.told import told

if TYPE_CHECKING:
    from pipeline.publish.facts.history import PastNight
    from pipeline.publish.facts.night import NightView, Runs

_SHOWN: tuple[type[Kept], ...] = (SnapshotPair, QualityResult, DriftResult, PerformanceResult, Decision)
K = TypeVar("K", bound=Kept)


class _Loader(Protocol):
    """Gives a result of a night."""

    def __call__(self, kind: type[K], /) -> K: ...


def runs_of(night: Night) -> Runs:
    """Where else a published night is on record."""
    from pipeline.publish.facts.night import Runs

    return night.read(Runs) or Runs()


def _view_of(night: Night, load: _Loader) -> NightView:
    """Everything that is told about a night, but for its history.

    Args:
        night: the night.
        load: gives its results: those that its steps kept, or those of its publication.
    """
    from pipeline.publish.facts import retraining as retrainings
    from pipeline.publish.facts.night import NightView

    retrained = night.retraining_on(night.run_date)
    return NightView(
        monitor=night.monitor,
        pair=load(SnapshotPair),
        quality=load(QualityResult),
        drift=load(DriftResult),
        performance=load(PerformanceResult),
        decision=load(Decision),
        report_base_url=night.settings.report_base_url,
        mlflow_url=night.settings.mlflow_url,
        airflow_url=night.settings.airflow_url,
        environment=night.settings.environment,
        retraining=None if retrained is None else retrainings.remember(retrained),
        runs=runs_of(night),
        labelled=night.read_labelled(night.run_date),
        retrainings=retrainings_of(night),
        probation=night.read(ProbationResult),
        together=night.read(TogetherResult),
        muted=muting.muted_on(night, night.run_date),
    )


def published_view(night: Night) -> NightView | None:
    """A published night without its history; None where its results cannot be read."""
    files = night.files([f"{kind.file}.json" for kind in _SHOWN])
    return None if files is None else _view_in(night, files)


def _view_in(night: Night, files: Mapping[str, bytes]) -> NightView | None:
    """The same, in the files of one publication."""

    def load(kind: type[K], /) -> K:
        return kind.model_validate_json(files[f"{kind.file}.json"])

    try:
        return _view_of(night, load)
    except (KeyError, ValidationError):
        return None


def beside(view: NightView, nights: Sequence[PastNight], log: Sequence[Told] = ()) -> NightView:
    """A night with what is told of others beside it.

    Args:
        view: the night.
        nights: all that are known, oldest first.
        log: who was told of what, where that is to be known.
    """
    from pipeline.publish.facts.history import shown_beside
    from pipeline.publish.facts.incidents import standing_of

    standing = standing_of(nights, view.run_date, log)
    return replace(view, history=shown_beside(nights, view.run_date), incident=standing)


def published_verdict(night: Night) -> dict[str, Any]:
    """What whoever waits for a night is told, as plain values.

    Returns:
        `run_date` (ISO 8601), `status`, `drift_share` (a fraction in [0, 1]), `retrain`, `reason`, and `page`: its
        address for readers where a base URL is set, else its place in the run store.

    Raises:
        ResultMissing: it is not published, or an earlier version kept less of it.
    """
    view = published_view(night)
    if view is None:
        raise _unreadable(night)
    return {
        "run_date": night.run_date.isoformat(),
        "status": view.decision.status,
        "drift_share": view.drift.drift_share,
        "retrain": view.decision.retrain,
        "reason": view.decision.reason,
        "page": view.link() or night.uri("index.html"),
    }


def measured_night(night: Night) -> NightView:
    """What the steps of a night found, about to be published."""
    view = _view_of(night, night.load)
    require_same_snapshots(night, view.pair, view.quality, view.drift, view.performance, view.decision)
    return _beside_others(night, view)


def published_night(night: Night) -> tuple[NightView, dict[str, bytes]]:
    """A published night with its files, as every outlet tells it: what a step found since then is on no page.

    Raises:
        ResultMissing: it is not published, or an earlier version kept less of it.
    """
    files = night.published()
    view = _view_in(night, files)
    if view is None:
        raise _unreadable(night)
    return _beside_others(night, view), files


def _unreadable(night: Night) -> ResultMissing:
    return ResultMissing(f"{night.uri()}: not published, or by another version: run it again from pull_snapshots")


def _beside_others(night: Night, view: NightView) -> NightView:
    log = told(night.store, night.name)
    return attempt("history", lambda: beside(view, nights_of(night), log), lambda _: view)


def require_same_snapshots(
    night: Night,
    pair: SnapshotPair,
    *results: QualityResult | DriftResult | NightProfile | PerformanceResult | Decision,
) -> None:
    """Hold what steps found against the snapshots that were pinned last.

    Raises:
        ResultMissing: one of them looked at others; names it.
    """
    for result in results:
        if result.snapshots != pair.digest:
            raise ResultMissing(
                f"{night.name} on {night.run_date}: {type(result).__name__} is about other snapshots than those pinned "
                "last: run the night again from pull_snapshots"
            )
