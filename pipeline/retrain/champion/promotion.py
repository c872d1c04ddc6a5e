"""Moves the champion, and with it the reference, in one step; and settles what a crash left unfinished.

The order of a promotion: (1) the new version notes which ones it replaces and how it comes to be champion (its `Move`),
(2) the alias `champion` moves, (3) the aliases `previous` and `challenger` follow, (4) the version notes its outcome.
Only (2) changes anything for others. A crash before it leaves everything as it was, a crash after it is settled by
whoever comes next, because (3) and (4) follow from what (1) and (2) left; and who is told of it follows from the move
that the champion has noted (see `conclusion.untold`). What a version replaces is a stack, newest first, so that rolling
back twice goes two champions back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pydantic import ValidationError

from pipeline.errors import ConfigError
from pipeline.results import AliasChange, Move, Mover, Watch
from pipeline.retrain.champion.registry import CHALLENGER, CHAMPION, PREVIOUS, Registry, Version
from pipeline.storage.lease import Lease
from pipeline.storage.scratch import temporary_folder

JUDGED_AGAINST, VERDICT, OUTCOME, REPLACES = "judged_against", "verdict", "outcome", "replaces"
ROLLED_BACK, FAILED_PROBATION = "rolled_back", "failed_probation"  # outcomes of versions that were champion
NOBODY = "none"
_MOVE, _UNDONE = "move", "undone"
_DEEPEST = 50


@dataclass(frozen=True)
class Occasion:
    """Who moves the champion, when (UTC), after which night, and with what evidence; see `Move`."""

    by: Mover = "person"
    moment: datetime | None = None
    after: date | None = None
    evidence: Watch | None = None


BY_HAND = Occasion()


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


def move_of(version: Version | None) -> Move | None:
    """How a champion became champion; None where an earlier version of Nightjar moved it."""
    content = None if version is None else version.tags.get(_MOVE)
    try:
        return None if content is None else Move.model_validate_json(content)
    except ValidationError:
        return None


def was_undone(champion: Version) -> bool:
    """Whether the champion did not stand an earlier probation: whoever promoted it all the same knew that."""
    move, undone = move_of(champion), champion.tags.get(_UNDONE)
    return undone is not None and (move is None or undone != str(move.number))


def promote(registry: Registry, version: Version, lease: Lease, occasion: Occasion = BY_HAND) -> AliasChange:
    """Make a version champion; its training set becomes the reference with it. Again is no change.

    Raises:
        ModelTampered: its files are not the registered ones.
    """
    champion = settle(registry)
    _require_intact(registry, version)
    if champion is not None and champion.number == version.number:
        return _change(registry, version, registry.at(PREVIOUS), "unchanged")
    older = champion.tags.get(REPLACES, "").split(",") if champion else []
    stack = [champion.number, *filter(None, older)] if champion else []
    registry.tag(version, REPLACES, ",".join(stack[:_DEEPEST]))
    return _move(registry, version, champion, _next_move(champion, "promoted", occasion), lease)


def roll_back(
    registry: Registry, lease: Lease, stepping_from: str | None = None, occasion: Occasion = BY_HAND
) -> AliasChange:
    """Put the previous champion and its reference back.

    Args:
        registry: where the versions are.
        lease: of the monitor.
        stepping_from: the version to step back from; when that was done before, nothing is. Without it, again goes one
            further back.
        occasion: who does it, and why.

    Raises:
        ConfigError: there is no champion, or none before it, or `stepping_from` neither is the champion nor was put
            back.
        ModelTampered: the files of the previous one are not the registered ones.
    """
    champion = settle(registry)
    if champion is None:
        raise ConfigError([f"{registry.name}: there is no champion, so nothing to roll back"])
    if stepping_from not in (None, champion.number):
        return _stepped_before(registry, champion, str(stepping_from))
    previous, older = _before(registry, champion)
    if previous is None:
        raise ConfigError([f"{registry.name}: version {champion.number} is the first champion; none lies before it"])
    _require_intact(registry, previous)
    last = move_of(champion)
    if occasion.by == "probation" and last is not None:
        registry.tag(champion, _UNDONE, str(last.number))  # of the move that is undone, as this may be interrupted
    registry.tag(champion, OUTCOME, FAILED_PROBATION if occasion.by == "probation" else ROLLED_BACK)
    registry.tag(previous, REPLACES, ",".join(older))
    return _move(registry, previous, champion, _next_move(champion, "rolled_back", occasion), lease)


def _stepped_before(registry: Registry, champion: Version, number: str) -> AliasChange:
    left = registry.version(number)
    if left is None or left.tags.get(OUTCOME) not in (ROLLED_BACK, FAILED_PROBATION):
        words = f"version {number} is not the champion, so nothing to roll back; version {champion.number} is"
        raise ConfigError([f"{registry.name}: {words}"])
    return _change(registry, champion, left, "unchanged")


def _require_intact(registry: Registry, version: Version) -> None:
    with temporary_folder() as folder:
        registry.fetch(version, folder)


def _next_move(champion: Version | None, event: Literal["promoted", "rolled_back"], occasion: Occasion) -> Move:
    last = move_of(champion)
    return Move(
        number=1 + (last.number if last else 0),
        event=event,
        by=occasion.by,
        previous_version=champion.number if champion else None,
        moment=occasion.moment,
        after=occasion.after,
        evidence=occasion.evidence,
    )


def _move(registry: Registry, version: Version, champion: Version | None, move: Move, lease: Lease) -> AliasChange:
    registry.tag(version, _MOVE, move.model_dump_json())
    lease.require()
    registry.point(CHAMPION, version)
    settle(registry)
    return _change(registry, version, champion, move.event, move)


def change_of(registry: Registry, champion: Version) -> AliasChange:
    """How the champion became champion, for whoever is told."""
    move = move_of(champion)
    if move is None:
        before, _ = _before(registry, champion)
        return _change(registry, champion, before, "promoted")
    before = None if move.previous_version is None else registry.version(move.previous_version)
    return _change(registry, champion, before, move.event, move)


def _change(
    registry: Registry, version: Version, before: Version | None, event: str, move: Move | None = None
) -> AliasChange:
    share = version.tags.get("drift_share")
    return AliasChange(
        monitor=registry.name,
        event=event,
        version=version.number,
        previous_version=before.number if before else None,
        **({} if move is None else {name: getattr(move, name) for name in ("by", "number", "moment", "evidence")}),
        model_uri=registry.model_uri(version),
        model_source=version.source,
        training_uri=version.tags.get("training_uri"),
        training_sha256=version.tags.get("training_sha256"),
        run_date=version.tags.get("run_date"),
        reason=version.tags.get("reason", ""),
        drift_share=float(share) if share else None,
    )
