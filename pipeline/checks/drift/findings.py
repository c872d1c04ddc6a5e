"""What a drift score cannot see: missing values, categories of one side only, a changed type."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.checks.drift.explain import explain_missing, shares_of
from pipeline.checks.scan import FAMILIES, CategoricalSummary, Key, NumericalSummary, Summary, Unscannable
from pipeline.config import DriftFlags
from pipeline.results import CategoryShare
from pipeline.wording import count, exact_share, label, share, times, value

DEFAULT_LIMITS = DriftFlags()
_MAX_CATEGORIES_LISTED = 20
_MAX_CATEGORIES_FLAGGED = 5
_FLOOR = 0.001
"""Evidently's smallest norm of the Wasserstein distance."""

OneSided = Sequence[tuple[Key, float]]
"""Categories that only one side has with their fraction of that side's non-missing rows, the largest first."""


def one_sided(side: Summary, other: Summary) -> OneSided:
    """Categories that `other` does not have."""
    if not (isinstance(side, CategoricalSummary) and isinstance(other, CategoricalSummary)):
        return []
    if FAMILIES[side.form] != FAMILIES[other.form] or not side.counts or not other.counts:
        return []
    found = [(key, part) for key, part in shares_of(side.counts).items() if key not in other.counts]
    return sorted(found, key=lambda item: (-item[1], str(item[0])))


def listed(found: OneSided, most: int = _MAX_CATEGORIES_LISTED) -> tuple[CategoryShare, ...]:
    """The largest ones, as they may be shown."""
    return tuple(CategoryShare(label=label(key), share=part) for key, part in found[:most])


def changed_type(reference: Summary, production: Summary) -> str | None:
    """From what to what the values' type changed, in plain words; None where it means the same."""
    forms = reference.form, production.form
    if forms[0] == forms[1] or "null" in forms:
        return None
    if set(forms) == {"integer", "float"}:
        # A whole-number column with missing values is stored as floats by pandas: the same column, not a new type.
        floating = reference if reference.form == "float" else production
        if floating.presence.missing:
            return None
    return f"{forms[0]} to {forms[1]}"


def floored(reference: Summary, score: float, threshold: float) -> str | None:
    """That a Wasserstein score is small only because the column's values are.

    Evidently divides the distance by the reference's standard deviation, and by 0.001 where that is smaller. The score
    stays; how far values have moved on average is told where that is past the threshold.
    """
    deviation = reference.moments.deviation if isinstance(reference, NumericalSummary) else 0.0
    if not 0 < deviation < _FLOOR or score * _FLOOR / deviation < threshold:
        return None
    moved = times(score * _FLOOR / deviation)
    return f"values moved by {moved} reference standard deviations; the score divides by at least {value(_FLOOR)}"


def flags_of(
    reference: Summary, production: Summary, new: OneSided, vanished: OneSided, limits: DriftFlags
) -> tuple[str, ...]:
    """What is worth a sentence beside the score."""
    flags = _missing_flags(reference, production, limits.missing_rise)
    flags += _category_flags(new, "is new", "are new", limits.new_category)
    flags += _category_flags(vanished, "vanished", "vanished", limits.vanished_category)
    changed = changed_type(reference, production)
    if limits.changed_type and changed:
        flags.append(f"the type changed from {changed}")
    return tuple(flags)


def _missing_flags(reference: Summary, production: Summary, limit: float | None) -> list[str]:
    if limit is None or isinstance(reference, Unscannable) or isinstance(production, Unscannable):
        return []
    if production.presence.missing_share <= reference.presence.missing_share:
        return []
    sentence = explain_missing(reference, production, notable=limit)
    return [sentence] if sentence else []


def _category_flags(found: OneSided, verb: str, verbs: str, limit: float | None) -> list[str]:
    if limit is None:
        return []
    large = [item for item in found if item[1] >= limit]
    flags = [
        f"category '{item.label}' {verb} ({share(item.share)} of the values)"
        for item in listed(large, _MAX_CATEGORIES_FLAGGED)
    ]
    if len(large) > len(flags):
        more = count(len(large) - len(flags), "more category", "more categories")
        flags.append(f"{more} of at least {exact_share(limit)} {verb if len(large) - len(flags) == 1 else verbs}")
    return flags
