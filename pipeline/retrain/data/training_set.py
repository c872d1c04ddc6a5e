"""Puts a training set together: labelled production and the reference, windowed, capped, joined by id, deduplicated.

Rows stay in the order of time: the reference, then production from its oldest night to its newest. The newest labelled
production rows are held out; what is left is trained on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from pipeline.config import Monitor
from pipeline.results import NightLeftOut, RetrainStatus, TrainingCounts
from pipeline.wording import count

if TYPE_CHECKING:
    import pandas as pd

_SEED = 7

LeftOut = Literal["no_production", "no_labels", "labels_unusable", "quality_failed", "over_max_rows"]


@dataclass(frozen=True)
class LabelledNight:
    """Production rows of a night that have a label, in file order, and how many have none; or why there is nothing.

    `reason`: of labels that cannot be used, in a sentence.
    """

    run_date: date
    rows: pd.DataFrame | None = None
    unlabelled: int = 0
    why: LeftOut | None = None
    reason: str | None = None


@dataclass(frozen=True)
class TrainingSet:
    """`training` is learnt from, `holdout` (the newest labelled production rows) only judged on."""

    training: pd.DataFrame
    holdout: pd.DataFrame
    counts: TrainingCounts


@dataclass
class _Taken:
    """Production rows gathered so far, newest night first."""

    frames: list[pd.DataFrame] = field(default_factory=list)
    rows: int = 0
    unlabelled: int = 0
    left_out: list[NightLeftOut] = field(default_factory=list)


def window(monitor: Monitor, run_date: date) -> list[date]:
    """The nights whose labels are due on `run_date`, newest first: as many as `window_days`."""
    newest = run_date - timedelta(days=monitor.performance.label_delay_days)
    return [newest - timedelta(days=back) for back in range(monitor.retrain.window_days)]


def assemble(
    monitor: Monitor,
    nights: Iterable[LabelledNight],
    draw_reference: Callable[[int], pd.DataFrame],
    dates: tuple[date, date],
) -> TrainingSet:
    """The training set.

    Args:
        monitor: roles, `max_rows` and `holdout_share`.
        nights: newest first; read no further than `max_rows` needs.
        draw_reference: gives at most so many rows of the reference, in order.
        dates: first and last night of the window.
    """
    import pandas as pd

    limit = monitor.retrain.max_rows
    taken = _take(nights, limit)
    production = stack(taken.frames[::-1]).iloc[-limit:] if taken.frames else pd.DataFrame()
    drawn = draw_reference(limit - len(production))
    reference = _with_label(drawn, str(monitor.columns.label)) if len(drawn) else drawn
    rows, from_reference, duplicates = _deduplicate(reference, production, monitor.columns.id)
    labelled = len(rows) - from_reference
    held_out = min(math.ceil(labelled * monitor.retrain.holdout_share), labelled)
    training, holdout = rows.iloc[: len(rows) - held_out], rows.iloc[len(rows) - held_out :]
    counts = TrainingCounts(
        first_date=dates[0],
        last_date=dates[1],
        reference_rows=from_reference,
        labelled_rows=labelled,
        unlabelled_rows=taken.unlabelled + len(drawn) - len(reference),
        duplicate_rows=duplicates,
        training_rows=len(training),
        holdout_rows=len(holdout),
        nights=len(taken.frames),
        left_out=tuple(sorted(taken.left_out, key=lambda item: item.run_date)),
    )
    return TrainingSet(training.reset_index(drop=True), holdout.reset_index(drop=True), counts)


def _with_label(drawn: pd.DataFrame, label: str) -> pd.DataFrame:
    known = drawn.dropna(subset=[label])
    return known.assign(**{label: known[label].infer_objects()})


def _take(nights: Iterable[LabelledNight], limit: int) -> _Taken:
    taken = _Taken()
    for night in _until_full(nights, taken, limit):
        taken.unlabelled += night.unlabelled
        if night.rows is not None and len(night.rows):
            taken.frames.append(night.rows)
            taken.rows += len(night.rows)
        else:
            why = night.why or "no_labels"
            taken.left_out.append(NightLeftOut(run_date=night.run_date, why=why, reason=night.reason))
    return taken


def _until_full(nights: Iterable[LabelledNight], taken: _Taken, limit: int) -> Iterator[LabelledNight]:
    """Asks for no further night once there are rows enough: reading it would cost, and its rows would be dropped."""
    for night in nights:
        yield night
        if taken.rows >= limit:
            return


def stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Rows one below the other. A column that is all missing in one frame takes its type from the others."""
    import warnings

    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # pandas 3 will let such a column decide too
        return pd.concat(frames, ignore_index=True)


def _deduplicate(
    reference: pd.DataFrame, production: pd.DataFrame, id_column: str | None
) -> tuple[pd.DataFrame, int, int]:
    """All rows, how many of them are of the reference, and how many were dropped. The newest row of an id stays.

    Rows without an id cannot be told apart and stay.
    """
    import pandas as pd

    parts = [part for part in (reference, production) if len(part)]
    rows = stack(parts) if parts else production
    of_reference = pd.Series([True] * len(reference) + [False] * len(production), index=rows.index, dtype=bool)
    keep = pd.Series(True, index=rows.index, dtype=bool)
    if id_column is not None and id_column in rows:
        keep = rows[id_column].isna() | ~rows[id_column].duplicated(keep="last")
    kept = rows[keep].reset_index(drop=True)
    return kept, int((of_reference & keep).sum()), int((~keep).sum())


def draw(rows: int, wanted: int) -> list[int]:
    """Positions of `wanted` of `rows` rows, in order, always the same ones."""
    import numpy as np

    if wanted >= rows:
        return list(range(rows))
    chosen = np.random.default_rng(_SEED).choice(rows, size=max(wanted, 0), replace=False)
    return sorted(int(position) for position in chosen)


def shortage(monitor: Monitor, counts: TrainingCounts) -> tuple[RetrainStatus, str] | None:
    """Why there is nothing to train on, as a state and a sentence; None when there is."""
    fewest = max(monitor.retrain.min_labelled_rows, 2)
    if monitor.columns.label is None:
        return "no_labels", "columns.label of the monitor file names no label, so there is nothing to learn"
    if counts.labelled_rows >= fewest:
        return None
    nights = f"from {counts.first_date} to {counts.last_date}"
    labelled = count(counts.labelled_rows, "labelled row")
    broken = sum(1 for item in counts.left_out if item.why == "quality_failed")
    if broken:
        return "quality_failed", (
            f"{count(broken)} of the nights {nights} failed the suite and are left out; the others have "
            f"{labelled}, at least {count(fewest)} are needed"
        )
    unusable = [item for item in counts.left_out if item.why == "labels_unusable"]
    if unusable:
        return "no_labels" if counts.labelled_rows == 0 else "too_few_labels", (
            f"the labels of {count(len(unusable))} of the nights {nights} cannot be used, such as those of "
            f"{unusable[-1].run_date}: {unusable[-1].reason}; the others have {labelled}, at least {count(fewest)} "
            "are needed"
        )
    if counts.labelled_rows == 0:
        return "no_labels", f"no production row {nights} has a label yet"
    return "too_few_labels", f"{labelled} {nights}, at least {count(fewest)} are needed"
