"""What a night's columns hold, as gauges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from pipeline.publish.facts.columns import Side, night_of
from pipeline.publish.facts.quantiles import PARTS
from pipeline.publish.gauges.families import Gauges, column_label
from pipeline.results import NightProfile


def add_columns(gauges: Gauges, profile: NightProfile, names: Iterable[str], private: Collection[str]) -> None:
    """Mean, deviation, quantiles, and shares of missing and distinct values of the night's own rows.

    Args:
        gauges: are added to.
        profile: what the night keeps.
        names: of the columns that are told, in their order.
        private: names of columns of which nothing is.
    """
    told = (profile.by_name[name] for name in names if name in profile.by_name and name not in private)
    sides = [(column_label(column.name), night_of(column, private=False).production) for column in told]
    for name, value in _SINGLE:
        known = [({"column": label}, found) for label, side in sides if (found := value(side)) is not None]
        gauges.add(name, known)
    quantiles = [
        ({"column": label, "quantile": str(part)}, value)
        for label, side in sides
        for part, value in zip(PARTS, side.quantiles or (), strict=False)
    ]
    gauges.add("column_quantile", quantiles)


_SINGLE: tuple[tuple[str, Callable[[Side], float | None]], ...] = (
    ("column_mean", lambda side: side.mean),
    ("column_deviation", lambda side: side.deviation),
    ("column_missing_ratio", lambda side: side.missing),
    ("column_distinct_ratio", lambda side: side.distinct_share),
)
