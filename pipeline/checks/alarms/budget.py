"""Many columns and many nights: what may be called drifted, so that quiet nights give one false alarm in so many.

On each night, Benjamini and Hochberg's procedure over the columns at the level 1/N. On a night in which nothing changed
any column is called drifted with a probability of at most 1/N (Simes 1986; exactly so of independent columns and of
columns that are copies of each other, and less in between), which is one night in N. On a night in which some columns
changed, at most the part 1/N of those that are called drifted did not (Benjamini and Hochberg 1995). Nights need no
further correction: the budget is a rate and not a total.
"""

from __future__ import annotations

from collections.abc import Sequence


def level_of(chances: Sequence[float], level: float) -> float:
    """How rare a column has to be to have drifted: between `level` / columns and `level`.

    Args:
        chances: how rare each column is, in (0, 1].
        level: how often a quiet night may give an alarm.
    """
    many = len(chances)
    steps = [step for step, chance in enumerate(sorted(chances), start=1) if chance <= step * level / many]
    return max(steps, default=1) * level / max(many, 1)


def chance_of(chances: Sequence[float]) -> float:
    """How often a quiet night has columns as rare as these, as a fraction of nights in (0, 1]; 1 without columns."""
    many = len(chances)
    return min((chance * many / step for step, chance in enumerate(sorted(chances), start=1)), default=1.0)
