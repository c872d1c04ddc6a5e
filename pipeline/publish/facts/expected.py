"""Columns that changed as people expect: which, why, and until when."""

from __future__ import annotations

from pipeline.results import ColumnDrift, DriftResult
from pipeline.wording import clip, count, listed

_MOST_NAMES, _MOST_REASONS = 5, 3


def expected_line(drift: DriftResult) -> str:
    """`2 columns changed as expected: price, margin (price change, until 2026-02-14)`; empty where none did."""
    found = drift.expected_columns
    by_words: dict[str, list[str]] = {}
    for column in found:
        by_words.setdefault(expected_words(column), []).append(clip(column.name, 40))
    told = [f"{listed(names, _MOST_NAMES)} ({words})" for words, names in by_words.items()]
    more = len(told) - _MOST_REASONS
    last = [f"{count(more, 'more reason')} in the table of all columns"] if more > 0 else []
    return (
        f"{count(len(found), 'column')} changed as expected: {'; '.join(told[:_MOST_REASONS] + last)}" if told else ""
    )


def expected_words(column: ColumnDrift) -> str:
    """`price change, until 2026-02-14`; empty where nobody expected it."""
    return "" if column.expected is None else clip(column.expected, 240)
