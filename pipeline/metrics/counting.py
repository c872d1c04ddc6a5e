"""Counts made from rows. What is missing is left out: each metric is of the rows that it can be measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.metrics import forecasts, grid, probabilities, ranking
from pipeline.metrics.counts import Cells, Counts
from pipeline.metrics.ranking import LevelCounts, levels
from pipeline.metrics.sums import sums
from pipeline.results.tally import Sums
from pipeline.wording import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

_MOST_EXACT = 20_000_000
_EARLY_STEP = 4  # 65,536 cells in every factor of two
_FEWEST_TOGETHER, _MOST_TOGETHER = 30, 100_000  # rows
_RESIDUAL_STEP = 12  # 256 cells in every factor of two
_NOT_MEASURED = "so log loss, Brier score and calibration are not measured; ROC AUC and average precision are, of ranks"


def count_classes(
    truth: Codes,
    said: Codes | None,
    scores: tuple[Sequence[int], Floats] | None,
    known: int,
    positive: int | None,
) -> Counts:
    """Counts of a classification.

    Args:
        truth: labels as positions of classes; from `known` on they are none of the classes, below 0 missing.
        said: predictions likewise, equal to the label where both are the same value.
        scores: the positions of some classes, and how probable each of them is, a column for each; NaN is missing.
            With a single column all that is made of scores is about this class against the rest. Of two classes the
            positive one is judged.
        known: how many classes there are.
        positive: the one that precision, recall, F1, ROC AUC and average precision are about.
    """
    import numpy as np

    there = truth >= 0
    answered = there & (said >= 0) if said is not None else None
    found = Counts("classification", 0, known, positive)
    if said is not None and answered is not None and answered.any():
        found = replace(found, cells=_cells(truth[answered], said[answered], known))
    rows = answered
    if scores is not None and scores[1].shape[1]:
        positions, matrix = [int(place) for place in scores[0]], np.asarray(scores[1], dtype=np.float64)
        if positions != sorted(positions):
            matrix = matrix[:, np.argsort(positions)]
            positions.sort()
        scored = there & ~np.isnan(matrix).all(axis=1)
        rows = scored if rows is None else rows | scored
        if scored.any():
            found = _scored(found, truth, positions, matrix)
    return replace(found, rows=0 if rows is None else int(rows.sum()))


def _cells(truth: Codes, said: Codes, known: int) -> Cells:
    import numpy as np

    wide = known + 2
    other = (truth >= known) & (said >= known) & (truth != said)
    pairs = np.minimum(truth, known) * wide
    pairs += np.where(other, known + 1, np.minimum(said, known))
    if wide * wide <= max(len(pairs), 10_000):
        counts = np.bincount(pairs, minlength=wide * wide)
        pairs = np.flatnonzero(counts)
        rows = counts[pairs]
    else:
        pairs, rows = np.unique(pairs, return_counts=True)
    return Cells(pairs // wide, pairs % wide, rows.astype(np.int64))


def _scored(found: Counts, truth: Codes, positions: list[int], matrix: Floats) -> Counts:
    if len(positions) == 1:
        return _single(found, truth, positions[0], matrix[:, 0], matrix)
    if found.known == 2:
        event = 1 if found.positive is None else found.positive
        return _single(found, truth, event, matrix[:, positions.index(event)], matrix)
    return _several(found, truth, positions, matrix)


def _single(found: Counts, truth: Codes, event: int, score: Floats, matrix: Floats) -> Counts:
    """One class against the rest. Of two, the score of the other one is turned round."""
    import numpy as np

    there = (truth >= 0) & ~np.isnan(score)
    rows = matrix[there]
    probable, notes = _are_probabilities(rows, must_add_up=matrix.shape[1] > 1)
    score, came = score[there], truth[there]
    if found.known == 2 and found.positive == 1 - event:
        score, event = (1 - score if probable else -score), 1 - event
    is_own = came == event
    found = replace(
        found, event=event, levels={event: levels(score, is_own)} if len(score) else {}, probable=probable, notes=notes
    )
    if not probable:
        return replace(found, lost=_LOST)
    score = np.clip(score, 0.0, 1.0)
    own = np.where(is_own, score, 1 - score)
    return replace(
        found,
        losses=_present({
            "log_loss": sums(probabilities.log_losses(own)),
            "brier_score": sums(probabilities.brier_scores(score, is_own)),
        }),
    )  # fmt: skip


_LOST = frozenset({"log_loss", "brier_score", "calibration_error"})


def _several(found: Counts, truth: Codes, positions: list[int], matrix: Floats) -> Counts:
    """Each class against the rest, and how sure the model was of the one it held most probable."""
    import numpy as np

    # Scores of all rows and classes together would take too much memory: a thousandth of a per cent is enough then.
    step = _EARLY_STEP if matrix.size > _MOST_EXACT else None
    watched = positions if found.positive is None or found.positive not in positions else [found.positive]
    by_class: dict[int, LevelCounts] = {}
    for place in watched:
        score = matrix[:, positions.index(place)]
        there = (truth >= 0) & ~np.isnan(score)
        if there.any():
            by_class[place] = _levels(score[there], truth[there] == place, step)
    whole = (truth >= 0) & ~np.isnan(matrix).any(axis=1)
    probable, notes = _are_probabilities(matrix if (truth >= 0).all() else matrix[truth >= 0], must_add_up=True)
    rows, came = (matrix, truth) if whole.all() else (matrix[whole], truth[whole])
    found = replace(found, levels=by_class, probable=probable, notes=notes)
    if not probable:
        return replace(found, lost=_LOST)
    if not len(rows):
        return found
    found = replace(found, together=_together(by_class, positions, rows, came))
    best = rows.argmax(axis=1)
    every, chosen = np.arange(len(rows)), np.asarray(positions)[best]
    confidence = _levels(np.clip(rows[every, best], 0.0, 1.0), chosen == came, step)
    column = np.full(found.known + 1, -1)
    column[positions] = np.arange(len(positions))
    own_column = column[np.minimum(came, found.known)]
    # A class without a score was held impossible. A label that is no class has no probability at all.
    own = np.clip(np.where(own_column >= 0, rows[every, own_column], 0.0), 0.0, 1.0)
    is_known = came < found.known
    return replace(
        found,
        confidence=confidence,
        losses=_present({
            "log_loss": sums(probabilities.log_losses(own[is_known])),
            "brier_score": sums(probabilities.brier_scores_of_several(rows, own)),
        }),
    )  # fmt: skip


def _together(
    by_class: dict[int, LevelCounts], positions: list[int], rows: Floats, came: Codes
) -> dict[str, tuple[int, float]]:
    """How far classes move together: the standard error of the mean over them as a part of the mean of theirs.

    From how each row moves all of them; of many rows, 100,000 at equal distances show it well enough.
    """
    import numpy as np

    step, many = -(-len(rows) // _MOST_TOGETHER), len(rows)
    if len(by_class) < 2 or many < _FEWEST_TOGETHER:
        return {}
    rows, came = rows[::step], came[::step]
    moved, apart = {name: np.zeros(len(rows)) for name in ranking.INFLUENCES}, dict.fromkeys(ranking.INFLUENCES, 0.0)
    for place, level in by_class.items():
        own, others = level.own.astype(np.float64), level.others.astype(np.float64)
        if not own.any() or not others.any():
            continue
        at = np.searchsorted(level.scores, rows[:, positions.index(place)])
        at = np.minimum(at, len(own) - 1)  # next to it where scores were rounded
        for name, influence in ranking.INFLUENCES.items():
            by_own, by_others = influence(own, others)
            by_row = np.where(came == place, by_own[at], by_others[at])
            moved[name] += by_row
            apart[name] += float(np.sqrt((by_row**2).mean()))
    spread = {name: float(np.sqrt((by_row**2).mean())) for name, by_row in moved.items()}
    return {name: (many, min(spread[name] / total, 1.0)) for name, total in apart.items() if total > 0}


def _levels(scores: Floats, is_own: NDArray[np.bool_], step: int | None) -> LevelCounts:
    found = levels(scores, is_own)
    return found if step is None else grid.rounded(found, step)


def _are_probabilities(rows: Floats, must_add_up: bool) -> tuple[bool, tuple[str, ...]]:
    import numpy as np

    if not probabilities.in_range(rows):
        low, high = float(np.nanmin(rows)), float(np.nanmax(rows))
        many = count(int(((rows < 0) | (rows > 1)).any(axis=1).sum()), "row")
        kind = ", and look like percentages" if low >= 0 and 1 < high <= 100 else ""
        return False, (f"the scores of {many} are outside [0, 1]{kind}, {_NOT_MEASURED}",)
    if must_add_up and len(rows):
        off = int((np.abs(rows.sum(axis=1) - 1) > probabilities.SUM_TOLERANCE).sum())
        if off:
            return False, (f"the scores of {count(off, 'row')} do not add up to 1 over the classes, {_NOT_MEASURED}",)
    return True, ()


def count_forecasts(truth: Floats, forecast: Floats, quantile: float | None = None) -> Counts:
    """Counts of a regression; of rows where both are there.

    Args:
        truth: labels; NaN is missing.
        forecast: what was predicted; NaN is missing.
        quantile: the one of the label that the forecast is, where it is no mean.
    """
    import numpy as np

    truth, forecast = (np.asarray(column, dtype=np.float64) for column in (truth, forecast))
    there = ~(np.isnan(truth) | np.isnan(forecast))
    if not there.all():
        truth, forecast = truth[there], forecast[there]
    found = Counts("regression", len(truth), quantile=quantile)
    if not len(truth):
        return found
    totals = {name: sums(values) for name, values in forecasts.losses(truth, forecast, quantile).items()}
    lost = {name for name, total in totals.items() if total is None}
    if not (truth != 0).any():
        lost -= {forecasts.PERCENTAGE}  # nothing to divide by is no overflow
    with np.errstate(over="ignore", invalid="ignore"):
        residual = forecast - truth
    residual = residual[~np.isnan(residual)]
    return replace(
        found,
        losses=_present(totals),
        moments=forecasts.moments(truth, forecast),
        residuals=_residuals(residual) if len(residual) else None,
        lost=frozenset(lost),
    )


def _residuals(residual: Floats) -> LevelCounts:
    import numpy as np

    cells, rows = np.unique(grid.places(residual, _RESIDUAL_STEP), return_counts=True)
    return LevelCounts(grid.scores_at(cells, _RESIDUAL_STEP), rows, np.zeros_like(rows), _RESIDUAL_STEP)


def _present(found: dict[str, Sums | None]) -> dict[str, Sums]:
    return {name: total for name, total in found.items() if total is not None}
