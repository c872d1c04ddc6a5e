"""What the built-in checks have to be told of data like this: which moment is the night's, how small nights are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipeline.authoring.evidence import Evidence
from pipeline.config.documents import yaml_text
from pipeline.config.quality_checks import ClassImbalance, MissingValues, Outliers, OutOfRange, RowHistory, RowVolume
from pipeline.wording import count, value

if TYPE_CHECKING:
    from pipeline.authoring.roles import Columns

BY_CHANCE = 1e-5
"""How rarely a quiet night may go beyond a limit by chance, for one column."""
_SELDOM = 0.001
_FEW_ROWS = 50


def checks_for(evidence: Evidence, columns: Columns) -> dict[str, str]:
    """Lines for `quality.checks`, each with its reason; none where the defaults will do."""
    return {**_freshness(evidence, columns), **_volume(evidence), **_small_nights(evidence, columns)}


def rows_by_chance(rows: int, share: float) -> int:
    """The most rows of so many that chance gives where each has this probability; more in one of 100,000 nights."""
    from scipy.stats import binom

    return int(binom.ppf(1 - BY_CHANCE, rows, min(share, 1.0)))


def _freshness(evidence: Evidence, columns: Columns) -> dict[str, str]:
    moments = [
        name for name in evidence.production if any(found.form == "timestamp" for _, found in evidence.on_nights(name))
    ]
    if not moments:
        return {}
    if columns.event is not None:
        return {f"freshness: {{column: {yaml_text(columns.event)}}}": "the moment that moves with the night"}
    return {"freshness: {column: false}": "no moment moves with the night: only how old the files are"}


def _volume(evidence: Evidence) -> dict[str, str]:
    sizes = sorted(night.rows for night in evidence.nights if night.rows)
    if not sizes or not evidence.rows:
        return {}
    found: dict[str, str] = {}
    least, most = sizes[0] / evidence.rows, sizes[-1] / evidence.rows
    if least < 2 * RowVolume().least or most * 2 > RowVolume().most:
        rows = f"{count(sizes[0])} rows" if sizes[0] == sizes[-1] else f"{count(sizes[0])} to {count(sizes[-1])} rows"
        found["row_volume: null"] = f"nights have {rows}: the suite says how many are usual"
    usual = sizes[len(sizes) // 2]
    low, high = RowHistory().least, RowHistory().most
    if sizes[0] < 1.2 * low * usual or 1.2 * sizes[-1] > high * usual:
        low = min(low, math.floor(33 * sizes[0] / usual) / 100)
        high = max(high, math.ceil(300 * sizes[-1] / usual) / 100)
        limits = f"{{least: {value(low)}, most: {value(high)}}}"
        found[f"row_history: {limits}"] = "nights differ as much"
    return found


def _small_nights(evidence: Evidence, columns: Columns) -> dict[str, str]:
    """A row more is a large share of a small night."""
    rows = min((night.rows for night in evidence.nights if night.rows), default=0)
    if not rows:
        return {}
    found: dict[str, str] = {}
    few = f"of {count(rows, 'row')}, chance makes so many"
    share = _share(rows_by_chance(rows, _SELDOM), rows)
    if share > OutOfRange().share:
        for check in ("out_of_range", "unseen_category", "prediction_skew"):
            found[f"{check}: {{share: {value(share)}}}"] = few
    compared = [*columns.numerical, *columns.categorical]
    gaps = (part for name in compared if (part := evidence.profiles[name].missing_share) is not None)
    rise = _most_over(rows, gaps)
    if rise > MissingValues().rise:
        found[f"missing_values: {{rise: {value(rise)}}}"] = few
    if rows < _FEW_ROWS:
        words = f"a night of {count(rows, 'row')} may well be all alike"
        return found | {"class_imbalance: null": words, "outliers: null": words}
    beyond = (item.beyond_share for name in columns.numerical if (item := evidence.profiles[name].numbers) is not None)
    rise = _most_over(rows, beyond)
    if rise > Outliers().rise:
        found[f"outliers: {{rise: {value(rise)}}}"] = few
    rise = _most_over(rows, (evidence.profiles[name].largest_share for name in columns.categorical))
    if rise > ClassImbalance().rise:
        found[f"class_imbalance: {{rise: {value(rise)}}}"] = few
    return found


def _most_over(rows: int, shares: Iterable[float]) -> float:
    """How far over its share in the reference chance takes any column, on a night of so many rows."""
    return max((_share(rows_by_chance(rows, part), rows, part) for part in shares), default=0.0)


def _share(most: int, rows: int, usual: float = 0.0) -> float:
    return min(1.0, math.ceil(1000 * ((most + 0.5) / rows - usual)) / 1000)
