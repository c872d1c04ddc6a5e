"""What a person does to the champion: `promote MONITOR VERSION` and `rollback MONITOR`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.config import Monitor
from pipeline.errors import ConfigError
from pipeline.results import AliasChange, RetrainResult
from pipeline.retrain.champion import promotion
from pipeline.retrain.champion.conclusion import as_it_stands, tell_change
from pipeline.retrain.champion.promotion import OUTCOME
from pipeline.retrain.champion.registry import Registry
from pipeline.storage.lease import Lease
from pipeline.storage.run_store import RunStore

_PATIENCE_SECONDS = 60.0


def promote(monitor: Monitor, store_uri: str, tracking_uri: str, number: str) -> AliasChange:
    """Make a version champion, and tell serving.

    Raises:
        ConfigError: there is no such version.
        ModelTampered: its files are not the registered ones.
        StoreBusy: a retraining is going on.
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
        StoreBusy: a retraining is going on.
    """
    with _held(monitor, store_uri, tracking_uri) as (registry, lease):
        change = promotion.roll_back(registry, lease)
        return tell_change(change, monitor.retrain.after_promotion)


def retrainings_of(monitor: Monitor, tracking_uri: str, change: AliasChange) -> list[RetrainResult]:
    """The retrainings that a change is about, as they stand now: of the new champion and of the one before."""
    registry = Registry(monitor.name, tracking_uri)
    found: list[RetrainResult] = []
    for number in filter(None, (change.version, change.previous_version)):
        version = registry.version(number)
        content = None if version is None else registry.result_of(version)
        if version is not None and content is not None:
            result = RetrainResult.model_validate_json(content)
            found.append(as_it_stands(registry, version, result, version.tags.get(OUTCOME, "")))
    return found


@contextmanager
def _held(monitor: Monitor, store_uri: str, tracking_uri: str) -> Iterator[tuple[Registry, Lease]]:
    with RunStore(store_uri).alone_retraining(monitor.name, _PATIENCE_SECONDS) as lease:
        yield Registry(monitor.name, tracking_uri), lease
