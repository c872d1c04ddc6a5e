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
from pipeline.storage.mlflow_client import within
from pipeline.storage.patience import LITTLE, SOME

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
    decide = night.monitor.drift.share == "importance"
    try:
        with within(night.tracking_uri, SOME if decide else LITTLE):
            registry, champion = _champion(night)
            content = None if champion is None else registry.result_of(champion)
    except (OutletUnavailable, OutletRefused) as error:
        if decide:
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
    """What the retraining policy needs to know beside tonight's quality and drift. Labels count as far as they are
    there. A night that was told before about the same data is decided on what was known of later nights then, so that
    a rerun decides the same.

    Args:
        night: the night to decide on.
        pair: its snapshots.
        asked: something was found that may ask for retraining; only then labels are counted.
        backfill: an old night is run again, and nobody said that it may retrain.
    """
    from pipeline.checks.policy import Circumstances

    day, told = night.run_date, _told_before(night, pair)
    stands = told is not None and told.retrain
    cooldown = timedelta(days=night.monitor.retrain.cooldown_days)
    return Circumstances(
        run_date=day,
        rows=pair.production.rows,
        labelled_rows=_labelled_rows(night) if asked else None,
        asked_before=_asked_before(night, night.earlier()),
        last_request=max(_requests(night, day - cooldown, day), default=None),
        later=later_request(night) if told is None else told.later,
        backfill=backfill and not stands,
        asked=stands,
    )


def later_request(night: Night) -> date | None:
    """The first later date within the cooldown on which a retraining was requested."""
    cooldown = timedelta(days=night.monitor.retrain.cooldown_days)
    return min(_requests(night, night.run_date, night.run_date + cooldown), default=None)


def _told_before(night: Night, pair: SnapshotPair) -> Decision | None:
    """The night's published decision, if it is about the same production data."""
    before = night.read(SnapshotPair)
    return night.read(Decision) if before and before.production.digest == pair.production.digest else None


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


def _requests(night: Night, after: date, before: date) -> list[date]:
    """Dates between two on which a night asked for a retraining that something started, or a person started one, or on
    which a champion did not stand its probation.

    A request that nobody has followed holds nothing back. What lies outside is not read.
    """
    nights = [night.on(day) for day in night.nights() if after < day < before]
    asked = [one.run_date for one in nights if _asks(one) and _started(one)]
    undone = [one.run_date for one in nights if _was_undone(one)]
    return [*asked, *undone, *(day for day in night.retrainings() if after < day < before)]


def _asks(night: Night) -> bool:
    decision = night.read(Decision)
    return decision is not None and decision.retrain


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


def _started(night: Night) -> bool:
    """Whether something started what a night asked for; a night of an older version does not say."""
    from pipeline.publish.facts.night import Runs

    runs = night.read(Runs)
    return runs is None or runs.starts
