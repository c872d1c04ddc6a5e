"""What columns of a night are together, in words."""

from __future__ import annotations

from pipeline.results import PairDrift, PlaneDrift, SidesDrift, TogetherResult
from pipeline.wording import apart, clip, count, listed, once_in, share

_MAX_NAME = 40
_MOST_NAMED = 3


def together_line(found: TogetherResult | None) -> str:
    """What columns did together, in a line: a warning, or that nothing is unusual; empty where nobody asked."""
    if found is None:
        return ""
    if found.failure is not None:
        return "Columns could not be looked at together"
    if found.chance is None:
        return ""
    rare = once_in(found.chance, beside=(found.per_nights,))
    if not found.changed:
        return f"Columns go together as they did (on unchanged data {rare})"
    return f"Warning: columns no longer go together as they did: {_what(found)} (on unchanged data {rare})"


def _what(found: TogetherResult) -> str:
    """The changed pairs, else the columns that tell the sides apart, else the plane."""
    pairs = [f"{clip(one.first, _MAX_NAME)} with {clip(one.second, _MAX_NAME)}" for one in found.pairs if one.changed]
    if pairs:
        more = found.pairs_changed - len(pairs)
        named = listed(pairs, _MOST_NAMED) if not more else f"{', '.join(pairs[:_MOST_NAMED])} and others"
        return f"{count(found.pairs_changed, 'pair')} changed, {named}"
    if found.sides is not None and found.sides.changed and found.sides.telling:
        return f"{telling_words(found.sides)} give tonight's rows away"
    if found.sides is not None and found.sides.changed:
        return "tonight's rows can be told from the reference's"
    return "tonight's rows lie farther from the plane of the reference"


def telling_words(sides: SidesDrift) -> str:
    """The columns that a classifier goes by, the most telling first."""
    return listed([clip(item.name, _MAX_NAME) for item in sides.telling], _MOST_NAMED)


def pair_words(pair: PairDrift) -> str:
    """`correlation 0.52 to -0.48, Cramér's V 0.41 to 0.38`."""
    told = []
    if pair.correlation_before is not None and pair.correlation_now is not None:
        told.append(f"correlation {_moved(pair.correlation_before, pair.correlation_now)}")
    told.append(f"Cramér's V {_moved(pair.association_before, pair.association_now)}")
    return ", ".join(told)


def plane_words(plane: PlaneDrift) -> str:
    """How much of the variance lies outside of the reference's principal components."""
    base = f"{count(plane.components, 'principal component')} of {count(plane.columns, 'column')}"
    before, now = share(plane.error_before, beside=(plane.error_now,)), share(plane.error_now)
    return f"{before} of the variance lay outside of {base}, tonight {now} does"


def sides_words(sides: SidesDrift) -> str:
    """How well a classifier tells the sides apart, and by which columns."""
    told = f"ROC AUC {apart(sides.auc, 0.5)[0]}, where 0.5 is guessing"
    return f"{told}; by {telling_words(sides)}" if sides.telling else told


def _moved(before: float, now: float) -> str:
    first, second = apart(round(before, 4), round(now, 4))
    return f"{first} to {second}"
