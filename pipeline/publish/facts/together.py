"""What columns of a night are together, in words."""

from __future__ import annotations

from pipeline.results import PairDrift, PlaneDrift, SidesDrift, TogetherResult, VectorDrift
from pipeline.wording import apart, clip, count, listed, measured, once_in, share

_MAX_NAME = 40
_MOST_NAMED = 3
_APART = "columns no longer go together as they did"
_OTHER, _OTHERS = "is no longer as it was", "are no longer as they were"


def together_line(found: TogetherResult | None) -> str:
    """What columns did together, in a line: a warning, or that nothing is unusual, and which lists could not be looked
    at; empty where nobody asked.
    """
    if found is None:
        return ""
    if found.failure is not None:
        return "Columns could not be looked at together"
    unseen = [clip(one.name, _MAX_NAME) for one in found.vectors if one.reason is not None]
    more = f"not looked at: {listed(unseen, _MOST_NAMED)}" if unseen else ""
    if found.chance is None:
        return more[:1].upper() + more[1:]
    more = f"; {more}" if more else ""
    rare = once_in(found.chance, beside=(found.per_nights,))
    if not found.changed:
        calm = "Columns go together as they did" if found.columns else "Lists are as they were"
        return f"{calm} (on unchanged data {rare}){more}"
    told = [f"{_APART}: {_what(found)}"] if columns_changed(found) else []
    told += [f"{clip(one.name, _MAX_NAME)} {_OTHER}: {_changes(one)}" for one in found.vectors if one.changed]
    return f"Warning: {'; '.join(told)} (on unchanged data {rare}){more}"


def columns_changed(found: TogetherResult) -> bool:
    """Whether a warning is about how columns go together, and not about lists alone."""
    parts = (found.plane, found.sides)
    return found.pairs_changed > 0 or any(part is not None and part.changed for part in parts)


def warning_words(found: TogetherResult) -> str:
    """What a warning is about, in a few words."""
    lists = [clip(one.name, _MAX_NAME) for one in found.vectors if one.changed]
    told = [_APART] if columns_changed(found) else []
    told += [f"{listed(lists, _MOST_NAMED)} {_OTHER if len(lists) == 1 else _OTHERS}"] if lists else []
    return ", and ".join(told)


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


def plane_words(plane: PlaneDrift, of: str = "column") -> str:
    """How much of the variance lies outside of the reference's principal components. `of`: what these are made of."""
    base = f"{count(plane.components, 'principal component')} of {count(plane.columns, of)}"
    before, now = share(plane.error_before, beside=(plane.error_now,)), share(plane.error_now)
    return f"{before} of the variance lay outside of {base}, tonight {now} does"


def sides_words(sides: SidesDrift) -> str:
    """How well a classifier tells the sides apart, and by which columns."""
    told = f"ROC AUC {apart(sides.auc, 0.5)[0]}, where 0.5 is guessing"
    return f"{told}; by {telling_words(sides)}" if sides.telling else told


def vector_words(vector: VectorDrift) -> str:
    """What a column of lists is beside the reference, and which of its lists could not be looked at."""
    if vector.reason is not None:
        return f"not looked at: {vector.reason}"
    told = []
    if vector.mean is not None:
        moved = f"moved by {measured(vector.mean.distance, 2)} deviations" if vector.mean.distance else "did not move"
        told.append(f"the mean {moved} beyond chance")
    told += [] if vector.plane is None else [plane_words(vector.plane, "number")]
    told += [] if vector.sides is None else [sides_words(vector.sides)]
    return "; ".join(told + lists_left_out(vector))


def lists_left_out(vector: VectorDrift) -> list[str]:
    """Rows without a list, and lists that are none of the column's, where there are any."""
    told = []
    before, now = vector.missing_before, vector.missing_now
    if before is not None and now is not None and (before or now):
        told.append(f"missing in {share(now, beside=(before,))} of tonight's rows, in {share(before)} of the reference")
    if vector.unusable_before or vector.unusable_now:
        reference = f", {count(vector.unusable_before)} of the reference" if vector.unusable_before else ""
        odd = "of another length, or with numbers missing or infinite"
        told.append(f"left out: {count(vector.unusable_now, 'list')} of tonight{reference}, {odd}")
    return told


def _changes(vector: VectorDrift) -> str:
    """What of it changed."""
    told = ["its mean moved"] if vector.mean is not None and vector.mean.changed else []
    if vector.plane is not None and vector.plane.changed:
        nearer = vector.plane.error_now < vector.plane.error_before
        told.append(f"its lists lie {'nearer to' if nearer else 'farther from'} the reference's principal components")
    if vector.sides is not None and vector.sides.changed:
        told.append("tonight's lists can be told from the reference's")
    return ", ".join(told)


def _moved(before: float, now: float) -> str:
    first, second = apart(round(before, 4), round(now, 4))
    return f"{first} to {second}"
