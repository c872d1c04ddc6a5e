"""What a model said, held against the reference's labels: probabilities by class, what a score is of, the task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from pipeline.authoring.evidence import Evidence
from pipeline.authoring.names import is_called_score, words
from pipeline.authoring.observe import answer, database
from pipeline.checks.quality.engines.sql import VIEW
from pipeline.checks.quality.validate import open_files

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.checks.scan import Key
    from pipeline.results import Task

_SAMPLE = 200_000
_MOST_CLASSES = 50
_SUM_WITHIN = 0.01
_MARKS = {"p", "y", "pred", "predicted", "prediction", "class"}
_POSITIVE = (True, 1, "1", "true", "yes", "y", "positive", "pos")
CLEAR = 0.05
"""How far from one half an area under the ROC curve has to be to say anything."""


def classes_of(evidence: Evidence, name: str | None) -> list[Key]:
    """The classes of a label or prediction, in order; none where it has none."""
    profile = evidence.profiles.get(name or "")
    if profile is None or not profile.categories or len(profile.categories) > _MOST_CLASSES:
        return []
    return sorted(profile.categories, key=lambda key: (isinstance(key, str), key))


def scores_by_class(evidence: Evidence, classes: Sequence[Key]) -> dict[str, str]:
    """A column for each class: called after it, probabilities, and together one in every row. None where not all are.

    By class, as it is written.
    """
    if len(classes) < 2:
        return {}
    candidates = [name for name in evidence.names if evidence.in_unit(name) and not evidence.absent(name)]
    for mark in dict.fromkeys(mark for name in candidates for mark in _marks(name, classes)):
        found = {str(key): name for key in classes for name in candidates if (mark, key) in _split(name, classes)}
        if len(found) == len(classes) == len(set(found.values())) and sum_to_one(evidence, list(found.values())):
            return found
    return {}


def _marks(name: str, classes: Sequence[Key]) -> list[tuple[str, ...]]:
    return [mark for mark, _ in _split(name, classes)]


def _split(name: str, classes: Sequence[Key]) -> list[tuple[tuple[str, ...], Key]]:
    """A name as a mark of a model (`prob`, `p`) and the class that is left: `prob_low` as `prob` and low."""
    found: list[tuple[tuple[str, ...], Key]] = []
    parts = words(name)
    for key in classes:
        of_class = words(str(key).lower()) or (str(key),)
        rests = (rest for rest in _without(parts, of_class) if set(rest) & _MARKS or is_called_score(" ".join(rest)))
        found += [(rest, key) for rest in rests]
    return found


def _without(parts: tuple[str, ...], inner: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """What comes before, or after, the words of a class."""
    size = len(inner)
    if parts[-size:] == inner:
        yield parts[:-size]
    if parts[:size] == inner:
        yield parts[size:]


def sum_to_one(evidence: Evidence, names: Sequence[str]) -> bool:
    """Whether columns add up to one in every row that has all of them."""
    files = open_files(evidence.reference)
    total = " + ".join(f"c{files.schema.get_field_index(name)}::DOUBLE" for name in names)
    with database(files, evidence.limits) as connection:
        row = answer(connection, f"count({total}), max(abs({total} - 1))")
    return row is not None and bool(row[0]) and row[1] <= _SUM_WITHIN


def sample(evidence: Evidence, names: Sequence[str], rows: int = _SAMPLE) -> pd.DataFrame:
    """Rows of the reference, as many as tell enough."""
    files = open_files(evidence.reference)
    columns = ", ".join(f"c{files.schema.get_field_index(name)} AS n{place}" for place, name in enumerate(names))
    with database(files, evidence.limits) as connection:
        drawn = f"SELECT {columns} FROM {VIEW} USING SAMPLE reservoir({rows} ROWS) REPEATABLE (0)"  # noqa: S608
        frame: pd.DataFrame = connection.execute(drawn).df()
    frame.columns = list(names)
    return frame


def task_by(evidence: Evidence, label: str | None, prediction: str | None) -> Task | None:
    """What the reference's labels say the task is; None where it has none."""
    from pipeline.labels.task import task_of

    if label is None or label not in evidence.seen or not evidence.seen[label].values:
        return None
    names = [label, *([prediction] if prediction in evidence.seen and prediction != label else [])]
    frame = sample(evidence, cast("list[str]", names))
    return task_of("auto", [{str(name): column for name, column in frame.items()}], label, prediction)


def areas(evidence: Evidence, label: str, score: str) -> dict[Any, float]:
    """The area under the ROC curve of a score for each of two classes; none where there are not two."""
    classes = classes_of(evidence, label)
    if len(classes) != 2 or score not in evidence.seen or evidence.profiles[score].numbers is None:
        return {}
    frame = sample(evidence, [label, score]).dropna()
    ranks = frame[score].astype("float64").rank()
    from pipeline.checks.scan.types import canonical_key

    keys = frame[label].map(lambda found: canonical_key(found.item() if hasattr(found, "item") else found))
    ones = int((keys == classes[1]).sum())
    zeros = len(frame) - ones
    if not ones or not zeros:
        return {}
    area = float((ranks[keys == classes[1]].sum() - ones * (ones + 1) / 2) / (ones * zeros))
    return {classes[0]: 1 - area, classes[1]: area}


def likely_positive(classes: Sequence[Key], found: Mapping[Any, float]) -> Key | None:
    """Of two classes the one that the score is of; where it does not say, the one called so, or the second."""
    if len(classes) != 2:
        return None
    if found and max(found.values()) - 0.5 > CLEAR:
        return cast("Key", max(found, key=lambda key: found[key]))
    return called if (called := called_positive(classes)) is not None else classes[1]


def called_positive(classes: Sequence[Key]) -> Key | None:
    """Of two classes the one that is called as positive ones are: 1, true, yes."""
    called = [key for key in classes if (key.lower() if isinstance(key, str) else key) in _POSITIVE]
    return called[0] if len(called) == 1 else None
