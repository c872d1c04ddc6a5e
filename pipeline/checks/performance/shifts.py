"""What is watched beside the metrics: labels, scores, confidence, predictions and calibration, against the reference.

Looked at every night, so the tests are strict: something moved when p is below 0.001 and it moved far enough to
matter, so that neither chance nor 5,000,000 rows shout. One quantity then rings falsely at most once in 1,000 nights.
Far enough is 0.02 of a share, 0.1 standard deviations of the reference for a mean in a unit of its own, and 0.05 of a
distance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.checks.performance.estimated.scored import Scored, Seen, require_scores
from pipeline.checks.performance.labelled_rows import Rows
from pipeline.config import ColumnRoles
from pipeline.labels.classes import MISSING, Classes, encode
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.numbers import numbers
from pipeline.results import Shift
from pipeline.wording import number, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

ALPHA = 0.001
FAR_SHARE = 0.02
FAR_MEAN = 0.1
FAR_DISTANCE = 0.05
GREY = (0.4, 0.6)
"""Between these the score of the positive class decides little. Of several classes: a top probability below 0.5."""
_GROUPS = 10
_LEAST = 30
_LEAST_EXPECTED = 5


@dataclass(frozen=True)
class _Sides:
    """The same of two sets of rows, and how messages call it."""

    now: Rows
    before: Rows
    roles: ColumnRoles
    classes: Classes | None


def shifts(
    tonight: Rows, reference: Rows, roles: ColumnRoles, classes: Classes | None, labelled: Rows | None = None
) -> list[Shift]:
    """What moved, and what did not, of everything that both sides show; what cannot be read is left out.

    `prediction_share`, `mean_confidence` and `grey_zone_share` are of tonight's rows, `label_share` and `calibration`
    of those with a label; `*_distance` (Jensen-Shannon, base 2) stand for shares where there is no positive class. A
    regression has `mean_prediction` and `mean_label`, unless they are private. Fewer than 30 rows tell nothing.

    Args:
        tonight: the night's rows.
        reference: those of the reference.
        roles: which column is what.
        classes: the known classes; None for a regression.
        labelled: rows that have a label, with the model's answers, of the newest labelled night.
    """
    night = _Sides(tonight, reference, roles, classes)
    parts: list[Callable[[], list[Shift]]] = [
        lambda: _of_column("prediction", roles.prediction, night),
        lambda: _of_scores(night) if classes is not None else [],
    ]
    if labelled is not None:
        later = _Sides(labelled, reference, roles, classes)
        parts += [lambda: _of_column("label", roles.label, later), lambda: _calibration(later)]
    return [shift for part in parts for shift in _readable(part)]


def _readable(part: Callable[[], list[Shift]]) -> Iterator[Shift]:
    try:
        yield from part()
    except LabelsUnusable:
        return


def _of_column(noun: str, name: str | None, sides: _Sides) -> list[Shift]:
    """Of labels or predictions: the share of the positive class, the distance of all classes, or the mean."""
    import numpy as np

    if name is None or not sides.now.has(name) or not sides.before.has(name):
        return []
    if sides.classes is None and sides.roles.private_answers:
        return []  # a mean in the label's own unit
    if sides.classes is None:
        values = [numbers(side.table[name], name) for side in (sides.now, sides.before)]
        return _means(f"mean_{noun}", *(part[np.isfinite(part)] for part in values))
    now, before = encode(sides.classes, [sides.now.table[name], sides.before.table[name]], [name, name])
    now, before = now[now != MISSING], before[before != MISSING]
    if sides.classes.positive is not None:
        positive = sides.classes.values.index(sides.classes.positive)
        return _shares(f"{noun}_share", now == positive, before == positive)
    return _distances(f"{noun}_distance", now, before)


def _of_scores(sides: _Sides) -> list[Shift]:
    """How sure the model is: the probability of its likeliest class, and the rows where that decides little."""
    seen = _seen(sides)
    now, before = (seen.read(side) for side in (sides.now, sides.before))
    return [
        *_means("mean_confidence", _confidence(now), _confidence(before), far=FAR_SHARE),
        *_shares("grey_zone_share", _is_grey(now), _is_grey(before)),
    ]


def _seen(sides: _Sides) -> Seen:
    classes = sides.classes
    if classes is None:
        raise LabelsUnusable("a regression has no scores of classes")
    is_single = len(require_scores(sides.before, sides.roles, classes).classes) == 1 or len(classes.values) == 2
    return Seen(sides.roles, classes, is_single)


def _confidence(scored: Scored) -> Floats:
    import numpy as np

    if scored.scores.shape[1] == 1:
        return np.maximum(scored.scores[:, 0], 1 - scored.scores[:, 0])
    found: Floats = scored.scores.max(axis=1)
    return found


def _is_grey(scored: Scored) -> NDArray[np.bool_]:
    import numpy as np

    if scored.scores.shape[1] == 1:
        low, high = GREY
        return np.asarray((scored.scores[:, 0] >= low) & (scored.scores[:, 0] <= high))
    return np.asarray(scored.scores.max(axis=1) < 0.5)


def _calibration(sides: _Sides) -> list[Shift]:
    """How far shares that came true are from the reference's, in ten groups of equal scores there, in the mean.

    The test adds up the squared differences of the groups, each in standard errors (chi-squared).
    """
    import numpy as np

    seen = _seen(sides)
    if not seen.is_single:
        return []
    now, before = (_true(seen.read(side)) for side in (sides.now, sides.before))
    if min(len(now[0]), len(before[0])) < _LEAST:
        return []
    edges = np.unique(np.quantile(before[0], np.arange(1, _GROUPS) / _GROUPS))
    tables = []
    for score, true in (now, before):
        group = np.searchsorted(edges, score, side="right")
        rows = np.bincount(group, minlength=len(edges) + 1).astype(np.float64)
        tables.append((rows, np.bincount(group, true, len(edges) + 1).astype(np.float64)))
    (rows, true), (rows_before, true_before) = tables
    pooled = (true + true_before) / np.maximum(rows + rows_before, 1)
    used = np.minimum(rows, rows_before) * np.minimum(pooled, 1 - pooled) >= _LEAST_EXPECTED
    if not used.any():
        return []
    gaps = true[used] / rows[used] - true_before[used] / rows_before[used]
    variance = pooled[used] * (1 - pooled[used]) * (1 / rows[used] + 1 / rows_before[used])
    value = float((rows[used] @ np.abs(gaps)) / rows[used].sum())
    p_value = _chi_squared(float((gaps**2 / variance).sum()), int(used.sum()))
    moved = p_value < ALPHA and value >= FAR_SHARE
    words = f"at equal scores the share that came true is {number(value)} away from the reference's in the mean"
    return [Shift(name="calibration", now=value, moved=moved, sentence=_told(words, "chi-squared", p_value))]


def _true(scored: Scored) -> tuple[Floats, Floats]:
    """Scores, and 1 where the row came true."""
    import numpy as np

    if scored.truth is None:
        raise LabelsUnusable("there are no labels")
    there = scored.truth != MISSING
    return scored.scores[there, 0], (scored.truth[there] == 1).astype(np.float64)


def _shares(name: str, now: NDArray[np.bool_], before: NDArray[np.bool_]) -> list[Shift]:
    """Two shares (two-proportion z test, pooled)."""
    if min(len(now), len(before)) < _LEAST:
        return []
    first, second = float(now.mean()), float(before.mean())
    pooled = (now.sum() + before.sum()) / (len(now) + len(before))
    error = math.sqrt(pooled * (1 - pooled) * (1 / len(now) + 1 / len(before)))
    p_value = math.erfc(abs(first - second) / error / math.sqrt(2)) if error > 0 else 1.0
    words = f"{share(first)}, the reference had {share(second)}"
    moved = p_value < ALPHA and abs(first - second) >= FAR_SHARE
    sentence = _told(words, "two-proportion z", p_value)
    return [Shift(name=name, now=first, before=second, moved=moved, sentence=sentence)]


def _means(name: str, now: Floats, before: Floats, *, far: float | None = None) -> list[Shift]:
    """Two means (Welch 1947)."""
    if min(len(now), len(before)) < _LEAST:
        return []
    from scipy.stats import ttest_ind_from_stats

    first, second = float(now.mean()), float(before.mean())
    spreads = float(now.std(ddof=1)), float(before.std(ddof=1))
    if not all(map(math.isfinite, (first, second, *spreads))):
        return []
    p_value = float(first == second)
    if max(spreads) > 0:
        p_value = float(
            ttest_ind_from_stats(first, spreads[0], len(now), second, spreads[1], len(before), equal_var=False).pvalue
        )
    words = f"{number(first)}, the reference had {number(second)}"
    far = FAR_MEAN * spreads[1] if far is None else far
    moved = p_value < ALPHA and abs(first - second) >= far
    return [Shift(name=name, now=first, before=second, moved=moved, sentence=_told(words, "Welch", p_value))]


def _distances(name: str, now: Codes, before: Codes) -> list[Shift]:
    """Two distributions (Jensen and Shannon; Pearson's chi-squared, rare classes together)."""
    import numpy as np

    if min(len(now), len(before)) < _LEAST:
        return []
    many = int(max(now.max(), before.max())) + 1
    table = np.stack([np.bincount(part, minlength=many) for part in (now, before)]).astype(np.float64)
    shares = table / table.sum(axis=1, keepdims=True)
    middle = shares.mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log2(shares / middle), 0.0)
    distance = math.sqrt(max(float(terms.sum()) / 2, 0.0))
    often = middle * min(len(now), len(before)) >= _LEAST_EXPECTED
    merged = np.column_stack([table[:, often], table[:, ~often].sum(axis=1)])
    merged = merged[:, merged.sum(axis=0) > 0]
    expected = merged.sum(axis=1, keepdims=True) * merged.sum(axis=0) / merged.sum()
    freedom = merged.shape[1] - 1
    p_value = _chi_squared(float(((merged - expected) ** 2 / expected).sum()), freedom) if freedom else 1.0
    words = f"{number(distance)} away from the reference (Jensen-Shannon)"
    sentence = _told(words, "chi-squared", p_value)
    return [Shift(name=name, now=distance, moved=p_value < ALPHA and distance >= FAR_DISTANCE, sentence=sentence)]


def _chi_squared(statistic: float, freedom: int) -> float:
    from scipy.stats import chi2

    return float(chi2.sf(statistic, freedom))


def _told(words: str, test: str, p_value: float) -> str:
    return f"{words} ({test} test, p {'< 0.001' if p_value < ALPHA else f'= {number(p_value)}'})"
