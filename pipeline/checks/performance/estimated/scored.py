"""Scores, predictions and labels of some rows as arrays, checked: what no estimate can be made from is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.checks.performance.labelled_rows import Rows
from pipeline.config import ColumnRoles
from pipeline.labels.classes import MISSING, Classes, encode
from pipeline.labels.columns import LabelsUnusable, type_words
from pipeline.labels.numbers import Scores, scores
from pipeline.wording import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.checks.performance.estimated.expected import Codes, Floats


@dataclass(frozen=True)
class Scored:
    """Rows that have all their scores: `scores` has a column for each class, or one, that of the positive class.

    `said` and `truth` are predictions and labels as places of `Seen.classes`, None where the rows have no such column;
    a prediction that is none of the classes is at the place after them, `MISSING` is none. `unscored` rows were left
    out; `at` are the places of the others among all.
    """

    scores: Floats
    said: Codes | None
    truth: Codes | None
    at: Codes
    unscored: int = 0

    def __len__(self) -> int:
        return len(self.scores)

    def where(self, kept: NDArray[np.bool_]) -> Scored:
        """Some of the rows."""
        said, truth = (None if part is None else part[kept] for part in (self.said, self.truth))
        return Scored(self.scores[kept], said, truth, self.at[kept], self.unscored)


@dataclass(frozen=True)
class Seen:
    """How a classification is looked at.

    `is_single`: one column of scores tells all. Then there are two classes, the rest (place 0) and the positive one
    (place 1); otherwise there are all classes, in order, each with a score.
    """

    roles: ColumnRoles
    classes: Classes
    is_single: bool

    @property
    def is_whole(self) -> bool:
        """Whether labels and scores are about the same classes, and not about one of several against the rest."""
        return len(self.classes.values) == 2 or not self.is_single

    @property
    def many(self) -> int:
        """Classes that are told apart."""
        return 2 if self.is_single else len(self.classes.values)

    @property
    def positive(self) -> int | None:
        """The place of the positive class."""
        if self.is_single:
            return 1
        positive = self.classes.positive
        return None if positive is None else self.classes.values.index(positive)

    def read(self, rows: Rows) -> Scored:
        """Scores, and where they are there predictions and labels.

        Raises:
            LabelsUnusable: the scores are not there, or are no probabilities.
        """
        import numpy as np

        given = self._scores(rows)
        there = np.asarray(~np.isnan(given).any(axis=1))
        inside = (given >= 0) & (given <= 1)
        if not inside[there].all():
            names = ", ".join(self.roles.score_columns)
            raise LabelsUnusable(
                f"{names} in {rows.answers} has values outside 0 to 1, which are no probabilities, so nothing can be "
                "estimated from them"
            )
        found = Scored(
            scores=given,
            said=self._codes(rows, self.roles.prediction, rows.answers, self.many),
            truth=self._codes(rows, self.roles.label, rows.labels, MISSING),
            at=np.arange(len(given)),
            unscored=int((~there).sum()),
        )
        return found if there.all() else found.where(there)

    def _scores(self, rows: Rows) -> Floats:
        import numpy as np

        found = require_scores(rows, self.roles, self.classes)
        wanted = [self.classes.positive] if self.is_single else self.classes.values
        columns = [None if value is None else found.of(value) for value in wanted]
        if any(column is None for column in columns):
            raise LabelsUnusable("the scores do not name every class, so nothing can be estimated from them")
        return np.column_stack([column for column in columns if column is not None])

    def _codes(self, rows: Rows, name: str | None, place: str, unknown: int) -> Codes | None:
        """A column as places of the classes that are looked at; `unknown` for what is none of them."""
        import numpy as np

        if name is None or not rows.has(name):
            return None
        codes = encode(self.classes, [rows.table[name]], [f"{name} in {place}"])[0]
        known = len(self.classes.values)
        if not self.is_single:
            return np.where(codes >= known, unknown, codes)
        own = [place for place, value in enumerate(self.classes.values) if value == self.classes.positive]
        found = np.isin(codes, own).astype(np.int64)
        found = np.where(codes >= known, unknown if self.is_whole else 0, found)
        return np.where(codes == MISSING, MISSING, found)


def require_scores(rows: Rows, roles: ColumnRoles, classes: Classes) -> Scores:
    """The scores of some rows.

    Raises:
        LabelsUnusable: there are none, or it is not clear which class they are about.
    """
    found = scores(rows.table, roles, classes, rows.answers)
    if found is not None:
        return found
    if not roles.score_columns:
        raise LabelsUnusable("the monitor names no score: without columns.score nothing can be estimated")
    missing = [name for name in roles.score_columns if not rows.has(name)]
    words = f"has no column {missing[0]!r}" if missing else "has a score, and nothing says of which class it is"
    raise LabelsUnusable(f"{rows.answers} {words}, so nothing can be estimated")


def require_reference(scored: Scored, rows: Rows, seen: Seen, least: int) -> tuple[Scored, Codes]:
    """The rows of the reference that have a label, and the labels.

    Raises:
        LabelsUnusable: they are too few, or of one class.
    """
    import numpy as np

    label = str(seen.roles.label)
    if scored.truth is None:
        raise LabelsUnusable(f"the reference has no column {label!r}, so nothing can be estimated before labels come")
    kept = np.asarray(scored.truth != MISSING)
    found, truth = scored.where(kept), scored.truth[kept]
    if len(found) < least:
        held = type_words(rows.table[label])
        raise LabelsUnusable(
            f"{count(len(found), 'row')} of the reference with both a label ({held}) and a score; an estimate needs "
            f"{count(least)}"
        )
    if len(np.unique(truth)) < 2:
        raise LabelsUnusable("all labels of the reference are one class, so it shows nothing that could be expected")
    return found, truth
