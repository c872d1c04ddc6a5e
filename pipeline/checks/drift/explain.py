"""Why a column drifted, in sentences a person reads in a mail, computed from the two summaries alone.

Category labels come from the data and are untrusted: they are quoted as `wording.label` makes them. Nothing here is
HTML; whoever renders it escapes it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from pipeline.checks.scan import CategoricalSummary, Key, NumericalSummary, Summary
from pipeline.wording import apart, count, exact_share, label, number, share, times

_MAX_CATEGORIES_NAMED = 3
# Smaller changes are not worth a sentence.
_NOTABLE_SHIFT = 0.1
_NOTABLE_SPREAD = 1.25
_NOTABLE_SHARE = 0.01
_NOTABLE_MISSING = 0.01
# How close a ratio of medians and spreads must be to a known factor to be called a change of unit.
_UNIT_TOLERANCE = 0.03

_UNITS: tuple[tuple[float, str], ...] = (
    (100.0, "a fraction and percent, or a currency unit and its hundredth"),
    (1000.0, "a unit and its thousandth"),
    (10.0, "a shifted decimal point"),
    (1e4, "a shifted decimal point"),
    (1e5, "a shifted decimal point"),
    (1e6, "a unit and its millionth"),
    (1e9, "a unit and its thousand-millionth"),
    (1024.0, "bytes and kibibytes"),
    (1024.0**2, "bytes and mebibytes"),
    (2.54, "inches and centimetres"),
    (3.28084, "metres and feet"),
    (1.609344, "miles and kilometres"),
    (2.2046226, "kilograms and pounds"),
    (28.349523, "ounces and grams"),
    (3.785412, "gallons and litres"),
    (3.6, "metres per second and kilometres per hour"),
    (60.0, "seconds and minutes, or minutes and hours"),
    (3600.0, "seconds and hours"),
    (24.0, "hours and days"),
    (86400.0, "seconds and days"),
    (7.0, "days and weeks"),
    (12.0, "months and years"),
    (365.25, "days and years"),
    (57.29578, "radians and degrees"),
)


def explain(reference: Summary, production: Summary, *, private: bool = False) -> tuple[str, ...]:
    """Short sentences without a final stop, the most telling first; empty when nothing notable moved.

    Of a `private` column no number in its own unit is told, as on small nights a mean or quantile is a row's value. Its
    categories are named as the summaries name them.
    """
    sentences: list[str] = []
    if isinstance(reference, NumericalSummary) and isinstance(production, NumericalSummary):
        sentences += _explain_numbers(reference, production, _nothing if private else _change)
    if isinstance(reference, CategoricalSummary) and isinstance(production, CategoricalSummary):
        sentences += _explain_categories(reference, production)
    missing = explain_missing(reference, production)
    return (*sentences, missing) if missing else tuple(sentences)


def explain_missing(reference: Summary, production: Summary, *, notable: float = _NOTABLE_MISSING) -> str | None:
    """The change of the missing share, when it is more than `notable` (a fraction of all rows)."""
    before, after = reference.presence.missing_share, production.presence.missing_share
    if abs(after - before) <= notable:
        return None
    return f"missing values {'rose' if after > before else 'fell'} from {_share_change(before, after)}"


Values = Callable[[float, float], str]
"""Numbers before and now in a column's own unit, as they may be told: `4 to 8`, or nothing."""


def _change(before: float, after: float) -> str:
    return " to ".join(apart(before, after))


def _nothing(_: float, __: float) -> str:
    return ""


def _bracketed(words: str) -> str:
    return f" ({words})" if words else ""


def _explain_numbers(reference: NumericalSummary, production: NumericalSummary, values: Values) -> list[str]:
    if not reference.moments.count or not production.moments.count:
        return []
    sentences = [
        _unit_change(reference, production, values),
        _moved("mean", (reference.moments.mean, production.moments.mean), reference, values),
        _spread(reference, production, values),
    ]
    if sentences[1] is None:
        medians = reference.quantile(0.5), production.quantile(0.5)
        sentences.insert(1, _moved("median", medians, reference, values))
    kept = [sentence for sentence in sentences if sentence]
    return kept or _tails(reference, production, values)


def _moved(what: str, places: tuple[float, float], reference: NumericalSummary, values: Values) -> str | None:
    (before, after), deviation = places, reference.moments.deviation
    if before == after or not (math.isfinite(before) and math.isfinite(after)):
        return None
    direction, told = ("up" if after > before else "down"), _bracketed(values(before, after))
    if deviation <= 1e-12 * abs(before):
        return f"{what} moved {direction} from a constant{told}"
    shift = abs(after - before) / deviation
    if shift < _NOTABLE_SHIFT:
        return None
    return f"{what} moved {direction} by {times(shift)} reference standard deviations{told}"


def _share_change(before: float, after: float) -> str:
    return " to ".join(apart(before, after, digits=2, write=share))


