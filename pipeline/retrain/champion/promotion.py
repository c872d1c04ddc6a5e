"""Moves the champion, and with it the reference, in one step; and settles what a crash left unfinished.

The order of a promotion: (1) the new version notes which ones it replaces, (2) the alias `champion` moves, (3) the
aliases `previous` and `challenger` follow, (4) the version notes its outcome. Only (2) changes anything for others.
A crash before it leaves everything as it was, a crash after it is settled by whoever comes next, because (3) and (4)
follow from what (1) and (2) left. What a version replaces is a stack, newest first, so that rolling back twice goes two
champions back.
"""

from __future__ import annotations

from datetime import date

from pipeline.errors import ConfigError
from pipeline.results import AliasChange
from pipeline.retrain.champion.registry import CHALLENGER, CHAMPION, PREVIOUS, Registry, Version
from pipeline.storage.lease import Lease

JUDGED_AGAINST, VERDICT, OUTCOME, REPLACES = "judged_against", "verdict", "outcome", "replaces"
NOBODY = "none"
_DEEPEST = 50


def settle(registry: Registry) -> Version | None:
    """Bring the other aliases in line with the champion, and note its outcome; the champion."""
    champion = registry.at(CHAMPION)
    if champion is None:
        return None
    previous = registry.at(PREVIOUS)
    wanted, _ = _before(registry, champion)
    if (previous and previous.number) != (wanted and wanted.number):
        registry.point(PREVIOUS, wanted)
    challenger = registry.at(CHALLENGER)
    if challenger is not None and challenger.number == champion.number:
        registry.point(CHALLENGER, None)
    if champion.tags.get(OUTCOME) != "promoted":
        registry.tag(champion, OUTCOME, "promoted")
    return champion


def _before(registry: Registry, champion: Version) -> tuple[Version | None, list[str]]:
    """The champion before this one, and those before that; versions that were deleted since are passed over."""
    stack = list(filter(None, champion.tags.get(REPLACES, "").split(",")))
    while stack:
        number = stack.pop(0)
        found = registry.version(number)
        if found is not None:
            return found, stack
    return None, []


def champion_of(registry: Registry, run_date: date) -> Version | None:
    """The champion as a night of this date knew it: a model trained for that date or a later one was not there yet.

    So a night that is run again, or an old one that is caught up on, gives the same results.
    """
    champion, seen = registry.at(CHAMPION), set[str]()
    while champion is not None and champion.tags.get("run_date", "") >= run_date.isoformat():
        if champion.number in seen:  # promoted by hand, back and forth
            return None
        seen.add(champion.number)
        champion, _ = _before(registry, champion)
    return champion


def promote(registry: Registry, version: Version, lease: Lease) -> AliasChange:
    """Make a version champion; its training set becomes the reference with it. Again is no change.

    Raises:
        ModelTampered: its files are not the registered ones.
    """
    champion = settle(registry)
    if champion is not None and champion.number == version.number:
        return _change(registry, version, registry.at(PREVIOUS), "unchanged")
    _require_intact(registry, version)
    older = champion.tags.get(REPLACES, "").split(",") if champion else []
    stack = [champion.number, *filter(None, older)] if champion else []
    registry.tag(version, REPLACES, ",".join(stack[:_DEEPEST]))
    _move(registry, version, lease)
    return _change(registry, version, champion, "promoted")


def roll_back(registry: Registry, lease: Lease) -> AliasChange:
    """Put the previous champion and its reference back. Again goes one further back.

    Raises:
        ConfigError: there is no champion, or none before it.
        ModelTampered: the files of the previous one are not the registered ones.
    """
    champion = settle(registry)
    if champion is None:
        raise ConfigError([f"{registry.name}: there is no champion, so nothing to roll back"])
    previous, older = _before(registry, champion)
    if previous is None:
        raise ConfigError([f"{registry.name}: version {champion.number} is the first champion; none lies before it"])
    _require_intact(registry, previous)
    registry.tag(champion, OUTCOME, "rolled_back")
    registry.tag(previous, REPLACES, ",".join(older))
    _move(registry, previous, lease)
    return _change(registry, previous, champion, "rolled_back")


def _require_intact(registry: Registry, version: Version) -> None:
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        registry.fetch(version, Path(folder))


def _move(registry: Registry, version: Version, lease: Lease) -> None:
    lease.require()
    registry.point(CHAMPION, version)
    settle(registry)


def change_of(registry: Registry, champion: Version, event: str) -> AliasChange:
    """The champion as a change, for whoever is told."""
    before, _ = _before(registry, champion)
    return _change(registry, champion, before, event)


def _change(registry: Registry, version: Version, before: Version | None, event: str) -> AliasChange:
    share = version.tags.get("drift_share")
    return AliasChange(
        monitor=registry.name,
        event=event,
        version=version.number,
        previous_version=before.number if before else None,
        model_uri=registry.model_uri(version),
        model_source=version.source,
        training_uri=version.tags.get("training_uri"),
        training_sha256=version.tags.get("training_sha256"),
        run_date=version.tags.get("run_date"),
        reason=version.tags.get("reason", ""),
        drift_share=float(share) if share else None,
    )
