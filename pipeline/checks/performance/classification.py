"""How often predictions are right, class by class, and how well scores rank, counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.checks.performance.labelled_rows import Counted, Rows
from pipeline.checks.performance.standard import Standard
from pipeline.config import ColumnRoles
from pipeline.labels.classes import Classes, encode, has_fractions
from pipeline.labels.columns import LabelsUnusable
from pipeline.labels.numbers import Scores, scores
from pipeline.wording import count, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.int64]

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
        words = "" if self.roles.private_answers else f" ({self.classes.words})"
        return f"{count(len(self.classes.values), f'{noun}class', f'{noun}classes')}{words}"


def answers(rows: Rows, standard: Standard) -> Counted:
    """Counts of labels, predictions and scores.

    A prediction that is none of the classes is wrong; a label that is none of them is a class of its own. Scores that
    cannot be used are a note, and predictions are counted all the same.

    Raises:
        LabelsUnusable: labels and predictions do not meet, or nothing can be measured.
    """
    from pipeline.metrics.counting import count_classes
    from pipeline.metrics.measure import measure

    classes = standard.classes
    assert classes is not None  # noqa: S101  (asked of a classification only)
    case, notes = _Case(rows, standard.roles, classes), list[str]()
    truth, *said = _codes(case)
    _require_known(truth, case)
    if said:
        notes += _told(truth, said[0], case)
    elif case.roles.prediction is not None:
        notes.append(f"{rows.answers} has no column {case.roles.prediction!r}, so no prediction is judged")
    given = _given(case, bool(said), notes)
    counts = count_classes(
        truth,
        said[0] if said else None,
        None if given is None else ([classes.values.index(value) for value in given.classes], given.values),
        len(classes.values),
        None if classes.positive is None else classes.values.index(classes.positive),
    )
    if not measure(counts):
        answer = case.roles.prediction if rows.has(case.roles.prediction) else case.roles.score
        raise LabelsUnusable(
            f"no row has both a label and a prediction, or the rows give no metric of a classification: "
            f"{rows.held(case.label, str(answer))}; check columns.id, columns.label and columns.prediction"
        )
    return Counted(counts, (*notes, *counts.notes), _threshold(case, said, given))


def inverted(rows: Rows, standard: Standard) -> str | None:
    """The question whether the score is of the other one of two classes; None where nothing looks like it.

    Asked of the reference: a ROC AUC below 0.3, and 3 standard deviations below one half for so many rows of each class
    (Mann and Whitney 1947). A model that knows nothing is near one half, and one that is wrong so consistently would be
    right the other way round; between 0.3 and one half a weak model may just be unlucky.
    """
    from pipeline.metrics.counting import count_classes
    from pipeline.metrics.measure import measure_one

    roles, classes = standard.roles, standard.classes
    if classes is None or len(classes.values) != 2 or classes.positive is None or roles.score is None:
        return None
    try:
        given = scores(rows.table, roles, classes, rows.answers)
        truth = encode(classes, [rows.table[str(roles.label)]], ["label"])[0]
    except LabelsUnusable:
        return None
    score = None if given is None else given.of(classes.positive)
    if score is None:
        return None
    positive = classes.values.index(classes.positive)
    counts = count_classes(truth, None, ([positive], score[:, None]), 2, positive)
    area, level = measure_one(counts, "roc_auc"), counts.levels.get(positive)
    if area is None or level is None or area.value >= _LOW_AREA:
        return None
    own, others = int(level.own.sum()), int(level.others.sum())
    if area.value > 0.5 - _SURE * math.sqrt((own + others + 1) / (12 * own * others)):
        return None
    other = next(value for value in classes.values if value != classes.positive)
    which = "the other class" if roles.private_answers else f"'{classes.name(other)}'"
    return (
        f"the score looks like the probability of {which}: on the reference it ranks {share(1 - area.value)} of all "
        f"pairs the other way round; {'check' if classes.chosen else 'set'} columns.positive"
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
    there = truth >= 0
    if there.any() and not (truth[there] < len(case.classes.values)).any():
        raise LabelsUnusable(f"{case.rows.held(case.label)}: none of the labels is one of the {case.known('known ')}")


def _given(case: _Case, predicted: bool, notes: list[str]) -> Scores | None:
    """The scores; where they cannot be used, a note says why, unless there is nothing else to judge."""
    rows = case.rows
    try:
        return scores(rows.table, case.roles, case.classes, rows.answers)
    except LabelsUnusable as why:
        if not predicted:
            raise
        notes.append(f"ROC AUC is not measured: {why}")
        return None


def _told(truth: Codes, said: Codes, case: _Case) -> list[str]:
    """What is said of labels and predictions that are none of the classes.

    Raises:
        LabelsUnusable: no prediction is one of them.
    """
    both = (truth >= 0) & (said >= 0)
    truth, said, known = truth[both], said[both], len(case.classes.values)
    if len(truth) and not (said < known).any():
        held = case.rows.held(case.label, str(case.roles.prediction))
        raise LabelsUnusable(f"{held}: no prediction is one of the {case.known('')} of the label")
    notes = []
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


def _threshold(case: _Case, said: list[Codes], given: Scores | None) -> float | None:
    """The score from which the positive class was predicted."""
    from pipeline.metrics.threshold import threshold_of

    positive = case.classes.positive
    score = None if given is None or positive is None else given.of(positive)
    if positive is None or score is None or not said:
        return None
    return threshold_of(said[0], score, case.classes.values.index(positive))
