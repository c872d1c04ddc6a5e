"""How rare a night is beside those in which nothing changed: on a budget of alarms, or past fixed thresholds."""

from __future__ import annotations

from pipeline.results import ColumnDrift, Comparison, DriftResult, NightAlarms
from pipeline.wording import clip, count, listed, number, once_in, too_few_rows

_LEAST_BY_CHANCE = 0.05  # of a column on average; less is nobody's worry
_MOST_COMPARED = 3
_LEARNING = "still learning what is usual, it tells large changes alone"
METHODS: dict[str, tuple[str, str]] = {
    "quantiles": ("quantiles", "rows below each quantile of the reference"),
    "shares": ("shares", "rows in each cell or category"),
    "missing": ("missing values", "rows without a value"),
}
"""What a budget of alarms looks at in a column (see `ColumnDrift.method`): its name, and what is counted."""


def method_name(column: ColumnDrift) -> str:
    """How a column was compared: `quantiles`, `missing values`, or the name of a method with a fixed threshold."""
    method = column.method or ""
    return METHODS[method][0] if method in METHODS else method


def chance_words(column: ColumnDrift) -> str:
    """How often chance alone does it to a column: `once in 900 nights on unchanged data`; empty where nobody knows."""
    if column.chance is None:
        return ""
    rare = once_in(column.chance)
    return f"{rare} on unchanged data" if column.method in METHODS else f"by chance past its threshold {rare}"


def chance_line(drift: DriftResult, rows: int) -> str:
    """How much of the night chance explains, in a line; empty where nobody knows, or hardly any of it.

    Args:
        drift: of the night.
        rows: production rows that fixed thresholds were held against.
    """
    if drift.alarms is None:
        return _by_chance(drift, rows)
    if not drift.evaluated:
        return ""
    budget = f"one false alarm in {count(drift.alarms.per_nights)}"
    if drift.too_few_rows:
        return f"Judged on a budget of at most {budget} quiet nights"
    first = f"On unchanged data {rare_words(drift.alarms)} (budget: {budget})"
    return "; ".join([first, *([_LEARNING] if drift.alarms.learning else []), *_others(drift.alarms)])


def rare_words(alarms: NightAlarms) -> str:
    """What stands behind `on unchanged data`: `this happens once in 4,000 nights`, on its side of the budget."""
    return f"this happens {once_in(alarms.chance, beside=(alarms.per_nights,))}"


def night_facts(drift: DriftResult, alarms: NightAlarms) -> list[tuple[str, str]]:
    """What a night on a budget was judged by, each fact with its name."""
    few = too_few_rows(alarms.rows, alarms.window, alarms.rows_needed)
    together = f"{count(alarms.window, 'night')} looked at together, {count(alarms.rows, 'row')}"
    facts = [
        ("Tonight", few if drift.too_few_rows else f"on unchanged data {rare_words(alarms)}"),
        ("Budget", f"at most one false alarm in {count(alarms.per_nights)} quiet nights"),
        ("What is usual", _usual(alarms)),
        ("Rows", together if alarms.window > 1 else f"tonight's {count(alarms.rows, 'row')}"),
    ]
    if len(alarms.comparisons) == 1:
        facts.append(("Held against", clip(alarms.comparisons[0].against, 100)))
    return facts


def _usual(alarms: NightAlarms) -> str:
    if alarms.learning:
        return "what the reference says: until a night of tonight's weekday is known, large changes alone are told"
    return f"what the reference and {count(alarms.nights, 'past night')} say"


def _others(alarms: NightAlarms) -> list[str]:
    """Of every comparison but the one that decides whether it found the same."""
    return [drifted_from(item) for item in alarms.comparisons[1 : 1 + _MOST_COMPARED]]


def drifted_from(item: Comparison) -> str:
    """`no column drifted from the quiet nights of the last 28 days`."""
    many = count(len(item.drifted), "column") if item.drifted else "no column"
    return f"{many} drifted from {clip(item.against, 100)}"


def names_of(item: Comparison) -> str:
    """The columns that drifted from what it names, the rarest first."""
    return listed([clip(name, 40) for name in item.drifted], 5)


def _by_chance(drift: DriftResult, rows: int) -> str:
    known = [item.chance for item in drift.columns if item.status == "evaluated" and item.chance is not None]
    if sum(known) < _LEAST_BY_CHANCE:
        return ""
    passed = f"{number(sum(known), 2)} of {count(len(known), 'column')}"
    return f"By chance alone {passed} pass their threshold on an unchanged night of {count(rows, 'row')}, on average"
