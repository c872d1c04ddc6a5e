"""What each expectation asks of the rows, and the metrics by which Great Expectations judges it.

`tests/checks/quality/test_parity.py` holds each against the library's own pandas engine. Names of metrics are the
library's. In a view, NaN is missing: see `sql.views`.
"""

from __future__ import annotations

from pipeline.checks.quality.engines.asking import Asking
from pipeline.checks.quality.engines.questions.distributions import DISTRIBUTIONS
from pipeline.checks.quality.engines.questions.figures import FIGURES
from pipeline.checks.quality.engines.questions.patterns import PATTERNS
from pipeline.checks.quality.engines.questions.records import RECORDS
from pipeline.checks.quality.engines.questions.scene import Arguments, NotInSQL, Scene
from pipeline.checks.quality.engines.questions.values import VALUES

_ASKED = VALUES | PATTERNS | FIGURES | DISTRIBUTIONS | RECORDS

ASKED = frozenset(_ASKED)
"""Expectations that DuckDB may be asked about. Not among them: what SQL lacks (Python types, the order of rows, JSON,
dates in text)."""

__all__ = ["ASKED", "NotInSQL", "Scene", "ask"]


def ask(kind: str, scene: Scene, arguments: Arguments) -> Asking:
    """What an expectation asks; returns the metrics.

    Args:
        kind: one that `routing.suits_sql` lets through.
        scene: where.
        arguments: as their columns read them.

    Raises:
        NotInSQL: pandas is to be asked; raised as the first question is.
    """
    return _ASKED[kind](scene, arguments)
