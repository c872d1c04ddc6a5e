"""What columns of a night are together, as gauges."""

from __future__ import annotations

from pipeline.publish.gauges.families import Gauges, column_label
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
    looked_at = [(column_label(one.name), one) for one in found.vectors if one.chance is not None]
    meaning = "Whether a column of lists of numbers is no longer as it was."
    gauges.add("lists_changed", meaning, [({"column": name}, float(one.changed)) for name, one in looked_at])
    meaning = "How far the mean of a column of lists moved, in deviations of a list, beyond chance."
    moved = [({"column": name}, one.mean.distance) for name, one in looked_at if one.mean is not None]
    gauges.add("lists_mean_moved", meaning, moved)
    meaning = "The part of the lists' variance that lies outside of the reference's principal components."
    outside = [({"column": name}, one.plane.error_now) for name, one in looked_at if one.plane is not None]
    gauges.add("lists_reconstruction_error_ratio", meaning, outside)
    meaning = "Area under the ROC curve of a classifier between the lists of the reference and tonight's."
    apart = [({"column": name}, one.sides.auc) for name, one in looked_at if one.sides is not None]
    gauges.add("lists_roc_auc", meaning, apart)
