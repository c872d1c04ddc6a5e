"""Evidently's own functions, called on one column at a time, for the statistics nobody needs to be fast."""

from __future__ import annotations

import threading
import warnings

import numpy as np

from pipeline.checks.drift.statistics.numerical import expanded
from pipeline.checks.drift.statistics.score import NotEvaluable
from pipeline.checks.scan import SortedValues
from pipeline.wording import count

# Warning filters and numpy's global generator belong to the whole process.
_ONE_AT_A_TIME = threading.Lock()
_SEED = 0
# The kernel matrix has a row and a column for every value of both sides, and is copied a hundred times.
_LARGEST_KERNEL = 4_000


def evidently_score(method: str, reference: SortedValues, production: SortedValues) -> float:
    """The score of Evidently's function for a numerical column.

    The order of rows is ascending, not the file's. Functions that draw random numbers are given a fixed seed.
    """
    import pandas as pd
    from evidently.legacy.calculations.stattests.registry import get_registered_stattest
    from evidently.legacy.core import ColumnType

    test = get_registered_stattest(method, ColumnType.Numerical)
    first, second = (pd.Series(expanded(side).copy()) for side in (reference, production))
    with _ONE_AT_A_TIME, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        before = np.random.get_state()
        np.random.seed(_SEED)
        try:
            return float(test(first, second, ColumnType.Numerical, None).drift_score)
        finally:
            np.random.set_state(before)


def empirical_mmd(reference: SortedValues, production: SortedValues) -> float:
    """Permutation p-value of the maximum mean discrepancy. Source: Gretton and others (2012).

    Raises:
        NotEvaluable: more than 4,000 values together, for which its matrices do not fit, or fewer than two on a side.
    """
    size = reference.size + production.size
    if size > _LARGEST_KERNEL:
        limit = count(_LARGEST_KERNEL, "value")
        raise NotEvaluable(f"empirical_mmd compares every pair of values and is limited to {limit} in all")
    if min(reference.size, production.size) < 2:
        raise NotEvaluable("empirical_mmd needs at least two values on both sides")
    return evidently_score("empirical_mmd", reference, production)
