"""A new monitor from its data: what nobody said is guessed, and put to the person at the terminal, if there is one."""

from __future__ import annotations

import os
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.authoring.interview import Person
from pipeline.authoring.monitor_text import ROLES, Draft, monitor_text
from pipeline.authoring.newest_nights import local_files, newest_nights
from pipeline.authoring.places import (
    MARKER,
    Places,
    Said,
    are_marked,
    ask_places,
    delay,
    names_at,
    newest,
    problem_with,
)
from pipeline.authoring.questions import (
    Choices,
    ask_alarms,
    ask_champion,
    ask_columns,
    ask_people,
    ask_positive,
    ask_task,
    names_listed,
)
from pipeline.authoring.suite_file import Written, suggest_for
from pipeline.config import Name, Settings, dated_folders, load_settings
from pipeline.config import monitor_files as monitors
from pipeline.config.files import replacing
from pipeline.errors import ConfigError
from pipeline.storage.patience import wait_at_most
from pipeline.wording import count

if TYPE_CHECKING:
    from pipeline.authoring.comparison import Fitting
    from pipeline.authoring.evidence import Evidence
    from pipeline.authoring.roles import Columns, Known
    from pipeline.checks.scan import Key
    from pipeline.results import Kind

_MANNERS = "Nothing is written before the last answer. Enter takes what stands in [brackets], - says there is none."


@dataclass(frozen=True)
class Wishes:
    """What `init` was told about a new monitor. What is None is asked for, or guessed."""

    known: Known
    places: Said = field(default_factory=Said)
    choices: Choices = field(default_factory=Choices)
    force: bool = False


@dataclass(frozen=True)
class Begun:
    """A new monitor: its files, what its columns were taken for, its budget of alarms (None for fixed thresholds) and
    what nights are held against, the newest night there is data of, and what to know before running it.
    """

    monitor: Path
    suite: Written
    columns: Columns
    positive: Key | None
    task: str | None
    night: date | None
    notes: tuple[str, ...]
    alarms: int | None
    fitting: Fitting


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
    from pipeline.authoring.built_in import checks_for
    from pipeline.authoring.comparison import fitting
    from pipeline.authoring.evidence import gather
    from pipeline.checks.quality import Limits

    settings = load_settings(os.environ)
    wait_at_most(settings.outlet_seconds, settings.snapshot_seconds)
    path = _new_file(name, settings, force=wishes.force)
    person.tell(_MANNERS)
    places = ask_places(wishes.places, settings, today, person)
    night = newest(places.production, settings)
    dates = dated_folders(places.reference, places.production, places.labels or "")
    limits = Limits(budget_bytes=settings.memory_budget_bytes)
    with ExitStack() as stack:
        reference = stack.enter_context(local_files(settings, places.reference, night or today, dates))
        person.tell("Looking at every row of the reference, and at the newest nights ...")
        production, labels = (names_at(settings, item, today, dates) for item in (places.production, places.labels))
        found = newest_nights(settings, places.production, today, limits, dates) if production else nullcontext(())
        nights = stack.enter_context(found)
        evidence = gather(reference, limits, production=production, labels=labels, nights=nights)
        columns = ask_columns(evidence, wishes.known, person)
        task = ask_task(evidence, columns, wishes.choices.task, person)
        positive, notes = ask_positive(evidence, columns, task, wishes.choices.positive, person)
        follows = ask_champion(wishes.choices.champion, _may_be_trained(places, columns), person)
        owner, email, when = ask_people(wishes.choices, person)
        alarms, fits = ask_alarms(wishes.choices.alarms, person), fitting(evidence, columns)
        min_rows, said_rows, nights_over = _least_rows(evidence, columns, wishes.choices.min_rows, alarms)
        draft = Draft(
            name=name,
            owner=owner,
            reference=places.reference,
            production=places.production,
            labels=places.labels,
            complete=MARKER if are_marked(places, settings, today) else None,
            **{role: getattr(columns, role) for role in ROLES},
            numerical=columns.numerical,
            categorical=columns.categorical,
            ignore=columns.ignore,
            lists=columns.lists,
            label_delay_days=delay(night, places.labels, settings),
            scores=columns.scores,
            positive=positive,
            task=task,
            champion=follows,
            min_rows=min_rows,
            min_rows_words=said_rows,
            nights_over=nights_over,
            email=email,
            when=when,
            checks=checks_for(evidence, columns),
            alarms=alarms,
            against=fits.against,
            against_words=f"{fits.words}, as {fits.why}",
        )
        with replacing(path) as part:  # the last of both, so that whoever is interrupted can begin anew
            part.write_text(monitor_text(draft), encoding="utf-8")
            monitor = monitors.load_version(part, name)
            suite = suggest_for(settings, monitor, reference, nights, write=True, force=wishes.force)
            _new_file(name, settings, force=wishes.force)  # somebody may have made one meanwhile
    notes += _notes(wishes.places, places, evidence, columns)
    if nights and max(item.rows for item in nights) < min_rows:
        most = count(max(item.rows for item in nights), "row")
        notes.append(f"nights have at most {most}, fewer than min_rows ({count(min_rows)}): none asks for retraining")
    newest_night = night or (today if production else None)
    return Begun(path, suite, columns, positive, task, newest_night, tuple(notes), alarms, fits)


