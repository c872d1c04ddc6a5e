"""What a night's page says of columns together and in pairs."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pipeline.publish.facts.together import (
    columns_changed,
    pair_words,
    plane_words,
    sides_words,
    together_line,
    vector_words,
)
from pipeline.results import DriftResult, TogetherResult
from pipeline.wording import clip, count, listed, once_in

_MAX_NAME = 60
_QUIET_PAIRS = 3


def together_part(found: TogetherResult | None, drift: DriftResult) -> dict[str, object] | None:
    """The section of the page; None where the monitor does not ask for it."""
    if found is None:
        return None
    shown = found.pairs[: max(found.pairs_changed, _QUIET_PAIRS)]
    return {
        "changed": found.changed,
        "line": _line(found),
        "failure": None if found.failure is None else clip(found.failure.error, 400),
        "budget": f"at most one warning in {count(found.per_nights)} quiet nights",
        "usual": _usual(found),
        "facts": _facts(found),
        "pairs": [
            {
                "first": clip(one.first, _MAX_NAME),
                "second": clip(one.second, _MAX_NAME),
                "words": pair_words(one),
                "rare": once_in(one.chance),
                "state": "changed" if one.changed else "steady",
            }
            for one in shown
        ],
        "more": found.pairs_changed - sum(one.changed for one in shown),
        "alone": _alone(found, {item.name for item in drift.drifted_columns}),
        "left_out": ", ".join(_left_out(found)),
    }


def _line(found: TogetherResult) -> str:
    line = together_line(found) or "Too few rows, or fewer than two columns that vary: nothing can be told"
    line = line.removeprefix("Warning: ")
    return line[0].upper() + line[1:]


def _left_out(found: TogetherResult) -> Iterator[str]:
    if found.left_out:
        yield f"{count(found.left_out, 'column')} beyond the first {count(len(found.columns))}"
    if found.vectors_left_out:
        yield f"{count(found.vectors_left_out, 'column')} of lists beyond the first {count(len(found.vectors))}"


def _usual(found: TogetherResult) -> str:
    return f"what {count(found.nights, 'past night')} did" if found.nights else "chance, as no past night is known yet"


def _facts(found: TogetherResult) -> list[tuple[str, str, str, bool]]:
    """Each way to look: its name, what was found, how rare that is, and whether it is a change."""
    facts = []
    if found.pairs_chance is not None:
        changed = count(found.pairs_changed) if found.pairs_changed else "none"
        words = f"{changed} of {count(found.pairs_compared, 'pair')} changed"
        facts.append(("Pairs", words, once_in(found.pairs_chance), found.pairs_changed > 0))
    if found.sides is not None:
        sides = found.sides
        facts.append(("Classifier", sides_words(sides), once_in(sides.chance), sides.changed))
    if found.plane is not None:
        plane = found.plane
        facts.append(("Plane", plane_words(plane), once_in(plane.chance), plane.changed))
    for vector in found.vectors:
        rare = "" if vector.chance is None else once_in(vector.chance)
        facts.append((f"Lists in {clip(vector.name, _MAX_NAME)}", vector_words(vector), rare, vector.changed))
    return facts


def _alone(found: TogetherResult, drifted: Collection[str]) -> str:
    """Columns that have a part in it and drifted by themselves as well."""
    if not columns_changed(found):
        return ""
    named = [name for one in found.pairs if one.changed for name in (one.first, one.second)]
    named += [] if found.sides is None else [item.name for item in found.sides.telling]
    named += found.columns if found.plane is not None and found.plane.changed else ()
    also = [clip(name, _MAX_NAME) for name in dict.fromkeys(named) if name in drifted]
    if not also:
        return "No column that has a part in it drifted by itself"
    return f"Drifted by themselves as well: {listed(also, 5)}"
