"""What the retraining loop says of a night: its reference, the champion's importances, reasons to wait."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.errors import OutletRefused, OutletUnavailable, ResultMissing, SnapshotChanged
from pipeline.results import Cause, Decision, DriftResult, ProbationResult, RetrainResult, Snapshot, SnapshotPair
from pipeline.steps.registered import registry_of

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

    if night.monitor.snapshots.follows_champion:
        _, champion = _champion(night)
        digest = None if champion is None else champion.tags.get("training_sha256")
        if champion is not None and digest is not None:
            archive = night.archive()
            archive.adopt(night.name)
            found = pin(archive.uri(night.name, digest), cache)  # wherever the registry says that it lies
            if [item.sha256 for item in found.objects] != [digest]:
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

    registry = registry_of(night)
    return registry, champion_of(registry, night.run_date)


def circumstances(night: Night, pair: SnapshotPair, asked: bool, backfill: bool) -> Circumstances:
    """What the retraining policy needs to know beside tonight's quality and drift. Of nights only earlier ones count,
    so that a rerun decides the same; labels count as far as they are there.

    Args:
        night: the night to decide on.
        pair: its snapshots.
        asked: something was found that may ask for retraining; only then labels are counted.
        backfill: an old night is run again, and nobody said that it may retrain.
    """
    from pipeline.checks.policy import Circumstances

    earlier = night.earlier()
    return Circumstances(
        run_date=night.run_date,
        rows=pair.production.rows,
        labelled_rows=_labelled_rows(night) if asked else None,
        asked_before=_asked_before(night, earlier),
        last_request=_last_request(night, earlier),
        backfill=backfill,
    )


def _asked_before(night: Night, earlier: Sequence[Night]) -> tuple[bool, ...]:
    """Whether the nights that `nights_over` looks at, tonight aside, found what asks for retraining; oldest first."""
    last = earlier[max(0, len(earlier) - night.monitor.retrain.nights_over.of + 1) :]
    on = set(night.monitor.retrain.on)
    return tuple(not on.isdisjoint(_causes(before)) for before in last)


def _causes(night: Night) -> tuple[Cause, ...]:
    """What a published night found; earlier versions knew drift only, and said so elsewhere."""
    decision, drift = night.read(Decision), night.read(DriftResult)
    if decision is not None and decision.causes:
        return decision.causes
    return ("drift",) if drift is not None and drift.drifted else ()


def _labelled_rows(night: Night) -> int | None:
    """Labelled production rows that a training set of the date would have, whether or not Nightjar ran on their nights;
    counted until there are enough. None where no label is configured.
    """
    from pipeline.retrain.data.gather import labelled_rows
    from pipeline.steps.sources import Snapshots

    monitor = night.monitor
    if monitor.columns.label is None:
        return None
    enough = monitor.retrain.min_labelled_rows
    return labelled_rows(monitor, night.run_date, Snapshots(night, night.cache()), enough)


def _last_request(night: Night, earlier: Sequence[Night]) -> date | None:
    """The last earlier date on which a night asked for a retraining that something started, or a person started one,
    or on which a champion did not stand its probation.

    A request that nobody has followed holds nothing back. What lies before the cooldown is not read.
    """
    first = night.run_date - timedelta(days=night.monitor.retrain.cooldown_days)
    decisions = ((before.run_date, before.read(Decision)) for before in earlier if before.run_date > first)
    asked = [day for day, decision in decisions if decision is not None and decision.retrain and _started(night, day)]
    undone = [before.run_date for before in earlier if before.run_date > first and _was_undone(before)]
    return max([*asked, *undone, *(day for day in night.retrainings() if day < night.run_date)], default=None)


def _was_undone(night: Night) -> bool:
    """Whether a champion was rolled back on a night: what learns from the same days is not to follow it at once."""
    found = probation(night)
    return found is not None and found.rolled_back


def probation(night: Night) -> ProbationResult | None:
    """What was found on a night of the versions that answered beside each other; None where none did."""
    try:
        return night.load(ProbationResult)
    except ResultMissing:
        return night.read(ProbationResult)


def _started(night: Night, day: date) -> bool:
    """Whether something started what a night asked for; a night of an older version does not say."""
    from pipeline.publish.facts.night import Runs

    runs = night.on(day).read(Runs)
    return runs is None or runs.starts
