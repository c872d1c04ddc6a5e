"""Statistics of two numerical columns held sorted: arrays in, float out, all exact.

Costs are O(n + m) after sorting. p-values follow scipy's definitions: those are the numbers people compare with.
No `np.dot` on long vectors: it wakes the threads of the linear algebra library, which then fight with the columns that
are measured at the same time (measured: twenty times slower on two busy cores).
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.checks.drift.statistics.pooled import integral_of_difference, pooled_runs
from pipeline.checks.drift.statistics.score import NotEvaluable
from pipeline.checks.scan import FloatArray, IntArray, Moments, SortedValues

_BLOCK = 1 << 14
# scipy computes exact p-values up to these sizes; its own functions are asked there.
_KS_EXACT_SIZE = 10_000
_MANN_WHITNEY_EXACT_SIZE = 8
_MANN_WHITNEY_EXACT_PAIRS = 40_000
_CRAMER_EXACT_SIZE = 20
_SMALLEST_NORM = 0.001


def normed(distance: float, reference: Moments) -> float:
    """A distance in reference standard deviations; deviations under 0.001 count as 0.001, as in Evidently."""
    return distance / max(reference.deviation, _SMALLEST_NORM)


def energy_distance(reference: SortedValues, production: SortedValues) -> float:
    """Square root of twice the integral of (F - G) ** 2. Source: Szekely (2002), "E-statistics"."""
    return math.sqrt(2 * integral_of_difference(reference, production, power=2))


def ks_statistic(reference: SortedValues, production: SortedValues) -> float:
    """Largest distance between the two distribution functions, in [0, 1]. Source: Smirnov (1939)."""
    largest = 0.0
    for runs in pooled_runs(reference, production):
        gaps = (runs.reference_before + runs.reference) / reference.size
        gaps -= (runs.production_before + runs.production) / production.size
        largest = max(largest, float(np.abs(gaps).max()))
    return largest


def ks_p_value(statistic: float, n: int, m: int) -> float:
    """Two-sided asymptotic p-value. Source: Simard and L'Ecuyer (2011), at the rounded effective size n*m/(n+m)."""
    from scipy.stats import kstwo

    small, large = sorted((float(n), float(m)))
    p_value = kstwo.sf(statistic, np.round(large * small / (large + small)))
    return float(np.clip(p_value, 0.0, 1.0))


def ks(reference: SortedValues, production: SortedValues) -> float:
    """Kolmogorov-Smirnov p-value: exact for both sizes up to 10,000, asymptotic beyond, as in scipy."""
    n, m = reference.size, production.size
    if max(n, m) > _KS_EXACT_SIZE:
        return ks_p_value(ks_statistic(reference, production), n, m)
    from scipy.stats import ks_2samp

    return float(ks_2samp(expanded(reference), expanded(production)).pvalue)


def t_test(reference: Moments, production: Moments) -> float:
    """Two-sided p-value of Student's test with pooled variance. Needs moments alone. Source: Student (1908)."""
    from scipy.special import stdtr

    n, m = reference.count, production.count
    freedom = n + m - 2
    difference = reference.mean - production.mean
    if freedom <= 0 or (reference.squares + production.squares == 0 and difference == 0):
        raise NotEvaluable("both columns are the same constant, which a t-test cannot compare")
    variance = (reference.squares + production.squares) / freedom
    if variance == 0:
        return 0.0
    statistic = difference / math.sqrt(variance * (1 / n + 1 / m))
    return float(2 * stdtr(freedom, -abs(statistic)))


