"""Guesses what the columns of a scored data set are, from their names, types and values. A person has the last word."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.checks.quality.check import Limits

if TYPE_CHECKING:
    from pipeline.checks.quality.built_in.reference import Profile

_ID = re.compile(r"(^|_)(id|uuid|guid|key)$", re.IGNORECASE)
_PREDICTION = re.compile(r"^(y_?)?pred(iction|icted)?(_?(label|class|value))?$", re.IGNORECASE)
_SCORE = re.compile(r"prob|score|confidence", re.IGNORECASE)
_LABEL = re.compile(r"^(label|target|truth|ground_truth|actual|outcome|y(_true)?)$", re.IGNORECASE)
_VERSION = re.compile(r"model.*version|version.*model", re.IGNORECASE)
_MAX_CATEGORIES = 50
_MAX_FLAGS = 2


@dataclass(frozen=True)
class Columns:
    """The columns of a data set by what they are: one of each role at most, every column in one list at most."""

    id: str | None
    label: str | None
    prediction: str | None
    score: str | None
    model_version: str | None
    numerical: tuple[str, ...]
    categorical: tuple[str, ...]
    ignore: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What a person said; None where nothing was said, and an empty text where there is none."""

    id: str | None = None
    label: str | None = None
    prediction: str | None = None
    score: str | None = None
    model_version: str | None = None


def guess_columns(
    profiles: Mapping[str, Profile], production: Collection[str], labels: Collection[str], known: Known
) -> Columns:
    """Roles and kinds of all columns of the reference; those that production lacks are ignored.

    Args:
        profiles: of the reference, from `look_at`.
        production: names of production's columns; none where there is no snapshot yet.
        labels: names of the columns that arrive with the labels; none where there are none.
        known: what is not to be guessed.
    """
    names = [name for name in profiles if name]  # a monitor file cannot list one without a name
    label = _chosen(known.label, lambda: _label(names, production, labels))
    identity = _chosen(known.id, lambda: _id(names, production, labels, label))
    free = [name for name in names if name not in (label, identity)]
    prediction = _chosen(known.prediction, lambda: _first(name for name in free if _PREDICTION.search(name)))
    free = [name for name in free if name != prediction]
    score = _chosen(known.score, lambda: _first(name for name in free if _is_score(profiles[name])))
    version = _chosen(known.model_version, lambda: _first(name for name in free if _VERSION.search(name)))
    aside = {label, identity, version, *(name for name in names if production and name not in production)}
    compared = [profiles[name] for name in names if name not in aside and not is_identifier(profiles[name])]
    numerical = tuple(item.name for item in compared if _is_numerical(item, prediction))
    categorical = tuple(item.name for item in compared if item.name not in numerical and item.categories)
    placed = {label, identity, version, *numerical, *categorical}
    return Columns(
        id=identity,
        label=label,
        prediction=prediction,
        score=score,
        model_version=version,
        numerical=numerical,
        categorical=categorical,
        ignore=tuple(name for name in names if name not in placed),
    )


def look_at(reference: Sequence[Path], limits: Limits) -> dict[str, Profile]:
    """Every column of local parquet files as a category, and as a number where it has too many values for one.

    Raises:
        SnapshotUnreadable: a file is damaged.
    """
    from pipeline.checks.quality.built_in.reference import profile_columns
    from pipeline.checks.scan import open_table

    table = open_table([str(path) for path in reference])
    names = table.column_names
    found = profile_columns(table, dict.fromkeys(names, "categorical"), _MAX_CATEGORIES, 1.5, limits)
    numbers = [name for name in names if found[name].family == "number"]
    return found | {
        name: replace(profile, categories=found[name].categories)
        for name, profile in profile_columns(
            table, dict.fromkeys(numbers, "numerical"), _MAX_CATEGORIES, 1.5, limits
        ).items()
    }


def _chosen(said: str | None, guess: Callable[[], str | None]) -> str | None:
    return guess() if said is None else said or None


def _first(names: Iterable[str]) -> str | None:
    return next(iter(names), None)


def _label(names: Sequence[str], production: Collection[str], labels: Collection[str]) -> str | None:
    """What the reference knows and production does not is the truth that comes later."""
    later = [name for name in names if production and name not in production]
    arriving = [name for name in later if name in labels] or later
    if len(arriving) == 1:
        return arriving[0]
    return _first(name for name in (arriving or names) if _LABEL.search(name))


def _id(names: Sequence[str], production: Collection[str], labels: Collection[str], label: str | None) -> str | None:
    """What labels and production share joins them; else the name says it."""
    shared = [name for name in names if name in labels and name in production and name != label]
    if len(shared) == 1:
        return shared[0]
    return _first(name for name in (shared or names) if is_called_id(name))


def _is_score(profile: Profile) -> bool:
    numbers = profile.numbers
    in_unit = numbers is not None and not numbers.whole and numbers.low >= 0 and numbers.high <= 1
    return in_unit and _SCORE.search(profile.name) is not None


def is_called_id(name: str) -> bool:
    """Whether a column is called as identifiers are."""
    return _ID.search(name) is not None


def is_identifier(profile: Profile) -> bool:
    """Whole numbers that are called an id and have more values than categories have."""
    numbers = profile.numbers
    return is_called_id(profile.name) and numbers is not None and numbers.whole and not profile.categories


def _is_numerical(profile: Profile, prediction: str | None) -> bool:
    """Numbers, but for a class as prediction and for flags such as 0 and 1."""
    numbers = profile.numbers
    if numbers is None:
        return False
    few = numbers.distinct is not None and numbers.distinct <= (
        _MAX_CATEGORIES if profile.name == prediction else _MAX_FLAGS
    )
    return not (few and numbers.whole)