def _new_file(name: str, settings: Settings, *, force: bool) -> Path:
    problem = problem_with(Name, name)
    if problem is not None:
        raise ConfigError([f"NAME: {problem}"])
    path = settings.monitors_dir / f"{name}.yaml"
    if path.exists() and not force:
        raise ConfigError([f"{path}: exists; allowed: another name, or --force to write it anew"])
    return path


def _may_be_trained(places: Places, columns: Columns) -> bool:
    return places.labels is not None and columns.label is not None and columns.id is not None


def _least_rows(evidence: Evidence, columns: Columns, said: int | None, alarms: int | None) -> tuple[int, str, str]:
    """`min_rows`, why, and why one night over the limit is not enough, where it is not."""
    from pipeline.authoring.quiet import SIZES, least_rows

    if said is not None:
        return said, "a night of fewer rows asks for no retraining", ""
    if alarms is not None:
        return 0, "drift.alarms tells by itself from how many rows on a night says anything", ""
    kinds: dict[str, Kind] = dict.fromkeys(columns.numerical, "numerical")
    kinds |= dict.fromkeys(columns.categorical, "categorical")
    found = least_rows(evidence, kinds)
    if found is None:
        words = f"of so few columns as {count(len(kinds))}, chance alone takes some nights over the limit"
        return SIZES[3], "a night of fewer rows asks for no retraining", words
    return found, "on fewer rows chance alone takes nights over the limit: drawn from the reference", ""


def _notes(said: Said, places: Places, evidence: Evidence, columns: Columns) -> list[str]:
    """What a person did not say and should know."""
    from pipeline.authoring.roles import repeating_ids

    notes = []
    for key in ("production", "labels"):
        written = getattr(places, key)
        if written and ("{" in written) > ("{" in (getattr(said, key) or "")):
            notes.append(f"{key} taken as {written}, with a folder or file for each date")
    if not evidence.production:
        notes.append(
            f"nothing lies at {places.production} yet: what the columns are is guessed from the reference alone"
        )
    absent = [name for name in columns.ignore if evidence.absent(name)]
    if absent:
        listed = names_listed(absent)
        notes.append(f"production does not have {listed}: listed under columns.ignore, so nobody misses them")
    if absent and columns.label is None:
        notes.append("if one of these is the truth that comes later, say so with --label")
    if columns.lists:
        listed = names_listed(columns.lists)
        notes.append(f"nothing looks at lists of numbers ({listed}) without together under drift; docs/together.md")
    if columns.id is None and (repeating := repeating_ids(evidence, columns)):
        notes.append(f"no column differs in every row: {names_listed(repeating)} cannot be the id")
    if places.labels is None or columns.label is None:
        notes.append("without a label and an address of labels, performance is not measured")
    return notes
