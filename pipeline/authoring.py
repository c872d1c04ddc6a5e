"""Writes what a person would otherwise write by hand: a suite from the reference, a monitor file from the data.

Nothing that exists is overwritten unless asked for, and what a person changed in a suggested suite stays.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import monitors
from pipeline.config import Monitor, Settings, load_settings, resolve_location
from pipeline.errors import ConfigError, SnapshotMissing
from pipeline.monitor_file import Draft, monitor_text

if TYPE_CHECKING:
    from pipeline.checks.quality.merge import Merge
    from pipeline.checks.quality.roles import Columns, Known

Ask = Callable[[str, str], str]
"""(question, proposal) -> answer: the proposal where nothing else is said."""


@dataclass(frozen=True)
class Written:
    """What became of a suite file: where it is, whether it was written, what differs, and a word on it."""

    path: Path
    written: bool
    difference: str
    words: str


@dataclass(frozen=True)
class Wishes:
    """What `init` was told about a new monitor. Roles that are None are guessed."""

    reference: str
    production: str
    known: Known
    labels: str | None = None
    owner: str | None = None
    force: bool = False


@dataclass(frozen=True)
class Begun:
    """A new monitor: its files, what its columns were taken for, and the newest night there is data of."""

    monitor: Path
    suite: Written
    columns: Columns
    night: date | None


def suggest(name: str, day: date, *, write: bool, force: bool) -> Written:
    """A suite for a monitor from its reference.

    A file that is not there yet is written. One that is there changes only with `write`, which leaves entries that a
    person wrote, changed or removed as they are, or with `force`, which replaces the file.

    Raises:
        ConfigError: the monitor file or the existing suite is wrong.
        SnapshotMissing, SnapshotUnreadable, SourceUnavailable: the reference cannot be read.
    """
    settings = load_settings(os.environ)
    monitor = monitors.load(name, settings, suite_exists=False)
    with _local(settings, monitor.snapshots.base, day) as reference:
        return _suggest(settings, monitor, reference, write=write, force=force)


def init(name: str, wishes: Wishes, today: date, ask: Ask) -> Begun:
    """A monitor file and its suite, from the data.

    Args:
        name: of the new monitor.
        wishes: what was said about it.
        today: stands for a run date where the addresses have none.
        ask: puts a question to a person, or answers with the proposal.

    Raises:
        ConfigError: the name or an address is not allowed, or the monitor exists.
        SnapshotMissing, SnapshotUnreadable, SourceUnavailable: the reference cannot be read.
    """
    settings = load_settings(os.environ)
    path = settings.monitors_dir / f"{name}.yaml"
    if path.exists() and not wishes.force:
        raise ConfigError([f"{path}: exists; allowed: another name, or --force to write it anew"])
    reference, production = (_as_written(item, settings) for item in (wishes.reference, wishes.production))
    labels = _as_written(wishes.labels, settings) if wishes.labels else None
    night = _newest(production, settings)
    with _local(settings, reference, night or today) as paths:
        columns = _columns(settings, paths, (production, labels), wishes.known, ask)
        draft = Draft(
            name=name,
            owner=wishes.owner or ask("Who owns this model: a person, a team, an address", "unknown"),
            reference=reference,
            production=production,
            labels=labels,
            label_delay_days=_delay(night, labels, settings),
            **{item.name: getattr(columns, item.name) for item in fields(columns)},
        )
        monitor = _write_monitor(path, monitor_text(draft), settings)
        suite = _suggest(settings, monitor, paths, write=True, force=wishes.force)
    return Begun(path, suite, columns, night)


def _suggest(settings: Settings, monitor: Monitor, reference: Sequence[Path], *, write: bool, force: bool) -> Written:
    from pipeline.checks.quality import Limits
    from pipeline.checks.quality.merge import merge, suite_text
    from pipeline.checks.quality.suggest import suggest_suite

    path = settings.expectations_dir / f"{monitor.quality.suite}.json"
    existing = _read_suite(path)
    limits = Limits(budget_bytes=settings.memory_budget_bytes)
    suggestion = suggest_suite(monitor.quality.suite, monitor.columns, reference, limits)
    merged = merge(existing or {"name": path.stem}, suggestion.content)
    content = suggestion.content if existing is None or force else merged.content
    before, after = "" if existing is None else suite_text(existing), suite_text(content)
    words = f"holds on all {suggestion.rows:,} rows of the reference"
    if suggestion.left_out:
        words += f" ({suggestion.left_out} left out that do not)"
    if existing is not None and not force:
        words += f"; {_merge_words(merged)}"
    written = existing is None or ((write or force) and before != after)
    if written:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(after, encoding="utf-8")
    difference = "" if existing is None else _difference(before, after, path)
    return Written(path, written, difference, f"{len(content['expectations'])} expectations; the suggestion {words}")


def _read_suite(path: Path) -> dict[str, Any] | None:
    """The file as it is; a broken one is not overwritten but reported."""
    from pipeline.checks.quality import load_suite

    if not path.exists():
        return None
    load_suite(path)
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _merge_words(merged: Merge) -> str:
    parts = (
        (merged.added, "new"),
        (merged.renewed, "renewed"),
        (merged.dropped, "no longer suggested"),
        (merged.kept, "written or changed by hand, kept"),
        (merged.removed_before, "removed by hand, not suggested again"),
    )
    return ", ".join(f"{number} {words}" for number, words in parts if number) or "nothing new"


def _difference(before: str, after: str, path: Path) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), "suggested", lineterm="", n=2)
    return "\n".join(lines)


def _write_monitor(path: Path, text: str, settings: Settings) -> Monitor:
    """Written first and read like any monitor file, so that it says what is wrong with it; removed again if it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_bytes() if path.exists() else None
    path.write_text(text, encoding="utf-8")
    try:
        return monitors.load(path.stem, settings, suite_exists=False)
    except ConfigError:
        if before is None:
            path.unlink()
        else:
            path.write_bytes(before)
        raise


