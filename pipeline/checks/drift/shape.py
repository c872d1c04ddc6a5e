"""A column before and after as a few bars, for small charts."""

from __future__ import annotations

import numpy as np

from pipeline.checks.drift.explain import shares_of
from pipeline.checks.scan import CategoricalSummary, FloatArray, NumericalSummary, Summary
from pipeline.results import Shape
from pipeline.wording import label

BARS = 20
NAMED_CATEGORIES = 9
_OTHERS = "all others"


def shape_of(reference: Summary, production: Summary, *, private: bool = False) -> Shape | None:
    """None when a side has no values to show; of a `private` column the bars alone, without where they stand."""
    if isinstance(reference, NumericalSummary) and isinstance(production, NumericalSummary):
        bars = _bars(reference, production)
        return bars.model_copy(update={"edges": ()}) if bars and private else bars
    if isinstance(reference, CategoricalSummary) and isinstance(production, CategoricalSummary):
        return _categories(reference, production)
    return None


def _bars(reference: NumericalSummary, production: NumericalSummary) -> Shape | None:
    if not reference.moments.count or not production.moments.count:
        return None
    low = min(side.quantile(0.01) for side in (reference, production))
    high = max(side.quantile(0.99) for side in (reference, production))
    if low == high:
        low, high = low - 0.5, high + 0.5
    with np.errstate(over="ignore", invalid="ignore"):
        edges = np.linspace(low, high, BARS + 1)
    if not np.all(np.isfinite(edges)) or np.any(edges[:-1] >= edges[1:]):
        return None
    before, after = _shares(reference, edges), _shares(production, edges)
    return Shape(edges=tuple(edges.tolist()), reference=before, production=after)


def _shares(side: NumericalSummary, edges: FloatArray) -> tuple[float, ...]:
    open_ended = np.concatenate(([-np.inf], edges[1:-1], [np.inf]))
    return tuple((side.histogram(open_ended) / side.moments.count).tolist())


def _categories(reference: CategoricalSummary, production: CategoricalSummary) -> Shape | None:
    before, after = shares_of(reference.counts), shares_of(production.counts)
    if not before or not after:
        return None
    keys = sorted(before.keys() | after.keys(), key=lambda k: (-max(before.get(k, 0.0), after.get(k, 0.0)), str(k)))
    named = keys if len(keys) <= NAMED_CATEGORIES + 1 else keys[:NAMED_CATEGORIES]
    bars = [(label(key), before.get(key, 0.0), after.get(key, 0.0)) for key in named]
    if len(named) < len(keys):
        rest = [max(0.0, 1.0 - sum(bar[side] for bar in bars)) for side in (1, 2)]  # type: ignore[misc]
        bars.append((_OTHERS, rest[0], rest[1]))
    names, first, second = zip(*bars, strict=True)
    return Shape(reference=first, production=second, categories=names)
