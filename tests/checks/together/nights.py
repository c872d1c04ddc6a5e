"""Two sides of made-up columns, held together as a night does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.together_nights import kinds, write
from pipeline.checks.together.measure import measure
from pipeline.config import TogetherPolicy
from pipeline.results import TogetherResult

Columns = Mapping[str, np.ndarray]
POLICY = TogetherPolicy(per_nights=100)


def held(
    folder: Path, before: Columns, after: Columns, past: Sequence[TogetherResult] = (), policy: TogetherPolicy = POLICY
) -> TogetherResult:
    """Tonight's columns beside those of the reference, on a budget of one warning in a hundred nights."""
    paths = [write(folder, "reference", before)], [write(folder, "production", after)]
    return measure(policy, *paths, kinds(before), "night", past=past)
