"""Guesses what the columns of a scored data set are, from names, types and values. A person has the last word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.authoring import names as called
from pipeline.authoring.evidence import MAX_CATEGORIES, Evidence
from pipeline.authoring.left_out import event_time, is_row_counter, why_left_out
from pipeline.authoring.scores import CLEAR, areas, classes_of, likely_positive, scores_by_class, task_by

_MAX_FLAGS = 2
_ANSWERED = "what a model answered, and never to be learnt from"


@dataclass(frozen=True)
class Columns:
    """The columns of a data set by what they are: one of each role at most, every column in one list at most.

    `scores` are columns by class. `ignore` says of every column that is left out why. `event` is the time that moves
    with the night. `lists` hold lists of numbers, which are looked at as a whole where the monitor asks for it.
    """

    id: str | None
    label: str | None
    prediction: str | None
    score: str | None
    model_version: str | None
    numerical: tuple[str, ...]
    categorical: tuple[str, ...]
    ignore: Mapping[str, str]
    scores: Mapping[str, str] = field(default_factory=dict)
    event: str | None = None
    lists: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What a person said; None where nothing was said, and an empty text where there is none."""

    id: str | None = None
    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    model_version: str | None = None
    scores: Mapping[str, str] | None = None


def guess_columns(evidence: Evidence, known: Known) -> Columns:
    """Roles and kinds of all columns of the reference; those that have no place in a comparison are ignored.

    Args:
        evidence: what is known of the data.
        known: what is not to be guessed.
    """
    names = evidence.names
    label = _chosen(known.label, lambda: _label(evidence))
    identity = _chosen(known.id, lambda: _id(evidence, label))
    free = [name for name in names if name not in (label, identity)]
    present = [name for name in free if not evidence.absent(name)]
    prediction = _chosen(known.prediction, lambda: _prediction(present, label))
    free = [name for name in free if name != prediction]
    by_class = scores_by_class(evidence, classes_of(evidence, label) or classes_of(evidence, prediction))
    several = by_class if len(by_class) > 2 and not known.score else {}
    scores = dict(several if known.scores is None else known.scores)
    said = "" if scores else known.score
    score = _chosen(said, lambda: _score(evidence, free, (label, prediction), by_class))
    version = _chosen(known.model_version, lambda: _first(name for name in free if called.is_called_version(name)))
    answers = {prediction, score, *scores.values()} - {None}
    placed = {label, identity, version, *answers}
    event = event_time(evidence)
    lists = tuple(name for name in present if name in evidence.lists and name not in placed)
    ignore: dict[str, str] = {}
    for name in names:
        if name not in placed and name not in lists:
            is_answer = name in by_class.values() or _is_answer(evidence, name, label)
            reason = why_left_out(evidence, name, event) or (_ANSWERED if is_answer else None)
            ignore |= {name: reason} if reason else {}
        elif name in answers and evidence.absent(name):
            ignore[name] = "production does not have it"
    compared = [name for name in names if name not in ignore and name not in {label, identity, version}]
    numerical = tuple(name for name in compared if _is_numerical(evidence, name, prediction))
    categorical = tuple(name for name in compared if name not in numerical and evidence.profiles[name].categories)
    rest = {name: "not compared" for name in compared if name not in (*numerical, *categorical, *answers, *lists)}
    return Columns(
        id=identity,
        label=label,
        prediction=prediction,
        score=score,
        model_version=version,
        numerical=numerical,
        categorical=categorical,
        ignore={name: (ignore | rest)[name] for name in names if name in ignore | rest},
        scores=scores,
        event=event,
        lists=lists,
    )


def _chosen(said: str | None, guess: Callable[[], str | None]) -> str | None:
    return guess() if said is None else said or None


def _first(names: Iterable[str]) -> str | None:
    return next(iter(names), None)


def _label(evidence: Evidence) -> str | None:
    """What the labels bring and production lacks; else what is called so, or what a prediction is called after.

    That production lacks a column says nothing alone: it may be a split, or a feature that is gone.
    """
    names = evidence.names
    later = [name for name in names if evidence.absent(name)]
    arriving = [name for name in (later or names) if name in evidence.labels and _may_be_truth(evidence, name)]
    if len(arriving) == 1:
        return arriving[0]
    predicted = {called.answers_for(name) for name in names if _sounds_answered(name)} - {""}
    among = arriving or [name for name in (later or names) if not _sounds_answered(name)]
    named = (name for name in among if called.is_called_label(name))
    return _first(named) or _first(name for name in among if " ".join(called.words(name)) in predicted)


