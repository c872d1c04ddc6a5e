"""What every statistic returns, and why one cannot be computed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Score:
    """A statistic's value with how far the true value may be from it at most; 0.0 is exact."""

    value: float
    error_bound: float = 0.0


class NotEvaluable(Exception):
    """A statistic has no meaning, or no affordable computation, for this data. The message is a plain sentence part.

    Raised by statistics, turned into a value before it leaves `pipeline.checks.drift.compare_column`.
    """
