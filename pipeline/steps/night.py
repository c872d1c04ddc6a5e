"""What every step is given: one monitor with its run store, and one date of it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from pipeline.config import Monitor, Settings, load_settings, resolve_location
from pipeline.config import monitor_files as monitors
from pipeline.config.schedule import newest_day
from pipeline.config.values import is_dated
from pipeline.errors import ConfigError, ResultMissing, SnapshotMissing
from pipeline.results import Kept, LabelledDay, RetrainResult
from pipeline.storage.patience import wait_at_most
from pipeline.storage.run_store import RunStore

if TYPE_CHECKING:
    from pipeline.results import Snapshot
    from pipeline.snapshots import Cache
    from pipeline.storage.training_archive import Archive

K = TypeVar("K", bound=Kept)
_RETRAINING = "retraining"


@dataclass(frozen=True)
class Workspace:
    """One monitor, the settings of this machine, and the run store that keeps its results."""

    monitor: Monitor
    settings: Settings
    store: RunStore

    @property
    def name(self) -> str:
        """The monitor's name."""
        return self.monitor.name

    @property
    def tracking_uri(self) -> str:
        """Where MLflow is: as its own variable says, else embedded."""
        return os.environ.get("MLFLOW_TRACKING_URI") or self.settings.embedded_mlflow_uri

    def on(self, run_date: date) -> Night:
        """The monitor on a date."""
        return Night(self.monitor, self.settings, self.store, run_date)

    def nights(self) -> list[date]:
        """Dates with a published night, oldest first."""
        return self.store.nights(self.name)

    @property
    def retraining_place(self) -> str:
        """Where the run store has the monitor's retrainings: published like nights, in a folder of their own."""
        return f"{self.name}/{_RETRAINING}"

    def retrainings(self) -> list[date]:
        """Dates with a published retraining, oldest first."""
        return self.store.nights(self.retraining_place)

    def retraining_on(self, run_date: date) -> RetrainResult | None:
        """The published retraining of a date."""
        return self.store.read_result(self.retraining_place, run_date, RetrainResult.file, RetrainResult)

    def cache(self) -> Cache:
        """Where pinned snapshots are kept on this machine."""
        from pipeline.snapshots import Cache
        from pipeline.storage.scratch import sweep

        with suppress(OSError):  # what is in the way there is told by whoever needs it
            sweep(self.settings.cache_dir)
        return Cache(Path(self.settings.cache_dir), self.settings.cache_max_bytes)

    def archive(self) -> Archive:
        """Where training sets are kept.

        Raises:
            ConfigError: nobody said where.
        """
        from pipeline.storage.training_archive import Archive

        return Archive(self.settings.archive, self.settings.store)

    def pin(self, template: str, day: date, cache: Cache) -> Snapshot:
        """The snapshot that a location of the monitor file means on a day, pinned.

        Raises:
            SnapshotMissing, SnapshotUnreadable, SnapshotChanged, SourceUnavailable: see `pipeline.snapshots.pin`.
        """
        from pipeline.snapshots import pin

        location = resolve_location(template, day, self.settings.data_root)
        sources = self.monitor.snapshots
        return pin(location, cache, sources.dated_folders, sources.settle, sources.complete)

    def pin_if_there(self, template: str | None, day: date, cache: Cache) -> Snapshot | None:
        """The same; None where there is no such location, or nothing at it yet."""
        try:
            return self.pin(template, day, cache) if template else None
        except SnapshotMissing:
            return None

    def state(self, template: str, day: date) -> str | None:
        """What a listing of a location on a day looks like, see `pipeline.snapshots.state_at`; None without objects.

        Raises:
            SnapshotUnreadable, SourceUnavailable: see `pipeline.snapshots.state_at`.
        """
        from pipeline.snapshots import state_at

        try:
            return state_at(resolve_location(template, day, self.settings.data_root))
        except SnapshotMissing:
            return None

    def read_labelled(self, day: date) -> LabelledDay | None:
        """What is kept of a day's predictions and the labels that have come; None where nothing is that can be read."""
        content = self.store.read_page(self._labelled_key(day))
        if content is None:
            content = self.store.read_page(self._labelled_key_before(day))
        try:
            return None if content is None else LabelledDay.model_validate_json(content)
        except ValidationError:
            return None  # another version kept something else: it is measured anew

    def keep_labelled(self, found: LabelledDay) -> None:
        """Keep what was measured of a day's predictions, in place of what was known before."""
        self.store.write_page(self._labelled_key(found.day), found.to_json())
        self.store.remove_page(self._labelled_key_before(found.day))

    def labelled_days(self) -> list[date]:
        """Days of which something is kept by `keep_labelled`, oldest first."""
        return self.store.days(f"{self.name}/.{LabelledDay.file}")

    def forget_labelled(self, day: date) -> None:
        """Remove what is kept of a day's predictions and labels."""
        self.store.remove_page(self._labelled_key(day))
        self.store.remove_page(self._labelled_key_before(day))

    def _labelled_key(self, day: date) -> str:
        """Not among the pages: of a day with few rows, sums over labels are labels."""
        return f"{self.name}/.{LabelledDay.file}/{day}.json"

    def _labelled_key_before(self, day: date) -> str:
        """Where earlier versions kept it."""
        return f"{self.name}/{LabelledDay.file}/{day}.json"