def _may_be_truth(evidence: Evidence, name: str) -> bool:
    seen = evidence.seen.get(name)
    return seen is not None and not seen.moment and not (called.is_called_id(name) or called.is_called_index(name))


def _sounds_answered(name: str) -> bool:
    return called.is_called_prediction(name) or called.is_called_score(name)


def _id(evidence: Evidence, label: str | None) -> str | None:
    """What differs in every row; of that, what joins production with labels, and what is called so."""
    able = [name for name in evidence.names if name != label and _may_be_id(evidence, name)]
    joining = [name for name in able if name in evidence.labels]
    named = [name for name in able if called.is_called_id(name)]
    ranked = [
        *(name for name in joining if name in named),
        *(name for name in joining if not called.is_called_index(name)),
        *(name for name in joining if not is_row_counter(evidence, name)),
        *sorted(named, key=lambda name: called.words(name) != ("id",)),
        *(name for name in able if name in evidence.texts and evidence.texts[name].pattern is not None),
    ]
    return _first(ranked)


def _may_be_id(evidence: Evidence, name: str) -> bool:
    """It differs in every row of the reference; one that names or joins rows may do so within each night only."""
    seen = evidence.seen.get(name)
    if seen is None or evidence.absent(name) or not (seen.form == "text" or seen.whole):
        return False
    nights = [found.unique for _, found in evidence.on_nights(name)]
    if nights and sum(nights) * 2 < len(nights):
        return False
    return seen.unique or (bool(nights) and (called.is_called_id(name) or name in evidence.labels))


def repeating_ids(evidence: Evidence, columns: Columns) -> list[str]:
    """Columns that are called like an id and were not taken for it, because their values repeat."""
    return [
        name
        for name in evidence.names
        if called.is_called_id(name) and name != columns.id and name in evidence.seen and not evidence.seen[name].unique
    ]


def _prediction(names: Sequence[str], label: str | None) -> str | None:
    """Of what is called a prediction: what says no more than that, or names the label."""
    found = [name for name in names if called.is_called_prediction(name)]
    of_label = " ".join(called.words(label)) if label else ""
    return _first(sorted(found, key=lambda name: called.answers_for(name) not in ("", of_label)))


def _score(
    evidence: Evidence, names: Sequence[str], answered: tuple[str | None, str | None], by_class: Mapping[str, str]
) -> str | None:
    """The probability of the positive class; a regression has none."""
    label, prediction = answered
    if task_by(evidence, label, prediction) == "regression":
        return None
    if len(by_class) == 2:
        return _of_positive(evidence, label, by_class)
    fractions = [name for name in names if evidence.in_unit(name) and not evidence.absent(name)]
    sure = [name for name in fractions if called.is_surely_score(name, label)]
    weak = [name for name in fractions if called.is_called_score(name) and _tells(evidence, label, name)]
    return _first([*sure, *weak])


def _of_positive(evidence: Evidence, label: str | None, by_class: Mapping[str, str]) -> str | None:
    classes = classes_of(evidence, label)
    wanted = likely_positive(classes, {}) if len(classes) == 2 else list(by_class)[-1]
    return by_class.get(str(wanted))


def _tells(evidence: Evidence, label: str | None, name: str) -> bool:
    """Whether a column that is called a score has to do with the label, as far as that can be seen."""
    found = areas(evidence, label, name) if label is not None else {}
    return not found or max(found.values()) - 0.5 > CLEAR


def _is_answer(evidence: Evidence, name: str, label: str | None) -> bool:
    if called.is_called_prediction(name):
        return True
    return evidence.in_unit(name) and called.is_surely_score(name, label)


def _is_numerical(evidence: Evidence, name: str, prediction: str | None) -> bool:
    """Numbers, but for a class as prediction, for flags such as 0 and 1, and for codes that are called ids."""
    profile = evidence.profiles[name]
    numbers = profile.numbers
    if numbers is None:
        return False
    if called.is_called_id(name) and profile.categories:
        return False
    few = numbers.distinct is not None and numbers.distinct <= (MAX_CATEGORIES if name == prediction else _MAX_FLAGS)
    return not (few and numbers.whole)
