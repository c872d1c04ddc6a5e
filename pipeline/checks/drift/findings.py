"""What a drift score cannot see: missing values, categories of one side only, a changed type."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.checks.drift.explain import explain_missing, shares_of
from pipeline.checks.scan import FAMILIES, CategoricalSummary, Summary, Unscannable
from pipeline.wording import count, exact_share, label, share

MAX_CATEGORIES_LISTED = 20
_MAX_CATEGORIES_FLAGGED = 5


@dataclass(frozen=True, slots=True)
class FlagLimits:
    """From where a finding beside the score is flagged. None switches a finding off.

    `missing_rise` is a fraction of all rows; the category limits are fractions of the non-missing rows.
    """

    missing_rise: float | None = 0.05
    new_category: float | None = 0.01
    vanished_category: float | None = 0.01
    changed_type: bool = True


DEFAULT_LIMITS = FlagLimits()


@dataclass(frozen=True, slots=True)
class CategoryShare:
    """A category that only one side has: its label, safe to show, and its fraction of that side's non-missing rows."""

    label: str
    share: float


@dataclass(frozen=True, slots=True)
class Findings:
    """Categories of production and of the reference alone, the largest first, and what is worth a flag."""

    new: tuple[CategoryShare, ...]
    vanished: tuple[CategoryShare, ...]
    changed_type: str | None
    flags: tuple[str, ...]


def findings(reference: Summary, production: Summary, limits: FlagLimits) -> Findings:
    """Everything that is measured beside the score."""
    new, vanished = _one_sided(production, reference), _one_sided(reference, production)
    changed = _changed_type(reference, production)
    flags = _missing_flags(reference, production, limits.missing_rise)
    flags += _category_flags(new, "is new", "are new", limits.new_category)
    flags += _category_flags(vanished, "vanished", "vanished", limits.vanished_category)
    if limits.changed_type and changed:
        flags.append(f"the type changed from {changed}")
    return Findings(tuple(new), tuple(vanished), changed, tuple(flags))


def _one_sided(side: Summary, other: Summary) -> list[CategoryShare]:
    """Categories that `other` does not have, the largest first."""
    if not (isinstance(side, CategoricalSummary) and isinstance(other, CategoricalSummary)):
        return []
    if FAMILIES[side.form] != FAMILIES[other.form] or not side.counts or not other.counts:
        return []
    found = [(key, part) for key, part in shares_of(side.counts).items() if key not in other.counts]
    found.sort(key=lambda item: (-item[1], str(item[0])))
    return [CategoryShare(label(key), part) for key, part in found]


def _changed_type(reference: Summary, production: Summary) -> str | None:
    forms = reference.form, production.form
    if forms[0] == forms[1] or "null" in forms:
        return None
    if set(forms) == {"integer", "float"}:
        # A whole-number column with missing values is stored as floats by pandas: the same column, not a new type.
        floating = reference if reference.form == "float" else production
        if floating.presence.missing:
            return None
    return f"{forms[0]} to {forms[1]}"


def _missing_flags(reference: Summary, production: Summary, limit: float | None) -> list[str]:
    if limit is None or isinstance(reference, Unscannable) or isinstance(production, Unscannable):
        return []
    if production.presence.missing_share <= reference.presence.missing_share:
        return []
    sentence = explain_missing(reference, production, notable=limit)
    return [sentence] if sentence else []


def _category_flags(found: list[CategoryShare], verb: str, verbs: str, limit: float | None) -> list[str]:
    if limit is None:
        return []
    large = [item for item in found if item.share >= limit]
    flags = [
        f"category '{item.label}' {verb} ({share(item.share)} of the values)"
        for item in large[:_MAX_CATEGORIES_FLAGGED]
    ]
    if len(large) > len(flags):
        more = count(len(large) - len(flags), "more category", "more categories")
        flags.append(f"{more} of at least {exact_share(limit)} {verb if len(large) - len(flags) == 1 else verbs}")
    return flags
