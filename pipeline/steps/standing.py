"""What the retraining loop says of a night: its reference, the champion's importances, reasons to wait."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

from pipeline.config import CHAMPION
from pipeline.errors import OutletRefused, OutletUnavailable, SnapshotChanged
from pipeline.results import PerformanceResult, RetrainResult, Snapshot, SnapshotPair
from pipeline.steps import pages as site

if TYPE_CHECKING:
    from pipeline.checks.policy import Circumstances
    from pipeline.retrain.champion.registry import Registry, Version
    from pipeline.snapshots import Cache
    from pipeline.steps.night import Night

log = logging.getLogger(__name__)


def reference(night: Night, cache: Cache) -> Snapshot:
    """The reference of a night, pinned: for `reference: champion` the training set of the champion of that date.

    Raises:
        SnapshotChanged: the training set is not the one the champion was registered with.
        OutletUnavailable: the registry does not answer, so nobody knows which reference is right.
    """
    from pipeline.snapshots import pin

    if night.monitor.snapshots.reference == CHAMPION:
        _, champion = _champion(night)
        if champion is not None and "training_uri" in champion.tags:
            found = pin(champion.tags["training_uri"], cache)
            if [item.sha256 for item in found.objects] != [champion.tags["training_sha256"]]:
                raise SnapshotChanged(
                    f"{found.uri}: not the training set that version {champion.number} was registered with; "
                    "restore it, or roll back"
                )
            return found
    return night.pin(night.monitor.snapshots.base, night.run_date, cache)


def importances(night: Night) -> dict[str, float]:
    """How much the champion of a night's date relies on each of its features; empty where no champion says so.

    Raises:
        OutletUnavailable, OutletRefused: the registry does not answer, and the drift share is to be weighted by it.
    """
    if "MLFLOW_TRACKING_URI" not in os.environ and not night.settings.embedded_mlflow_path.exists():
        return {}
    try:
        registry, champion = _champion(night)
        content = None if champion is None else registry.result_of(champion)
    except (OutletUnavailable, OutletRefused) as error:
        if night.monitor.drift.share == "importance":
            raise
        log.warning("the champion's importances are not known: %s", error)
        return {}
    lineage = None if content is None else RetrainResult.model_validate_json(content).lineage
    return {} if lineage is None else lineage.importances


def _champion(night: Night) -> tuple[Registry, Version | None]:
    from pipeline.retrain.champion.promotion import champion_of
    from pipeline.retrain.champion.registry import Registry

    registry = Registry(night.name, night.tracking_uri)
    return registry, champion_of(registry, night.run_date)


def circumstances(night: Night, pair: SnapshotPair, performance: PerformanceResult, backfill: bool) -> Circumstances:
    """What the retraining policy needs to know beside tonight's quality and drift. Only earlier nights count, so that
    a rerun decides the same.

    Args:
        night: the night to decide on.
        pair: its snapshots.
        performance: its performance, for how many labels came tonight.
        backfill: an old night is run again, and nobody said that it may retrain.
    """
    from pipeline.checks.policy import Circumstances
    from pipeline.steps import history

    store, monitor, day = night.store, night.monitor, night.run_date
    earlier = [found for found in store.nights(night.name) if found < day]
    retrained = store.nights(f"{night.name}/{site.RETRAINING}")
    return Circumstances(
        run_date=day,
        rows=pair.production.rows,
        labelled_rows=history.labelled_rows(store, monitor, earlier, day, performance),
        over_before=history.over_before(store, monitor, earlier),
        last_request=history.last_request(store, monitor, earlier, day, retrained),
        backfill=backfill,
    )
