"""Where the data of a new monitor lies: what was said or is answered, with `{date}` where it lies by date."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.authoring.interview import NONE, Person, ask
from pipeline.authoring.newest_nights import local_files
from pipeline.config import Location, Settings, resolve_location
from pipeline.config.values import CHAMPION
from pipeline.errors import ConfigError, SnapshotMissing, SourceUnavailable

MARKER = "_SUCCESS"
"""What Spark and others write into the folder of a snapshot when all its files are there."""
_WORDS = {
    "reference": "reference (what the model knows: its training data, scored; a path or s3://...)",
    "production": "production (what it scores; {date} stands for the run date)",
    "labels": "labels (what then came true; {date} stands for the run date)",
}


@dataclass(frozen=True)
class Said:
    """Addresses as somebody said them; None is asked for."""

    reference: str | None = None
    production: str | None = None
    labels: str | None = None


@dataclass(frozen=True)
class Places:
    """Addresses as the monitor file will have them."""

    reference: str
    production: str
    labels: str | None


def ask_places(said: Said, settings: Settings, today: date, person: Person) -> Places:
    """Addresses that a monitor file may have; what was not said is asked.

    Raises:
        ConfigError: one is not allowed, and nobody is there to say another.
    """
    reference = _place("reference", said.reference, person, lambda place: _nothing_at(place, settings, today))
    production = _place("production", said.production, person)
    production = _with_date("production", _as_written(production, settings), settings, person)
    labels = said.labels
    if labels is None:
        proposal = _beside(production, settings) or NONE
        labels = ask(person, "--labels", _WORDS["labels"], proposal, lambda place: _wrong(place, NONE))
    if labels != NONE:
        labels = _with_date("labels", _as_written(_place("labels", labels, person), settings), settings, person)
    return Places(_as_written(reference, settings), production, None if labels == NONE else labels)


def _place(key: str, said: str | None, person: Person, more: Callable[[str], str | None] = lambda _: None) -> str:
    """An address that a monitor file may have: as said, or as somebody who is present answers.

    `more` is what else may be wrong with an answer.
    """
    if said is None:
        return ask(person, f"--{key}", _WORDS[key], "", lambda answer: _wrong(answer) or more(answer))
    problem = _wrong(said)
    if problem is not None:
        raise ConfigError([f"--{key}: {problem}"])
    return said


def _wrong(address: str, *allowed: str) -> str | None:
    if not address:
        return "missing; allowed: a path, a glob or an s3:// address"
    return None if address in allowed else problem_with(Location, address)


def _nothing_at(address: str, settings: Settings, day: date) -> str | None:
    return _missing(resolve_location(_as_written(address, settings), day, settings.data_root))


def _missing(location: str, complete: str | None = None) -> str | None:
    from pipeline.snapshots.locations import list_objects

    try:
        list_objects(location, complete)
    except (SnapshotMissing, SourceUnavailable) as error:
        return str(error)
    return None


def _with_date(key: str, location: str, settings: Settings, person: Person) -> str:
    """The address with `{date}`, where the data lies in folders or files of one date each."""
    from pipeline.snapshots.dates import dated_address

    dated = dated_address(location, settings.data_root)
    if dated is None:
        return location
    return ask(person, f"--{key}", f"{key} lies there by date; its address", dated, _wrong)


def _beside(production: str, settings: Settings) -> str | None:
    """Labels often lie in a folder called so, beside production's."""
    head, found, tail = production.rpartition("production")
    labels = f"{head}labels{tail}"
    return labels if found and newest(labels, settings) else None


def problem_with(kind: Any, value: str) -> str | None:
    """What a monitor file would say about a value."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        return f"found {value!r}; {error.errors()[0]['msg'].removeprefix('Value error, ')}"
    return None


def names_at(settings: Settings, location: str | None, today: date, dates: Collection[str] = ()) -> tuple[str, ...]:
    """Names of the columns behind an address on its newest date; none where nothing is there yet.

    `dates` are names of folders that say which night it is.
    """
    if location is None:
        return ()
    try:
        with local_files(settings, location, newest(location, settings) or today, dates) as paths:
            return names_of(paths)
    except SnapshotMissing:
        return ()


def names_of(paths: Sequence[Path]) -> tuple[str, ...]:
    """Names of the columns of local parquet files."""
    from pipeline.checks.scan import open_table

    return open_table([str(path) for path in paths]).column_names


def newest(location: str, settings: Settings) -> date | None:
    """The newest date that there is data of."""
    from pipeline.snapshots.dates import newest_date

    return newest_date(location, settings.data_root)


def are_marked(places: Places, settings: Settings, today: date) -> bool:
    """Whether all that is there of the snapshots ends with `MARKER`."""

    def is_there(place: str, complete: str | None = None) -> bool:
        location = resolve_location(place, newest(place, settings) or today, settings.data_root)
        return _missing(location, complete) is None

    found = [place for place in (places.reference, places.production, places.labels) if place and is_there(place)]
    return all(is_there(place, MARKER) for place in found)


def delay(night: date | None, labels: str | None, settings: Settings) -> int:
    """How many days labels are behind production."""
    arrived = newest(labels, settings) if labels else None
    return max(0, (night - arrived).days) if night and arrived else 0


def _as_written(location: str, settings: Settings) -> str:
    """An address as a monitor file has it: relative to the project where it lies below it, else absolute.

    A relative one is looked for from the working directory, then from the project.
    """
    if "://" in location:
        return location
    root = settings.data_root
    candidates = [Path(os.path.normpath(start / location)) for start in (Path.cwd(), root)]
    found = next((item for item in candidates if _fixed_part(item).exists()), candidates[0])
    slash = "/" if location.endswith("/") else ""
    written = str(found.relative_to(root) if found.is_relative_to(root) else found) + slash
    return f"./{written}" if written == CHAMPION else written  # the word alone means the champion's training set


def _fixed_part(path: Path) -> Path:
    """The folder that does not depend on a date or a pattern."""
    fixed = re.split(r"[{*?\[]", str(path))[0]
    return path if fixed == str(path) else Path(fixed).parent if not fixed.endswith("/") else Path(fixed)
