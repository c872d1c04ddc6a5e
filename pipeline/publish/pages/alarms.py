"""What a night's page says of chance: how rare the night is, and each of its columns."""

from __future__ import annotations

from collections import Counter

from pipeline.publish.facts.alarms import METHODS, drifted_from, method_name, names_of, night_facts
from pipeline.publish.facts.words import usual_words
from pipeline.results import ColumnDrift, DriftResult
from pipeline.wording import count, number, once_in


def alarms_part(drift: DriftResult) -> dict[str, object] | None:
    """How rare the night is, where it was judged on a budget of alarms."""
    alarms = drift.alarms
    if alarms is None or not drift.evaluated:
        return None
    several = alarms.comparisons if len(alarms.comparisons) > 1 else ()
    return {
        "facts": [(name, _sentence(words)) for name, words in night_facts(drift, alarms)],
        "comparisons": [
            (_sentence(drifted_from(item)), once_in(item.chance, beside=(alarms.per_nights,)), names_of(item))
            for item in several
        ],
    }


def table_words(drift: DriftResult) -> dict[str, str]:
    """What the table of all columns says of chance: the head of its column, and the notes below; empty without any."""
    if drift.alarms is not None:
        return {"head": "How rare", "usual": "Usual", "note": _budget_note(drift)}
    if any(column.chance is not None for column in drift.columns):
        note = "By chance: how often as many rows as tonight's, in which nothing changed, are past the threshold."
        return {"head": "By chance", "usual": "", "note": note}
    return {"head": "", "usual": "", "note": ""}


def column_words(drift: DriftResult, column: ColumnDrift) -> dict[str, str]:
    """How rare a column is, what is usual, and both in one line for narrow screens; empty where nobody knows."""
    usual = "" if column.usual is None else number(column.usual)
    rare = "" if column.chance is None else once_in(column.chance)
    narrow = ", ".join(filter(None, (rare, usual_words(column))))
    return {"rare": rare, "usual": usual, "narrow": f"by chance: {rare}" if rare and drift.alarms is None else narrow}


def method_lines(drift: DriftResult) -> list[str]:
    """`quantiles on 12 columns: rows below each quantile of the reference`, one for each that was rarest somewhere."""
    used = Counter(column.method for column in drift.columns if column.status == "evaluated" and column.method)
    return [
        f"{METHODS[method][0]} on {count(used[method], 'column')}: {METHODS[method][1]}"
        for method in METHODS
        if used[method]
    ]


def _budget_note(drift: DriftResult) -> str:
    names = {method_name(column) for column in drift.columns if column.status == "evaluated"}
    looked = [f"{name.capitalize()}: {counted}." for name, counted in METHODS.values() if name in names]
    rare = "How rare: how often a quiet night is at least this far."
    usual = "Usual: what nineteen of twenty quiet nights keep within, the band behind each bar."
    return " ".join([rare, usual, *looked])


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
