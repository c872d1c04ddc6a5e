"""A suite from the reference, in place of one written by hand; what a person changed in it stays."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.authoring.newest_nights import local_files, newest_nights
from pipeline.config import Monitor, Settings, load_settings
from pipeline.config import monitor_files as monitors
from pipeline.config.files import write_text
from pipeline.storage.patience import wait_at_most
from pipeline.wording import count

if TYPE_CHECKING:
    from pipeline.authoring.merge import Merge
    from pipeline.authoring.observe import Night


@dataclass(frozen=True)
class Written:
    """What became of a suite file: where it is, whether it was written, what differs, and a word on it."""

    path: Path
    written: bool
    difference: str
    words: str


def suggest(name: str, day: date, *, write: bool, force: bool) -> Written:
    """A suite for a monitor from its reference.

    A file that is not there yet is written. One that is there changes only with `write`, which leaves entries that a
    person wrote, changed or removed as they are, or with `force`, which replaces the file.

    Raises:
        ConfigError: the monitor file or the existing suite is wrong.
        SnapshotMissing, SnapshotUnreadable, SourceUnavailable: the reference cannot be read.
    """
    from pipeline.checks.quality import Limits

    settings = load_settings(os.environ)
    wait_at_most(settings.outlet_seconds, settings.snapshot_seconds)
    monitor = monitors.load(name, settings, suite_exists=False)
    sources = monitor.snapshots
    limits = Limits(budget_bytes=settings.memory_budget_bytes)
    with (
        local_files(settings, sources.base, day, sources.dated_folders) as reference,
        newest_nights(settings, sources.production, day, limits, sources.dated_folders) as nights,
    ):
        return suggest_for(settings, monitor, reference, nights, write=write, force=force)


def suggest_for(
    settings: Settings,
    monitor: Monitor,
    reference: Sequence[Path],
    nights: Sequence[Night] = (),
    *,
    write: bool,
    force: bool,
) -> Written:
    """A suite for a monitor whose reference, and some nights of whose production, are at hand; see `suggest`.

    Raises:
        ConfigError: the existing suite is wrong.
        SnapshotUnreadable: a file is damaged.
    """
    from pipeline.authoring.merge import merge, suite_text
    from pipeline.authoring.suggest import suggest_suite
    from pipeline.checks.quality import Limits

    path = settings.expectations_dir / f"{monitor.quality.suite}.json"
    _read_suite(path)  # what is wrong with it is told before anybody has to wait
    limits = Limits(budget_bytes=settings.memory_budget_bytes)
    suggestion = suggest_suite(monitor.quality.suite, monitor.columns, reference, limits, nights)
    existing = _read_suite(path)  # as it is by now: a person may be at work on it
    merged = merge(existing or {"name": path.stem}, suggestion.content)
    content = suggestion.content if existing is None or force else merged.content
    before, after = "" if existing is None else suite_text(existing), suite_text(content)
    words = f"holds on all {count(suggestion.rows, 'row')} of the reference"
    if nights:
        words += f" and on {count(len(nights), 'night')}"
    if suggestion.left_out:
        words += f" ({count(suggestion.left_out)} left out that do not)"
    if existing is not None and not force:
        words += f"; {_merge_words(merged)}"
    written = existing is None or ((write or force) and before != after)
    if written:
        write_text(path, after)
    difference = "" if existing is None else _difference(before, after, path)
    expectations = count(len(content["expectations"]), "expectation")
    return Written(path, written, difference, f"{expectations}; the suggestion {words}")


def _read_suite(path: Path) -> dict[str, Any] | None:
    """The file as it is; a broken one is not overwritten but reported."""
    from pipeline.checks.quality import build_suite, load_suite, suite_content

    if not path.exists():
        return None
    suite = load_suite(path)
    build_suite(suite)
    return suite_content(suite)


def _merge_words(merged: Merge) -> str:
    parts = (
        (merged.added, "new"),
        (merged.renewed, "renewed"),
        (merged.dropped, "no longer suggested"),
        (merged.kept, "written or changed by hand, kept"),
        (merged.removed_before, "removed by hand, not suggested again"),
    )
    return ", ".join(f"{count(many)} {words}" for many, words in parts if many) or "nothing new"


def _difference(before: str, after: str, path: Path) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), str(path), "suggested", lineterm="", n=2)
    return "\n".join(lines)
