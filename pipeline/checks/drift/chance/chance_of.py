"""How often one column would be called drifted by chance, whatever its method."""

from __future__ import annotations

import logging
import math
from dataclasses import replace

import numpy as np

from pipeline.checks.drift.chance.counted import of_counts
from pipeline.checks.drift.chance.process import far_beyond, of_distance
from pipeline.checks.drift.chance.tested import of_test
from pipeline.checks.drift.statistics import Method, NotEvaluable
from pipeline.checks.drift.statistics.binned import DISTINCT_AS_BINS, distinct_counts
from pipeline.checks.scan import (
    CategoricalSummary,
    Cells,
    FloatArray,
    NumericalSummary,
    SortedValues,
    Summary,
    Unscannable,
    count_distinct,
    sturges_edges,
)
from pipeline.errors import unspoken

log = logging.getLogger(__name__)
# Neighbouring bins with fewer rows share them.
_HARDLY_A_ROW = 3
# Up to so many times the rows of the reference, the range of a night is taken to be the reference's.
_MOST_BEYOND_REFERENCE = 4
_DISTANCES = frozenset({"wasserstein", "ed"})


def chance_of(method: Method, threshold: float, reference: Summary, production_rows: int) -> float | None:
    """The share of nights, in [0, 1], that are called drifted though they are draws of what the reference is a draw of.

    The distribution that both come from is taken to be that of the reference's rows, and its deviation, range and bins
    to be known; see docs/drift-methods.md for what is exact and what is not. Never raises.

    Args:
        method: how the column is compared.
        threshold: in the unit of the method's score.
        reference: the column as it was.
        production_rows: non-missing rows of a night.

    Returns:
        None where nobody knows: no rows, a method that has no score for such a column, or bins over a range that a
        night of so many more rows would have.
    """
    if isinstance(reference, Unscannable) or production_rows < 1:
        return None
    if reference.presence.missing == reference.presence.rows:
        return None
    try:
        with np.errstate(all="ignore"):
            found = _chance(method, threshold, reference, production_rows)
    except NotEvaluable as error:
        log.info("column %r: the chance of %s is not known: %s", reference.name, method.name, error)
        return None
    except Exception as error:  # what is told beside a score must not cost the score
        log.warning("column %r: the chance of %s is not known", reference.name, method.name, exc_info=unspoken(error))
        return None
    if not math.isfinite(found):
        log.warning("column %r: the chance of %s is no finite number", reference.name, method.name)
        return None
    return min(1.0, max(0.0, found))


def _chance(method: Method, threshold: float, reference: NumericalSummary | CategoricalSummary, rows: int) -> float:
    if isinstance(reference, CategoricalSummary):
        return of_counts(method, threshold, _first_and_others(reference), rows)
    if method.counted is not None:
        return of_counts(method, threshold, _binned(method, reference, rows), rows)
    return (of_distance if method.name in _DISTANCES else of_test)(method, threshold, reference, rows)


def _first_and_others(reference: CategoricalSummary) -> FloatArray:
    """Rows of each category: the first in ascending order, which `z` tests, and the others in any order."""
    first = min(reference.counts)
    others = (rows for key, rows in reference.counts.items() if key != first)
    return np.array([reference.counts[first], *others], np.float64)


def _binned(method: Method, reference: NumericalSummary, rows: int) -> FloatArray:
    """Rows of the reference in each bin, as the method would lay them for a usual night.

    Where a reference of few rows has single ones in bins of a long tail, a night has them in others: neighbouring bins
    with hardly a row share them evenly.

    Raises:
        NotEvaluable: a night of so many rows would have another range, or the values have no bins.
    """
    size = reference.distribution.size
    ranging = _over_a_range(method, reference)
    if ranging and rows > _MOST_BEYOND_REFERENCE * size:
        raise NotEvaluable(
            "bins lie over the range of both sides, and a far larger night has another than the reference"
        )
    low, high = reference.moments.low, reference.moments.high
    if ranging:
        part = np.array([size / (size + rows)])
        low -= float(far_beyond(reference, -1, part)[0])
        high += float(far_beyond(reference, 1, part)[0])
    if method.name == "hellinger" and isinstance(reference.distribution, SortedValues):
        distinct = _distinct_of_both(reference.distribution, rows)
        counts = reference.histogram(sturges_edges(low, high, distinct, whole=reference.whole))
    else:
        night = replace(reference, moments=replace(reference.moments, count=rows, low=low, high=high))
        counts = method.bins(reference, night)[0].astype(np.int64)
    sparse = counts < _HARDLY_A_ROW
    runs = np.cumsum(np.diff(sparse, prepend=False) | ~sparse)
    means = np.bincount(runs, weights=counts) / np.maximum(np.bincount(runs), 1)
    return np.asarray(means[runs])


def _over_a_range(method: Method, reference: NumericalSummary) -> bool:
    """Whether the bins are of equal width, over values of which a night has others."""
    held = reference.distribution
    many = isinstance(held, Cells) or count_distinct(held.values, enough=DISTINCT_AS_BINS) > DISTINCT_AS_BINS
    return many and method.bins is not distinct_counts


def _distinct_of_both(held: SortedValues, rows: int) -> int:
    """Distinct values of the reference and a night: as many rows bring a new one as are alone with theirs."""
    if held.counts is not None:
        alone = int(np.count_nonzero(held.counts == 1))
        return held.values.size + rows * alone // held.size
    new = np.concatenate(([True], held.values[1:] != held.values[:-1], [True]))
    return int(np.count_nonzero(new)) - 1 + rows * int(np.count_nonzero(new[1:] & new[:-1])) // held.size
