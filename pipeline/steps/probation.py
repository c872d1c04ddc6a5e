"""Watches a new champion: the one before it answers the same rows, and takes over again where it is better.

    tell what an interrupted move of the champion left untold -> both answer tonight's rows -> compare on all labels
        -> worse beyond the noise? roll back (`retrain.mode: propose`: ask a person, once), tell -> keep the result

What is found is a result; what cannot be asked or compared is a sentence in it. A rerun finds what was done: the
champion itself says how it became champion, and a rollback names the version it steps back from.
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError, ModelTampered, NightjarError, StoreBusy
from pipeline.results import ProbationResult, Watch
from pipeline.retrain.progress import Progress
from pipeline.steps import pages, retraining, standing, telling
from pipeline.steps.night import Night
from pipeline.steps.pushing import push_newest
from pipeline.steps.registered import registry_of
from pipeline.steps.sources import Snapshots
from pipeline.steps.timing import timed
from pipeline.storage.scratch import scratch_folder

if TYPE_CHECKING:
    from pipeline.retrain.champion.registry import Registry

log = logging.getLogger(__name__)


@timed
def watch_champion(night: Night, progress: Progress = log.info) -> ProbationResult:
    """What two versions beside each other say up to a night, and what was done about it.

    Args:
        night: the night.
        progress: is given a line for every night that is answered.

    Raises:
        StoreBusy: the champion is worse, and a retraining is going on: try again when it has ended.
        OutletUnavailable, OutletRefused: MLflow or the run store does not answer, or somebody could not be told.
        SourceUnavailable: the snapshots do not.
    """
    nothing = ProbationResult(monitor=night.name, run_date=night.run_date)
    if not _has_registry(night):
        return nothing
    moment, untold = datetime.now(UTC), None
    try:
        _tell_untold(night, moment)
    except NightjarError as error:
        untold = error  # that somebody did not hear keeps no bad champion in its place
    found = _watch(night, nothing, progress)
    if found.probation is not None and found.probation.decision == "worse":
        watched, untold = _act(night, found.probation, moment, untold)
        found = found.model_copy(update={"probation": watched})
    if found != nothing:
        night.save(found)
    found = standing.probation(night) or found  # an old night that is run again keeps what was found on it
    if found != nothing:
        pages.note_probation(night, found)
    log.info("%s: %s", night.name, found.words)
    try:
        _push(night, found)
    except NightjarError as error:
        untold = untold or error
    if untold is not None:
        raise untold
    return found


def _push(night: Night, found: ProbationResult) -> None:
    """Also where nothing is on probation any more, as the Pushgateway keeps what it was told last."""
    from pipeline.publish.gauges.probation import exposition, push

    url = night.settings.pushgateway_url
    if url is not None:
        environment = night.settings.environment
        send = partial(push, exposition(found), night.name, url.get_secret_value(), environment=environment)
        push_newest(night.store, night.name, night.run_date, night.nights, send)


def _has_registry(night: Night) -> bool:
    return "MLFLOW_TRACKING_URI" in os.environ or night.settings.embedded_mlflow_path.exists()


def _tell_untold(night: Night, moment: datetime) -> None:
    try:
        told = retraining.tell_untold(night, moment)
    except StoreBusy:
        log.info("%s: its champion is being moved just now; whoever does that tells of it", night.name)
        return
    if told is not None:
        log.info("%s: made up for: %s", night.name, told.words)


def _watch(night: Night, found: ProbationResult, progress: Progress) -> ProbationResult:
    from pipeline.retrain.beside.answered import Desk
    from pipeline.retrain.beside.pairs import in_shadow, on_probation
    from pipeline.retrain.beside.watch import forget, watch

    registry = registry_of(night)
    undone = _undone_on(night, registry)
    if undone is not None:
        return found.model_copy(update={"probation": undone})
    probation = on_probation(night.monitor, registry, night.run_date)
    shadow = in_shadow(night.monitor, registry, night.run_date)
    if isinstance(probation, str):
        found, probation = found.model_copy(update={"notes": (probation,)}), None
    if probation is None and shadow is None:
        return found
    with scratch_folder(night.settings.cache_dir) as folder:
        source = Snapshots(night, night.cache())
        desk = Desk(night.monitor, registry, night.store, source, folder, progress)
        for pair in (probation, shadow):
            if pair is not None:
                found = found.model_copy(update={pair.kind: watch(desk, pair, night.run_date)})
                if night.run_date >= pair.last:
                    forget(desk, pair)
        return found


def _undone_on(night: Night, registry: Registry) -> Watch | None:
    """What the champion before this one was undone for on this very night."""
    from pipeline.retrain.champion.promotion import move_of
    from pipeline.retrain.champion.registry import CHAMPION

    move = move_of(registry.at(CHAMPION))
    if move is None or move.by != "probation" or move.evidence is None or move.evidence.night != night.run_date:
        return None
    return move.evidence


def _act(
    night: Night, watched: Watch, moment: datetime, untold: NightjarError | None
) -> tuple[Watch, NightjarError | None]:
    """Roll back, or ask a person; the watch with what was done, and what went wrong in telling of it."""
    if watched.done == "rolled_back":
        return watched, untold
    reason = _why_a_person(night, watched)
    if reason is None:
        undone = watched.model_copy(update={"done": "rolled_back"})
        try:
            retraining.undo(night, undone, moment)
        except (ConfigError, ModelTampered) as error:
            if _champion(night) != watched.version:
                return _noted(watched, "the champion was moved meanwhile, so nothing was rolled back"), untold
            reason = f"it cannot be rolled back without a person: {error}"
        except NightjarError as error:
            if _champion(night) == watched.version:
                raise
            return undone, error
        else:
            return undone, untold
    asked = _noted(watched.model_copy(update={"done": "proposed"}), reason)
    try:
        _ask_once(night, asked, moment)
    except NightjarError as error:
        return asked, error
    return asked, untold


def _noted(watched: Watch, words: str) -> Watch:
    return watched.model_copy(update={"notes": (*watched.notes, words)})


def _champion(night: Night) -> str | None:
    from pipeline.retrain.champion.registry import CHAMPION

    champion = registry_of(night).at(CHAMPION)
    return None if champion is None else champion.number


def _why_a_person(night: Night, watched: Watch) -> str | None:
    """Why nobody but a person may roll back; None where that is done unattended."""
    from pipeline.retrain.champion.promotion import was_undone

    if night.monitor.retrain.mode == "propose":
        return "retrain.mode is propose, so a person decides"
    version = registry_of(night).version(watched.version)
    if version is not None and was_undone(version):
        return "it was rolled back in a probation before, and was promoted all the same, so a person decides"
    return None


def _ask_once(night: Night, watched: Watch, moment: datetime) -> None:
    """Ask people whether to roll back: once for a promotion, on whichever of its nights."""
    from pipeline.retrain.champion.promotion import change_of
    from pipeline.retrain.champion.registry import CHAMPION

    registry = registry_of(night)
    champion = registry.at(CHAMPION)
    if champion is None or champion.number != watched.version:
        return
    update = {"event": "rollback_proposed", "by": "probation", "evidence": watched}
    change = change_of(registry, champion).model_copy(update=update)
    log.info("%s", "; ".join(telling.send_change(night, change, moment, once_on=watched.since)))
