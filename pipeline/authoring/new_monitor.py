"""A new monitor from its data: what nobody said is guessed, and put to the person at the terminal, if there is one."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from pipeline.authoring.interview import NONE, Person, ask
from pipeline.authoring.monitor_text import ROLES, Draft, monitor_text
from pipeline.authoring.suite_file import Written, local_files, suggest_for
from pipeline.config import Location, Name, Settings, dated_folders, load_settings, resolve_location
from pipeline.config import monitor_files as monitors
from pipeline.config.documents import yaml_text
from pipeline.config.values import CHAMPION
from pipeline.errors import ConfigError, SnapshotMissing, SourceUnavailable
from pipeline.wording import listed

if TYPE_CHECKING:
    from pipeline.authoring.roles import Columns, Known

_MOST_NAMES = 60
_WORDS = {
    "reference": "reference (what the model knows: its training data, scored; a path or s3://...)",
    "production": "production (what it scores; {date} stands for the run date)",
    "labels": "labels (what then came true; {date} stands for the run date)",
}
_MANNERS = "Nothing is written before the last answer. Enter takes what stands in [brackets], - says there is none."


@dataclass(frozen=True)
class Wishes:
    """What `init` was told about a new monitor. What is None is asked for, or guessed."""

    known: Known
    reference: str | None = None
    production: str | None = None
    labels: str | None = None
    owner: str | None = None
    force: bool = False


@dataclass(frozen=True)
class Begun:
    """A new monitor: its files, what its columns were taken for, the newest night there is data of, and what to know
    before running it.
    """

    monitor: Path
    suite: Written
    columns: Columns
    night: date | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Places:
    """Addresses as the monitor file will have them."""

    reference: str
    production: str
    labels: str | None


def init(name: str, wishes: Wishes, today: date, person: Person) -> Begun:
    """A monitor file and its suite, from the data.

    Args:
        name: of the new monitor.
        wishes: what was said about it.
        today: stands for a run date where the addresses have none.
        person: who is asked for what was not said.

    Raises:
        ConfigError: the name, an address or a column is not allowed, or the monitor exists.
        SnapshotMissing, SnapshotUnreadable, SourceUnavailable: the reference cannot be read.
    """
    settings = load_settings(os.environ)
    path = _new_file(name, settings, force=wishes.force)
    person.tell(_MANNERS)
    places = _places(wishes, settings, today, person)
    night = _newest(places.production, settings)
    dates = dated_folders(places.reference, places.production, places.labels or "")
    with local_files(settings, places.reference, night or today, dates) as reference:
        production, labels = (_fields(settings, item, today) for item in (places.production, places.labels))
        columns = _columns(settings, reference, (production, labels), wishes.known, person)
        owner = wishes.owner or person.ask("owner (a person, a team, an address)", "unknown")
        draft = Draft(
            name=name,
            owner=owner,
            reference=places.reference,
            production=places.production,
            labels=places.labels,
            label_delay_days=_delay(night, places.labels, settings),
            **{item.name: getattr(columns, item.name) for item in fields(columns)},
        )
        with _written(path, monitor_text(draft)):
            monitor = monitors.load(name, settings, suite_exists=False)
            suite = suggest_for(settings, monitor, reference, write=True, force=wishes.force)
    notes = tuple(_notes(wishes, places, columns, production))
    return Begun(path, suite, columns, night or (today if production else None), notes)


def _new_file(name: str, settings: Settings, *, force: bool) -> Path:
    problem = _problem_with(Name, name)
    if problem is not None:
        raise ConfigError([f"NAME: {problem}"])
    path = settings.monitors_dir / f"{name}.yaml"
    if path.exists() and not force:
        raise ConfigError([f"{path}: exists; allowed: another name, or --force to write it anew"])
    return path


def _problem_with(kind: Any, value: str) -> str | None:
    """What a monitor file would say about a value."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        return f"found {value!r}; {error.errors()[0]['msg'].removeprefix('Value error, ')}"
    return None


def _places(wishes: Wishes, settings: Settings, today: date, person: Person) -> _Places:
    reference = _place("reference", wishes.reference, person, lambda said: _nothing_at(said, settings, today))
    production = _place("production", wishes.production, person)
    production = _with_date("production", _as_written(production, settings), settings, person)
    labels = wishes.labels
    if labels is None:
        proposal = _beside(production, settings) or NONE
        labels = ask(person, "--labels", _WORDS["labels"], proposal, lambda said: _wrong(said, NONE))
    if labels != NONE:
        labels = _with_date("labels", _as_written(_place("labels", labels, person), settings), settings, person)
    return _Places(_as_written(reference, settings), production, None if labels == NONE else labels)


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
    return None if address in allowed else _problem_with(Location, address)


