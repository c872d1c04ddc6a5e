"""From a judged version to its outcome: promoted, proposed, rejected or superseded. Safe to be called again."""

from __future__ import annotations

from typing import Literal

from pipeline.config import Monitor
from pipeline.config.retrain_policy import AfterPromotion
from pipeline.errors import OutletRefused
from pipeline.results import AliasChange, Evaluation, RetrainResult, RetrainStatus, Since
from pipeline.retrain.champion.hook import tell
from pipeline.retrain.champion.promotion import (
    FAILED_PROBATION,
    JUDGED_AGAINST,
    NOBODY,
    OUTCOME,
    ROLLED_BACK,
    VERDICT,
    Occasion,
    change_of,
    move_of,
    promote,
    settle,
)
from pipeline.retrain.champion.registry import CHALLENGER, CHAMPION, Registry, Version
from pipeline.storage.lease import Lease

Verdict = Literal["promote", "propose", "reject"]
_TOLD = "told"  # how serving was told last, in words
_TOLD_SERVING, _TOLD_PEOPLE = "told_serving", "told_people"  # the number of the move of which each was told
_RETRAINED = Occasion("retraining")


def verdict_of(monitor: Monitor, evaluation: Evaluation) -> tuple[Verdict, str]:
    """What the gate and the monitor's mode make of an evaluation, and why, in a sentence."""
    if evaluation.failed:
        return "reject", f"the champion stays: {'; '.join(check.sentence for check in evaluation.failed)}"
    held = [check.sentence for check in evaluation.checks if check.name in ("main_metric", "floor")]
    words = "; ".join(held) or evaluation.checks[-1].sentence
    if all(check.name != "main_metric" for check in evaluation.checks):
        words = f"the first model, as good as it has to be: {words}"
    if monitor.retrain.mode == "propose":
        return "propose", f"waits for a person: {words}"
    return "promote", words


def recorded(registry: Registry, version: Version) -> RetrainResult:
    """The result that was recorded with a version.

    Raises:
        OutletRefused: it is gone.
    """
    content = registry.result_of(version)
    if content is None:
        raise OutletRefused(
            f"{registry.name} version {version.number}: its retraining result is gone from MLflow, so it cannot be "
            "completed; train again with --force, or promote it by hand"
        )
    return RetrainResult.model_validate_json(content)


def conclude(
    registry: Registry,
    version: Version,
    result: RetrainResult,
    monitor: Monitor,
    lease: Lease,
    *,
    occasion: Occasion = _RETRAINED,
) -> RetrainResult:
    """Carry a version's verdict out, unless that was done before; the result as it now stands.

    Args:
        registry: where the version is.
        version: the version that was registered for the date.
        result: as it was recorded with the version.
        monitor: whose `after_promotion` is called.
        lease: of the monitor.
        occasion: when, and after which night.
    """
    outcome = version.tags.get(OUTCOME) or _carry_out(registry, version, lease, occasion)
    told = None
    champion = settle(registry) if outcome == result.status == "promoted" else None
    if champion is not None and champion.number == version.number:
        told = tell_serving(registry, champion, monitor.retrain.after_promotion)
    return as_it_stands(registry, version, result, outcome).model_copy(update={"told": told})


def as_it_stands(registry: Registry, version: Version, result: RetrainResult, outcome: str) -> RetrainResult:
    """A recorded result with the number of its version, and with what became of that version since."""
    update: dict[str, object] = {"since": _since(result.status, outcome), "told": version.tags.get(_TOLD)}
    if outcome == "superseded":
        verdict = "the champion changed while this one was trained; it waits as challenger for a person"
        update |= {"status": "superseded", "verdict": verdict}
    if result.lineage is not None:
        known = {"version": version.number, "model_uri": registry.model_uri(version)}
        update["lineage"] = result.lineage.model_copy(update=known)
    return result.model_copy(update=update)


def _since(status: RetrainStatus, outcome: str) -> Since | None:
    if outcome == FAILED_PROBATION:
        return "rolled back in its probation"
    if outcome == ROLLED_BACK:
        return "rolled back"
    return "promoted by hand" if outcome == "promoted" != status else None


def _carry_out(registry: Registry, version: Version, lease: Lease, occasion: Occasion) -> str:
    verdict = version.tags.get(VERDICT)
    champion = settle(registry)
    if champion is not None and champion.number == version.number:
        return "promoted"  # the process that moved the alias ended before it could say so
    if verdict == "promote" and (champion.number if champion else NOBODY) == version.tags.get(JUDGED_AGAINST):
        promote(registry, version, lease, occasion)
        return "promoted"
    outcome = {"promote": "superseded", "propose": "proposed"}.get(str(verdict), "rejected")
    lease.require()
    if outcome != "rejected":
        registry.point(CHALLENGER, version)
    registry.tag(version, OUTCOME, outcome)
    return outcome


def untold(registry: Registry, policy: AfterPromotion) -> AliasChange | None:
    """What of the champion's last move serving or people still have to be told; None when both were.

    The champion notes its move before the alias moves, and who was told of it afterwards: whoever was interrupted in
    between is made up for by whoever asks here.
    """
    champion = registry.at(CHAMPION)
    move = move_of(champion)
    if champion is None or move is None:
        return None
    serving = _has_hooks(policy) and champion.tags.get(_TOLD_SERVING) != str(move.number)
    return change_of(registry, champion) if serving or not people_told(champion) else None


def people_told(champion: Version) -> bool:
    """Whether people were told of the champion's last move, as far as anybody noted."""
    move = move_of(champion)
    return move is None or champion.tags.get(_TOLD_PEOPLE) == str(move.number)


def note_people_told(registry: Registry, version: str) -> None:
    """Note that people were told how a version became champion."""
    champion = registry.at(CHAMPION)
    move = move_of(champion)
    if champion is not None and champion.number == version and move is not None and not people_told(champion):
        registry.tag(champion, _TOLD_PEOPLE, str(move.number))


def tell_serving(registry: Registry, champion: Version, policy: AfterPromotion) -> str | None:
    """Call the hooks unless they were called before for the champion's last move; how that went."""
    if not _has_hooks(policy):
        return None
    move = move_of(champion)
    known = champion.tags.get(_TOLD)
    if known is not None and (move is None or champion.tags.get(_TOLD_SERVING) == str(move.number)):
        return known
    told, wrong = tell(policy, change_of(registry, champion))
    if wrong is None and told is not None:
        registry.tag(champion, _TOLD, told)
        if move is not None:
            registry.tag(champion, _TOLD_SERVING, str(move.number))
    return f"not told: {wrong}" if wrong else told


def _has_hooks(policy: AfterPromotion) -> bool:
    return policy.webhook is not None or policy.call is not None