def mann_whitney(reference: SortedValues, production: SortedValues) -> float:
    """One-sided p-value that the reference is stochastically less than production. Source: Mann and Whitney (1947).

    Normal approximation with tie and continuity corrections; exact (by scipy) where one side has at most 8 rows and
    there are no ties, while that is affordable.
    """
    n, m = reference.size, production.size
    twice_u, ties, tied = 0.0, 0.0, False
    for runs in pooled_runs(reference, production):
        twice_u += float((runs.reference.astype(float) * (2 * runs.production_before + runs.production)).sum())
        pooled = (runs.reference + runs.production).astype(float)
        ties += float((pooled**3 - pooled).sum())
        tied = tied or bool((pooled > 1).any())
    if min(n, m) <= _MANN_WHITNEY_EXACT_SIZE and not tied and n * m <= _MANN_WHITNEY_EXACT_PAIRS:
        from scipy.stats import mannwhitneyu

        return float(mannwhitneyu(expanded(reference), expanded(production), alternative="less").pvalue)
    return mann_whitney_p_value(twice_u / 2, n, m, ties)


def mann_whitney_p_value(u: float, n: int, m: int, ties: float) -> float:
    """Upper tail of the standardised statistic; `u` counts pairs with the reference greater, ties as a half.

    `ties` is the sum of t**3 - t over pooled groups of t equal values.
    """
    from scipy.special import ndtr

    size = n + m
    spread = n * m / 12 * ((size + 1) - ties / (size * (size - 1)))
    if spread <= 0:
        # All values are equal: scipy divides -0.5 by zero and reports certainty of no difference.
        return 1.0
    standardised = (n * m - u - n * m / 2 - 0.5) / math.sqrt(spread)
    return float(ndtr(-standardised))


def cramer_von_mises(reference: SortedValues, production: SortedValues) -> float:
    """Two-sample Cramer-von Mises p-value on midranks. Source: Anderson (1962).

    From the limiting distribution; for up to 20 rows on both sides exact, by scipy.

    Raises:
        NotEvaluable: a side has fewer than two values, or all values are equal.
    """
    n, m = reference.size, production.size
    if reference.values[0] == production.values[-1] and reference.values[-1] == production.values[0]:
        raise NotEvaluable("all values are equal, which the Cramer-von Mises test cannot compare")
    if min(n, m) < 2:
        raise NotEvaluable("the Cramer-von Mises test needs at least two values on both sides")
    if max(n, m) <= _CRAMER_EXACT_SIZE:
        from scipy.stats import cramervonmises_2samp

        return float(cramervonmises_2samp(expanded(reference), expanded(production)).pvalue)
    first = second = 0.0
    for runs in pooled_runs(reference, production):
        tied = runs.reference + runs.production
        midrank = runs.reference_before + runs.production_before + (tied + 1) / 2
        first += _squared_rank_gaps(midrank, runs.reference_before, runs.reference)
        second += _squared_rank_gaps(midrank, runs.production_before, runs.production)
    pairs, size = n * m, n + m
    statistic = (n * first + m * second) / (pairs * size) - (4 * pairs - 1) / (6 * size)
    expected = (1 + 1 / size) / 6
    variance = (size + 1) * (4 * pairs * size - 3 * (n * n + m * m) - 2 * pairs) / (45 * size * size * 4 * pairs)
    limit = 1 / 6 + (statistic - expected) / math.sqrt(45 * variance)
    return 1.0 if limit < 0.003 else max(0.0, 1.0 - cramer_limit_distribution(limit))


def _squared_rank_gaps(midrank: FloatArray, before: IntArray, count: IntArray) -> float:
    """Sum over each run's rows of (midrank - own rank) ** 2, own ranks being before+1 ... before+count."""
    rows = count.astype(float)
    centre = midrank - before - (rows + 1) / 2
    return float((rows * (centre * centre + (rows * rows - 1) / 12)).sum())


def cramer_limit_distribution(x: float) -> float:
    """Limiting distribution function at x > 0. Source: Csorgo and Faraway (1996), equation 1.2.

    Terms are added until one is below 1e-7, where Evidently and scipy stop as well.
    """
    from scipy.special import gammaln, kv

    total, k, term = 0.0, 0, 1.0
    while abs(term) >= 1e-7:
        y = 4 * k + 1
        q = y * y / (16 * x)
        scale = math.exp(gammaln(k + 0.5) - gammaln(k + 1)) / (math.pi**1.5 * math.sqrt(x))
        term = float(scale * math.sqrt(y) * math.exp(-q) * kv(0.25, q))
        total += term
        k += 1
    return total