def _columns(
    settings: Settings, reference: Sequence[Path], later: Sequence[str | None], known: Known, ask: Ask
) -> Columns:
    """As guessed; every guess that nobody made up for is put to the person."""
    from pipeline.checks.quality import Limits
    from pipeline.checks.quality.roles import Known, guess_columns

    limits = Limits(budget_bytes=settings.memory_budget_bytes)
    production, labels = (_fields(settings, item) if item else () for item in later)
    guessed = guess_columns(reference, production, labels, known, limits)
    answers = {
        item.name: getattr(known, item.name)
        if getattr(known, item.name) is not None
        else ask(f"Which column is the {item.name.replace('_', ' ')} (- for none)", getattr(guessed, item.name) or "-")
        for item in fields(Known)
    }
    said = Known(**{role: "" if answer == "-" else answer for role, answer in answers.items()})
    return guessed if said == known else guess_columns(reference, production, labels, said, limits)


def _fields(settings: Settings, location: str) -> tuple[str, ...]:
    """Names of the columns behind an address on its newest date; none where nothing is there yet."""
    day = _newest(location, settings) or date.min
    try:
        with _local(settings, location, day) as paths:
            from pipeline.checks.scan import open_table

            return open_table([str(path) for path in paths]).column_names
    except SnapshotMissing:
        return ()


@contextmanager
def _local(settings: Settings, location: str, day: date) -> Iterator[list[Path]]:
    from pipeline.snapshots import Cache, open_snapshot, pin

    cache = Cache(settings.cache_dir, settings.cache_max_bytes)
    snapshot = pin(resolve_location(location, day, settings.data_root), cache)
    with open_snapshot(snapshot, cache) as paths:
        yield paths


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
    return str(found.relative_to(root) if found.is_relative_to(root) else found) + slash


def _fixed_part(path: Path) -> Path:
    """The folder that does not depend on a date or a pattern."""
    fixed = re.split(r"[{*?\[]", str(path))[0]
    return path if fixed == str(path) else Path(fixed).parent if not fixed.endswith("/") else Path(fixed)