def _nothing_at(address: str, settings: Settings, day: date) -> str | None:
    from pipeline.snapshots.locations import list_objects

    try:
        list_objects(resolve_location(_as_written(address, settings), day, settings.data_root))
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
    return labels if found and _newest(labels, settings) else None


def _columns(
    settings: Settings,
    reference: Sequence[Path],
    later: tuple[Sequence[str], Sequence[str]],
    known: Known,
    person: Person,
) -> Columns:
    """As guessed; every guess that nobody made up for is put to the person.

    Args:
        settings: how much memory may be used.
        reference: local parquet files.
        later: names of production's columns and of those that arrive with the labels.
        known: what was said.
        person: who is asked.
    """
    from pipeline.authoring.roles import Known, guess_columns, look_at
    from pipeline.checks.quality import Limits

    names = _names(reference)
    said = {item.name: getattr(known, item.name) for item in fields(Known)}

    def wrong(name: str) -> str | None:
        return _no_column(name, names)

    flags = {role: f"--{role.replace('_', '-')}" for role in ROLES}
    problems = [f"{flags[role]}: {problem}" for role, name in said.items() if (problem := wrong(name or NONE))]
    if problems:
        raise ConfigError(problems)
    person.tell("Looking at every row of the reference ...")
    profiles = look_at(reference, Limits(budget_bytes=settings.memory_budget_bytes))
    guessed = guess_columns(profiles, *later, known)
    person.tell(f"The reference has the columns {_listed(names)}.")
    answers = {
        role: ask(person, flags[role], f"{role.replace('_', ' ')} ({words})", getattr(guessed, role) or NONE, wrong)
        for role, words in ROLES.items()
        if said[role] is None
    }
    chosen = said | {role: "" if answer == NONE else answer for role, answer in answers.items()}
    return guess_columns(profiles, *later, Known(**chosen))


def _no_column(name: str, names: Sequence[str]) -> str | None:
    if name == NONE or name in names:
        return None
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"found {name!r}, which is no column of the reference; allowed: {_listed(names)}, or - for none{hint}"


def _listed(names: Sequence[str]) -> str:
    return listed([yaml_text(name) for name in names], _MOST_NAMES)


def _notes(wishes: Wishes, places: _Places, columns: Columns, production: Sequence[str]) -> list[str]:
    """What a person did not say and should know."""
    notes = []
    said = {"production": wishes.production, "labels": wishes.labels}
    for key, address in said.items():
        written = getattr(places, key)
        if written and ("{" in written) > ("{" in (address or "")):
            notes.append(f"{key} taken as {written}, with a folder or file for each date")
    if not production:
        notes.append(
            f"nothing lies at {places.production} yet: what the columns are is guessed from the reference alone"
        )
    absent = [name for name in columns.ignore if production and name not in production]
    if absent:
        notes.append(f"production does not have {_listed(absent)}: listed under columns.ignore, so nobody misses them")
    if places.labels is None or columns.label is None:
        notes.append("without a label and an address of labels, performance is not measured")
    return notes


@contextmanager
def _written(path: Path, text: str) -> Iterator[None]:
    """A file, which is as it was before if what is done with it fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes() if path.exists() else None
    path.write_text(text, encoding="utf-8")
    try:
        yield
    except BaseException:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
        raise


def _fields(settings: Settings, location: str | None, today: date) -> tuple[str, ...]:
    """Names of the columns behind an address on its newest date; none where nothing is there yet."""
    if location is None:
        return ()
    try:
        with local_files(settings, location, _newest(location, settings) or today) as paths:
            return _names(paths)
    except SnapshotMissing:
        return ()


def _names(paths: Sequence[Path]) -> tuple[str, ...]:
    from pipeline.checks.scan import open_table

    return open_table([str(path) for path in paths]).column_names


def _newest(location: str, settings: Settings) -> date | None:
    from pipeline.snapshots.dates import newest_date

    return newest_date(location, settings.data_root)


def _delay(night: date | None, labels: str | None, settings: Settings) -> int:
    """How many days labels are behind production."""
    arrived = _newest(labels, settings) if labels else None
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
