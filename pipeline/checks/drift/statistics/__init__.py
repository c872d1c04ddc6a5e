"""Pure functions on two summaries of a column: every drift method of Evidently's registry, by the same name.

No input, no output, no clock: arrays in, float out. `docs/drift-methods.md` lists each method with its formula's
source and every known difference from Evidently.
"""

from pipeline.checks.drift.statistics.categorical import aligned_counts
from pipeline.checks.drift.statistics.methods import (
    FEW_DISTINCT,
    METHODS,
    Method,
    auto_method,
    drifted,
    score_categorical,
    score_numerical,
)
from pipeline.checks.drift.statistics.score import NotEvaluable, Score

__all__ = [
    "FEW_DISTINCT",
    "METHODS",
    "Method",
    "NotEvaluable",
    "Score",
    "aligned_counts",
    "auto_method",
    "drifted",
    "score_categorical",
    "score_numerical",
]
