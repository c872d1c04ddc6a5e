"""What an estimator says of a night, and the interval around it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pipeline.results import METRICS, Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

CONFIDENT = 1.96
"""Standard errors to both sides: 95% of a normal distribution."""


@dataclass(frozen=True)
class Expected:
    """What the metrics of one night are expected to be.

    An interval holds the value that labels will show in about 95% of nights where nothing but the inputs changed: its
    standard error is of the night's labels, which chance decides, and of what the finite reference leaves unknown. On
    nights of few rows it reaches farther on the side to which weights moved the estimate, as they find only a part of
    what changed; the standard error is without that. `reference_errors` are the part of the reference alone: the same
    for all nights that are expected from one reference.
    """

    method: Literal["cbpe", "pape", "dle"]
    metrics: dict[str, Estimate]
    notes: list[str]
    reference_errors: dict[str, float] = field(default_factory=dict)


def estimate(
    name: str, value: float, by_labels: float, by_reference: float, rows: int, *, unlearnt: float = 0.0
) -> Estimate | None:
    """A metric with its interval, inside the metric's range; None where it is no number.

    Args:
        name: of the metric, as in `METRICS`.
        value: what is expected.
        by_labels: standard error from the night's labels.
        by_reference: standard error from the finite reference.
        rows: that it is about.
        unlearnt: how much farther it may have to go, positive where upwards.
    """
    error = math.hypot(by_labels, by_reference)
    if not math.isfinite(value) or not math.isfinite(error):
        return None
    kind = METRICS[name]
    value = min(max(value, kind.low), kind.high)
    down, up = (CONFIDENT * math.hypot(error, max(part, 0.0)) for part in (-unlearnt, unlearnt))
    low, high = max(value - down, kind.low), min(value + up, kind.high)
    return Estimate(value=value, low=low, high=high, error=error, rows=rows)
