"""What a person does to the champion: `promote MONITOR VERSION` and `rollback MONITOR`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.config import Monitor
from pipeline.errors import ConfigError
from pipeline.retrain import promotion
from pipeline.retrain.conclusion import tell_change
from pipeline.retrain.lease import Lease, hold
from pipeline.retrain.promotion import AliasChange
from pipeline.retrain.registry import Registry

_PATIENCE_SECONDS = 60.0


def promote(monitor: Monitor, store_uri: str, tracking_uri: str, number: str) -> AliasChange:
    """Make a version champion, and tell serving.

    Raises:
        ConfigError: there is no such version.
        ModelTampered: its files are not the registered ones.
        RetrainingBusy: a retraining is going on.
    """
    with _held(monitor, store_uri, tracking_uri) as (registry, lease):
        version = registry.version(number)
        if version is None:
            present = ", ".join(registry.numbers()[-20:]) or "none yet: retrain first"
            raise ConfigError([f"{monitor.name}: found no version {number!r}; allowed: {present}"])
        change = promotion.promote(registry, version, lease)
        return tell_change(change, monitor.retrain.after_promotion)


def rollback(monitor: Monitor, store_uri: str, tracking_uri: str) -> AliasChange:
    """Put the previous champion back, and tell serving.

    Raises:
        ConfigError: there is no champion, or none before it.
        ModelTampered: the files of the previous one are not the registered ones.
        RetrainingBusy: a retraining is going on.
    """
    with _held(monitor, store_uri, tracking_uri) as (registry, lease):
        change = promotion.roll_back(registry, lease)
        return tell_change(change, monitor.retrain.after_promotion)


@contextmanager
def _held(monitor: Monitor, store_uri: str, tracking_uri: str) -> Iterator[tuple[Registry, Lease]]:
    with hold(store_uri, monitor.name, _PATIENCE_SECONDS) as lease:
        yield Registry(monitor.name, tracking_uri), lease