def _spread(reference: NumericalSummary, production: NumericalSummary, values: Values) -> str | None:
    before, after = reference.moments.deviation, production.moments.deviation
    if before <= 0 or not math.isfinite(before) or not math.isfinite(after):
        return None
    if after <= 1e-12 * before:
        constant = number(production.moments.mean) if values(before, after) else "the same"
        return f"all values are now {constant}"
    ratio = after / before
    if 1 / _NOTABLE_SPREAD < ratio < _NOTABLE_SPREAD:
        return None
    change = f"{times(ratio)} times as wide" if ratio > 1 else f"narrower, {share(ratio)} of the reference"
    told = values(before, after)
    return f"spread is {change}{_bracketed(told and f'standard deviation {told}')}"


def _tails(reference: NumericalSummary, production: NumericalSummary, values: Values) -> list[str]:
    """Centre and spread stayed: say which quantile moved most."""
    deviation = reference.moments.deviation
    names = {0.05: "the lowest 5%", 0.25: "the lower quarter", 0.75: "the upper quarter", 0.95: "the highest 5%"}
    moves = {part: (reference.quantile(part), production.quantile(part)) for part in names}
    part, (before, after) = max(moves.items(), key=lambda move: abs(move[1][1] - move[1][0]))
    if before == after or deviation <= 0:
        return ["the shape changed while mean and spread stayed about the same"]
    verb = "begins" if part > 0.5 else "ends"
    was, now = apart(before, after)
    where = f"at {now} instead of {was}" if values(before, after) else "higher" if after > before else "lower"
    return [f"mean and spread stayed about the same, but {names[part]} now {verb} {where}"]


def _unit_change(reference: NumericalSummary, production: NumericalSummary, values: Values) -> str | None:
    """Medians and spreads that both changed by one known factor, or as degrees Celsius and Fahrenheit do."""
    medians = reference.quantile(0.5), production.quantile(0.5)
    spreads = _quartile_range(reference), _quartile_range(production)
    if min(spreads) <= 0:
        return None
    for (first, then), pattern in (((0, 1), "multiplied"), ((1, 0), "divided")):
        factor = spreads[then] / spreads[first]
        if _close(factor, 1.8) and abs(medians[then] - (1.8 * medians[first] + 32)) < _UNIT_TOLERANCE * 32:
            names = ("Celsius to Fahrenheit", "Fahrenheit to Celsius")[first]
            told = values(*medians)
            return f"values look converted from {names}{_bracketed(told and f'median {told}')}"
        if 0 in medians or medians[then] / medians[first] <= 1:
            continue
        for known, meaning in _UNITS:
            if _close(medians[then] / medians[first], known) and _close(factor, known, 2 * _UNIT_TOLERANCE):
                return f"values look {pattern} by {number(known, 4)}, as between {meaning}"
    return None


def _quartile_range(summary: NumericalSummary) -> float:
    return summary.quantile(0.75) - summary.quantile(0.25)


def _close(value: float, known: float, tolerance: float = _UNIT_TOLERANCE) -> bool:
    return abs(value / known - 1) <= tolerance


def _explain_categories(reference: CategoricalSummary, production: CategoricalSummary) -> list[str]:
    before, after = shares_of(reference.counts), shares_of(production.counts)
    if not before or not after:
        return []
    changes = {key: after.get(key, 0.0) - before.get(key, 0.0) for key in before.keys() | after.keys()}
    ranked = sorted(changes.items(), key=lambda change: (-abs(change[1]), str(change[0])))
    notable = [_category_change(key, before, after) for key, change in ranked if abs(change) >= _NOTABLE_SHARE]
    sentences = notable[:_MAX_CATEGORIES_NAMED]
    if len(notable) > len(sentences):
        more = count(len(notable) - len(sentences), "more category", "more categories")
        sentences.append(f"{more} changed by at least {exact_share(_NOTABLE_SHARE)} of the rows")
    if not sentences:
        sentences = [_many_small_changes(before, after)]
    return sentences


def _category_change(key: Key, before: Mapping[Key, float], after: Mapping[Key, float]) -> str:
    name = f"category '{label(key)}'"
    if key not in before:
        return f"{name} is new, with {share(after[key])} of the values"
    if key not in after:
        return f"{name} vanished (it had {share(before[key])})"
    verb = "grew" if after[key] > before[key] else "shrank"
    return f"{name} {verb} from {_share_change(before[key], after[key])}"


def _many_small_changes(before: Mapping[Key, float], after: Mapping[Key, float]) -> str:
    new, gone = len(after.keys() - before.keys()), len(before.keys() - after.keys())
    if not new and not gone:
        return f"many categories changed a little, none by more than {exact_share(_NOTABLE_SHARE)} of the rows"
    found = f"{count(new)} new and {count(gone, 'vanished category', 'vanished categories')}"
    return f"{found}, none with more than {exact_share(_NOTABLE_SHARE)} of the rows"


def shares_of(counts: Mapping[Key, int]) -> dict[Key, float]:
    """Each category's part of the non-missing rows."""
    total = sum(counts.values())
    return {key: rows / total for key, rows in counts.items() if rows} if total else {}
