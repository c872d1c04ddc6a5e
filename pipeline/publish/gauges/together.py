"""What columns of a night are together, as gauges."""

from __future__ import annotations

from pipeline.publish.gauges.families import Gauges
from pipeline.results import TogetherResult


def add_together(gauges: Gauges, found: TogetherResult) -> None:
    """Only what could be measured."""
    if found.chance is None:
        return
    gauges.one("together_changed", "Whether columns no longer go together as they did.", float(found.changed))
    meaning = "How often columns of a quiet night are together as rare as tonight's, as a fraction of nights."
    gauges.one("together_chance_ratio", meaning, found.chance)
    if found.pairs_compared:
        gauges.one("pairs_changed", "Pairs of columns that no longer go together as they did.", found.pairs_changed)
    if found.plane is not None:
        meaning = "The part of the variance that lies outside of the reference's principal components."
        gauges.one("reconstruction_error_ratio", meaning, found.plane.error_now)
    if found.sides is not None:
        meaning = "Area under the ROC curve of a classifier between the reference and tonight; 0.5 is guessing."
        gauges.one("sides_roc_auc", meaning, found.sides.auc)
