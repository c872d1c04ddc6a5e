"""What columns of a night are together, as gauges."""

from __future__ import annotations

from pipeline.publish.gauges.families import Gauges, column_label
from pipeline.results import TogetherResult


def add_together(gauges: Gauges, found: TogetherResult) -> None:
    """Only what could be measured."""
    if found.chance is None:
        return
    gauges.one("together_changed", float(found.changed))
    gauges.one("together_chance_ratio", found.chance)
    if found.pairs_compared:
        gauges.one("pairs_changed", found.pairs_changed)
    if found.plane is not None:
        gauges.one("reconstruction_error_ratio", found.plane.error_now)
    if found.sides is not None:
        gauges.one("sides_roc_auc", found.sides.auc)
    looked_at = [(column_label(one.name), one) for one in found.vectors if one.chance is not None]
    gauges.add("lists_changed", [({"column": name}, float(one.changed)) for name, one in looked_at])
    moved = [({"column": name}, one.mean.distance) for name, one in looked_at if one.mean is not None]
    gauges.add("lists_mean_moved", moved)
    outside = [({"column": name}, one.plane.error_now) for name, one in looked_at if one.plane is not None]
    gauges.add("lists_reconstruction_error_ratio", outside)
    apart = [({"column": name}, one.sides.auc) for name, one in looked_at if one.sides is not None]
    gauges.add("lists_roc_auc", apart)
