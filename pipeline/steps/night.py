"""A night: one monitor on one date, and where its data comes from and its results go. What every step is given."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import Monitor, Settings, load_settings, resolve_location
from pipeline.config import monitor_files as monitors
from pipeline.errors import SnapshotMissing
from pipeline.storage.run_store import RunStore

if TYPE_CHECKING:
    from pipeline.results import Snapshot
    from pipeline.snapshots import Cache


@dataclass(frozen=True)
class Night:
    """One monitor on one date, and where its results go."""

    monitor: Monitor
    settings: Settings
    run_date: date
    store: RunStore

    @property
    def name(self) -> str:
        """The monitor's name."""
        return self.monitor.name

    @property
    def tracking_uri(self) -> str:
        """Where MLflow is: as its own variable says, else embedded."""
        return os.environ.get("MLFLOW_TRACKING_URI") or self.settings.embedded_mlflow_uri

    def cache(self) -> Cache:
        """Where pinned snapshots are kept on this machine."""
        from pipeline.snapshots import Cache

        return Cache(Path(self.settings.cache_dir), self.settings.cache_max_bytes)

    def pin(self, template: str, day: date, cache: Cache) -> Snapshot:
        """The snapshot that a location of the monitor file means on a day, pinned.

        Raises:
            SnapshotMissing, SnapshotUnreadable, SnapshotChanged, SourceUnavailable: see `pipeline.snapshots.pin`.
        """
        from pipeline.snapshots import pin

        return pin(resolve_location(template, day, self.settings.data_root), cache)

    def pin_if_there(self, template: str | None, day: date, cache: Cache) -> Snapshot | None:
        """The same; None where there is no such location, or nothing at it yet."""
        try:
            return self.pin(template, day, cache) if template else None
        except SnapshotMissing:
            return None


def open_night(name: str, run_date: date) -> Night:
    """The night of a monitor, with settings from the environment.

    Raises:
        ConfigError: a variable or the monitor file is wrong.
    """
    settings = load_settings(os.environ)
    return Night(monitors.load(name, settings), settings, run_date, RunStore(settings.store))
