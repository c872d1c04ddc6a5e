"""Moves the champion outside a retraining (`promote`, `rollback`, a probation that went wrong), and tells serving.

Who comes next first tells what an interrupted move left untold; see `conclusion.untold`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.config import Monitor
from pipeline.errors import ConfigError
from pipeline.results import AliasChange, RetrainResult
from pipeline.retrain.champion import promotion
from pipeline.retrain.champion.conclusion import as_it_stands, people_told, tell_serving, untold
from pipeline.retrain.champion.promotion import OUTCOME, Occasion, change_of, move_of, settle
from pipeline.retrain.champion.registry import CHAMPION, Registry
from pipeline.storage.lease import Lease
from pipeline.storage.run_store import RunStore

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0


def promote(monitor: Monitor, store_uri: str, tracking_uri: str, number: str, occasion: Occasion) -> AliasChange:
    """Make a version champion, and tell serving. Of one that is champion, what is untold is told.

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
        return _told(registry, monitor, promotion.promote(registry, version, lease, occasion))


def rollback(
    monitor: Monitor, store_uri: str, tracking_uri: str, stepping_from: str | None, occasion: Occasion
) -> AliasChange:
    """Put the previous champion back, and tell serving.

    Where it was put back already, what is untold of that is told, and nothing else is done: that is so when
    `stepping_from` names a version that was stepped back from, and, without a name, while the last rollback is untold.

    Raises:
        ConfigError: there is no champion, or none before it; or `stepping_from` never was.
        ModelTampered: the files of the previous one are not the registered ones.
        StoreBusy: a retraining is going on.
    """
    with _held(monitor, store_uri, tracking_uri) as (registry, lease):
        left = untold(registry, monitor.retrain.after_promotion)
        if stepping_from is None and left is not None and left.event == "rolled_back":
            log.info("%s: finishing the rollback that was interrupted", monitor.name)
            stepping_from = left.previous_version
        return _told(registry, monitor, promotion.roll_back(registry, lease, stepping_from, occasion))


def finish(monitor: Monitor, store_uri: str, tracking_uri: str) -> AliasChange | None:
    """Tell serving what an interrupted move left untold, and say what people are to be told; None when all was told.

    Raises:
        StoreBusy: somebody is about to move the champion, or to tell of it.
    """
    policy = monitor.retrain.after_promotion
    if (
        untold(Registry(monitor.name, tracking_uri, RunStore(store_uri)), policy) is None
    ):  # so that a night waits for nobody
        return None
    with _held(monitor, store_uri, tracking_uri) as (registry, _):
        champion = settle(registry)
        if champion is None or untold(registry, policy) is None:
            return None
        return change_of(registry, champion).model_copy(update={"told": tell_serving(registry, champion, policy)})


def _told(registry: Registry, monitor: Monitor, change: AliasChange) -> AliasChange:
    """The change as it is told; one that was made before, and of which somebody was not told, is what it was."""
    champion = registry.at(CHAMPION)
    if champion is None or (change.event == "unchanged" and move_of(champion) is None):
        return change
    left = untold(registry, monitor.retrain.after_promotion)
    if left is None:
        return change
    return left.model_copy(update={"told": tell_serving(registry, champion, monitor.retrain.after_promotion)})


def people_know(registry: Registry) -> bool:
    """Whether people were told of the champion's last move."""
    champion = registry.at(CHAMPION)
    return champion is None or people_told(champion)


def retrainings_of(registry: Registry, change: AliasChange) -> list[RetrainResult]:
    """The retrainings that a change is about, as they stand now: of the new champion and of the one before."""
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
    store = RunStore(store_uri)
    with store.alone_retraining(monitor.name, PATIENCE_SECONDS) as lease:
        yield Registry(monitor.name, tracking_uri, store), lease
