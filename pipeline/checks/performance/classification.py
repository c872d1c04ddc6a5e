"""How often predictions are right, class by class, and how well scores rank."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.checks.performance.labelled_rows import Found, Rows
from pipeline.config import ColumnRoles
from pipeline.labels.classes import MISSING, Class, Classes, encode, has_fractions
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.numbers import Scores, scores
from pipeline.results import ClassPerformance
from pipeline.wording import count, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

MOST_CLASSES = 50
_LOW_AREA = 0.3
_SURE = 3.0  # standard deviations


@dataclass(frozen=True)
class _Case:
    """Rows that are judged, and by what."""

    rows: Rows
    roles: ColumnRoles
    classes: Classes

    @property
    def label(self) -> str:
        return str(self.roles.label)

    def known(self, noun: str) -> str:
        """`2 classes of the label (no, yes)`; without their names where the label is private."""
        words = "" if self.label in self.roles.private else f" ({self.classes.words})"
        return f"{count(len(self.classes.values), f'{noun}class', f'{noun}classes')}{words}"


def classification(rows: Rows, roles: ColumnRoles, classes: Classes) -> Found:
    """Accuracy, and of the positive class precision, recall, F1 and ROC AUC; every class by itself.

    Of several classes without a positive one ROC AUC is the mean over the classes, each against the rest. A prediction
    that is none of the classes is wrong; a label that is none of them is a class of its own. What is said of the
    positive class needs rows that have it and rows that have not.

    Raises:
        LabelsUnusable: labels and predictions do not meet, or nothing can be measured.
    """
    found, case = Found(), _Case(rows, roles, classes)
    truth, *said = _codes(case)
    _require_known(truth, case)
    if said:
        _add_hits(found, truth, said[0], case)
    elif roles.prediction is not None:
        found.notes.append(f"{rows.answers} has no column {roles.prediction!r}, so no prediction is judged")
    try:
        given = scores(rows.table, roles, classes, rows.answers)
    except LabelsUnusable as why:
        if not found.metrics:
            raise
        found.notes.append(f"ROC AUC is not measured: {why}")
        given = None
    if given is not None:
        found.metrics |= _areas(truth, given, classes)
    if not found.metrics:
        answer = roles.prediction if rows.has(roles.prediction) else roles.score
        raise LabelsUnusable(
            f"no row has both a label and a prediction, or the rows give no metric of a classification: "
            f"{rows.held(str(roles.label), str(answer))}; check columns.id, columns.label and columns.prediction"
        )
    return found


def inverted(rows: Rows, roles: ColumnRoles, classes: Classes) -> str | None:
    """The question whether the score is of the other one of two classes; None where nothing looks like it.

    Asked of the reference: a ROC AUC below 0.3, and 3 standard deviations below one half for so many rows of each class
    (Mann and Whitney 1947). A model that knows nothing is near one half, and one that is wrong so consistently would be
    right the other way round; between 0.3 and one half a weak model may just be unlucky.
    """
    if len(classes.values) != 2 or classes.positive is None or roles.score is None:
        return None
    try:
        given = scores(rows.table, roles, classes, rows.answers)
        truth = encode(classes, [rows.table[str(roles.label)]], ["label"])[0]
    except LabelsUnusable:
        return None
    area = None if given is None else _area(truth, given, classes.positive, classes)
    if area is None or area[0] >= _LOW_AREA or area[0] > 0.5 - _SURE * area[1]:
        return None
    other = next(value for value in classes.values if value != classes.positive)
    is_private = roles.label in roles.private
    which = "the other class" if is_private else f"'{classes.name(other)}'"
    return (
        f"the score looks like the probability of {which}: on the reference it ranks {share(1 - area[0])} of all pairs "
        f"the other way round; {'check' if classes.chosen else 'set'} columns.positive"
    )


def _codes(case: _Case) -> list[Codes]:
    """Labels, and predictions where there are any, as positions of classes."""
    rows, label = case.rows, case.label
    prediction = case.roles.prediction
    places = {label: rows.labels}
    if prediction is not None and rows.has(prediction):
        places[prediction] = rows.answers
        if has_fractions(rows.table[prediction]) and not case.classes.have_fractions:
            raise LabelsUnusable(
                f"{rows.held(label, prediction)}: the predictions have fractions, so they are no classes; "
                "a probability belongs under columns.score"
            )
    words = [f"{name} in {place}" for name, place in places.items()]
    return encode(case.classes, [rows.table[name] for name in places], words)


def _require_known(truth: Codes, case: _Case) -> None:
    there = truth != MISSING
    if there.any() and not (truth[there] < len(case.classes.values)).any():
        raise LabelsUnusable(f"{case.rows.held(case.label)}: none of the labels is one of the {case.known('known ')}")


def _add_hits(found: Found, truth: Codes, said: Codes, case: _Case) -> None:
    classes, known = case.classes, len(case.classes.values)
    both = (truth != MISSING) & (said != MISSING)
    truth, said = truth[both], said[both]
    if not len(truth):
        return
    if not (said < known).any():
        held = case.rows.held(case.label, str(case.roles.prediction))
        raise LabelsUnusable(f"{held}: no prediction is one of the {case.known('')} of the label")
    found.metrics["accuracy"] = float((truth == said).mean())
    table = _by_class(truth, said, classes)
    if classes.positive is not None:
        own = table[classes.values.index(classes.positive)]
        if 0 < own.support < len(truth):
            found.metrics |= {"precision": own.precision or 0.0, "recall": own.recall or 0.0, "f1": own.f1 or 0.0}
    if case.label not in case.roles.private:
        found.by_class = [row for place, row in enumerate(table) if place < known or row.support][:MOST_CLASSES]
    found.notes += _strangers(truth, said, case)


def _strangers(truth: Codes, said: Codes, case: _Case) -> list[str]:
    """What is said of labels and predictions that are none of the classes."""
    notes, known = [], len(case.classes.values)
    labels, predictions = int((truth >= known).sum()), int((said >= known).sum())
    if labels:
        notes.append(
            f"{count(labels, 'label')} in {case.rows.labels} {'is' if labels == 1 else 'are'} none of the "
            f"{case.known('known ')}; each different one counts as a class of its own"
        )
    if predictions:
        notes.append(
            f"{count(predictions, 'prediction')} in {case.rows.answers} {'is' if predictions == 1 else 'are'} none of "
            f"the {case.known('known ')}; that is right only where the label is the same"
        )
    return notes


def _by_class(truth: Codes, said: Codes, classes: Classes) -> list[ClassPerformance]:
    """Precision, recall and F1 of every class (van Rijsbergen 1979), and of every value that is none."""
    import numpy as np

    many = max(len(classes.values), int(truth.max()) + 1, int(said.max()) + 1)
    support, predicted = np.bincount(truth, minlength=many), np.bincount(said, minlength=many)
    hits = np.bincount(truth[truth == said], minlength=many)
    found = []
    for place in range(many):
        row, answered, hit = (int(part[place]) for part in (support, predicted, hits))
        name = classes.name(classes.values[place]) if place < len(classes.values) else "not a known class"
        found.append(
            ClassPerformance(
                name=name,
                support=row,
                predicted=answered,
                precision=hit / answered if answered else None,
                recall=hit / row if row else None,
                f1=2 * hit / (row + answered) if row + answered else None,
            )
        )
    return found


def _areas(truth: Codes, given: Scores, classes: Classes) -> dict[str, float]:
    wanted = given.classes if classes.positive is None else (classes.positive,)
    areas = [_area(truth, given, value, classes) for value in wanted]
    known = [area[0] for area in areas if area is not None]
    return {"roc_auc": sum(known) / len(known)} if known else {}


def _area(truth: Codes, given: Scores, wanted: Class, classes: Classes) -> tuple[float, float] | None:
    """How probably a row of the class has a higher score than another row, ties counting half, and the standard
    deviation of that if the score knew nothing (Mann and Whitney 1947); None without rows of both kinds.
    """
    import numpy as np

    score = given.of(wanted)
    if score is None:
        return None
    there = (truth != MISSING) & ~np.isnan(score)
    is_wanted = truth[there] == classes.values.index(wanted)
    _, place, ties = np.unique(score[there], return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[place]
    ours, others = int(is_wanted.sum()), int((~is_wanted).sum())
    if not ours or not others:
        return None
    area = (ranks[is_wanted].sum() - ours * (ours + 1) / 2) / (ours * others)
    return float(area), math.sqrt((ours + others + 1) / (12 * ours * others))