def anderson_darling(reference: SortedValues, production: SortedValues) -> float:
    """Two-sample Anderson-Darling p-value on midranks, within [0.001, 0.25].

    Interpolated from the tabulated critical values. Source: Scholz and Stephens (1987), equations 4 to 7, table 2.

    Raises:
        NotEvaluable: all values are equal, or there are too few.
    """
    sizes = reference.size, production.size
    size = sum(sizes)
    if size < 4:
        raise NotEvaluable("the Anderson-Darling test needs at least four values")
    totals, distinct = [0.0, 0.0], 0
    for runs in pooled_runs(reference, production):
        distinct += runs.values.size
        pooled = (runs.reference + runs.production).astype(float)
        middle = runs.reference_before + runs.production_before + pooled / 2
        weight = middle * (size - middle) - size * pooled / 4
        for side, (before, count) in enumerate(
            ((runs.reference_before, runs.reference), (runs.production_before, runs.production))
        ):
            gap = size * (before + count / 2) - middle * sizes[side]
            with np.errstate(divide="ignore", invalid="ignore"):
                totals[side] += float(np.sum(np.where(weight == 0, 0.0, pooled / size * gap * gap / weight)))
    if distinct < 2:
        raise NotEvaluable("all values are equal, which the Anderson-Darling test cannot compare")
    statistic = (size - 1) / size * sum(total / n for total, n in zip(totals, sizes, strict=True))
    return _anderson_p_value((statistic - 1) / math.sqrt(_anderson_variance(sizes)))


def _anderson_variance(sizes: tuple[int, int]) -> float:
    size = sum(sizes)
    harmonic, nested = _harmonic_sums(size)
    inverse = sum(1 / n for n in sizes)
    a = 4 * nested - 6 + (10 - 6 * nested) * inverse
    b = (2 * nested - 4) * 4 + 16 * harmonic + (2 * nested - 14 * harmonic - 4) * inverse
    b += -8 * harmonic + 4 * nested - 6
    c = (6 * harmonic + 2 * nested - 2) * 4 + (4 * harmonic - 4 * nested + 6) * 2
    c += (2 * harmonic - 6) * inverse + 4 * harmonic
    d = (2 * harmonic + 6) * 4 - 8 * harmonic
    n = float(size)
    return (a * n**3 + b * n**2 + c * n + d) / ((n - 1) * (n - 2) * (n - 3))


def _harmonic_sums(size: int) -> tuple[float, float]:
    """Sum of 1/i for i < size, and the nested sum over i < j < size of 1 / ((size - i) * j), in blocks."""
    inner = nested = 0.0
    for start in range(2, size, _BLOCK):
        j = np.arange(start, min(start + _BLOCK, size), dtype=float)
        running = inner + np.cumsum(1 / (size + 1 - j))
        nested += float((running / j).sum())
        inner = float(running[-1])
    return inner + 1, nested


def _anderson_p_value(statistic: float) -> float:
    critical = np.array([0.675, 1.281, 1.645, 1.96, 2.326, 2.573, 3.085])
    critical += np.array([-0.245, 0.25, 0.678, 1.149, 1.822, 2.364, 3.615])
    critical += np.array([-0.105, -0.305, -0.362, -0.391, -0.396, -0.345, -0.154])
    levels = np.array([0.25, 0.1, 0.05, 0.025, 0.01, 0.005, 0.001])
    if statistic < critical.min():
        return float(levels.max())
    if statistic > critical.max():
        return float(levels.min())
    return float(np.exp(np.polyval(np.polyfit(critical, np.log(levels), 2), statistic)))


def expanded(held: SortedValues) -> FloatArray:
    """Every row's value, ascending: for statistics that only a library has."""
    return held.values if held.counts is None else np.repeat(held.values, held.counts)