@dataclass(frozen=True)
class Night(Workspace):
    """One monitor on one date."""

    run_date: date

    def save(self, result: Kept) -> None:
        """Keep a step's result for the steps after it."""
        self.store.save(self.name, self.run_date, result.file, result)

    def load(self, kind: type[K]) -> K:
        """The result an earlier step kept.

        Raises:
            ResultMissing: no step has kept it, or it cannot be read; says which step to run again.
        """
        return self.store.load(self.name, self.run_date, kind.file, kind)

    def read(self, kind: type[K]) -> K | None:
        """A result of the published night; None when there is none, or a version that kept less wrote it."""
        return self.store.read_result(self.name, self.run_date, kind.file, kind)

    def publish(self, files: Mapping[str, bytes]) -> None:
        """Put files in place of whatever was published for the date, whole."""
        self.store.publish_night(self.name, self.run_date, files)

    def replace(self, files: Mapping[str, bytes]) -> bool:
        """Put some files in place of those in the published night; whether anything changed."""
        return self.store.replace_in_night(self.name, self.run_date, files)

    def files(self, names: Collection[str] | None = None) -> dict[str, bytes] | None:
        """Files of the published night, from one publication; None when there is none."""
        return self.store.read_night(self.name, self.run_date, names)

    def published(self) -> dict[str, bytes]:
        """All files of the published night.

        Raises:
            ResultMissing: it is not published.
        """
        files = self.files()
        if files is None:
            raise ResultMissing(f"{self.uri()}: the night is not published: run render_report")
        return files

    def uri(self, name: str = "") -> str:
        """Where a file of the published night lies: a path or an s3:// address."""
        return self.store.night_uri(self.name, self.run_date, name)

    def earlier(self) -> list[Night]:
        """The published nights before this one, oldest first."""
        return [self.on(day) for day in self.nights() if day < self.run_date]


def open_workspace(name: str) -> Workspace:
    """A monitor, with settings from the environment.

    Raises:
        ConfigError: a variable or the monitor file is wrong.
    """
    settings = load_settings(os.environ)
    wait_at_most(settings.outlet_seconds, settings.snapshot_seconds)
    return Workspace(monitors.load(name, settings), settings, RunStore(settings.store))


def open_night(name: str, run_date: date) -> Night:
    """The night of a monitor, with settings from the environment.

    Raises:
        ConfigError: a variable or the monitor file is wrong, or nobody has data of that day yet.
    """
    night = open_workspace(name).on(run_date)
    newest = newest_day(datetime.now(UTC))
    if run_date > newest and not is_dated(night.monitor.snapshots.production):
        words = "that day has not begun, and what lies at snapshots.production, which has no {date}, is of another"
        raise ConfigError([f"{name}: the run date {run_date}: {words}; allowed: up to {newest}"])
    return night
