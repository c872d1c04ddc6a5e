"""From a judged version to its outcome: promoted, proposed, rejected or superseded. Safe to be called again."""

from __future__ import annotations

from typing import Literal

from pipeline.config import Monitor
from pipeline.config.retrain_policy import AfterPromotion
from pipeline.errors import OutletRefused
from pipeline.results import AliasChange, Evaluation, RetrainResult, RetrainStatus
from pipeline.retrain.champion.hook import tell
from pipeline.retrain.champion.promotion import (
    JUDGED_AGAINST,
    NOBODY,
    OUTCOME,
    VERDICT,
    change_of,
    promote,
    settle,
)
from pipeline.retrain.champion.registry import CHALLENGER, Registry, Version
from pipeline.storage.lease import Lease

Verdict = Literal["promote", "propose", "reject"]
_TOLD = "told"


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
    registry: Registry, version: Version, result: RetrainResult, monitor: Monitor, lease: Lease
) -> RetrainResult:
    """Carry a version's verdict out, unless that was done before; the result as it now stands.

    Args:
        registry: where the version is.
        version: the version that was registered for the date.
        result: as it was recorded with the version.
        monitor: whose `after_promotion` is called.
        lease: of the monitor.
    """
    outcome = version.tags.get(OUTCOME) or _carry_out(registry, version, lease)
    told = None
    if outcome == result.status == "promoted":
        told = tell_once(registry, version, monitor.retrain.after_promotion)
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


def _since(status: RetrainStatus, outcome: str) -> str | None:
    if outcome == "rolled_back":
        return "rolled back"
    return "promoted by hand" if outcome == "promoted" != status else None


def _carry_out(registry: Registry, version: Version, lease: Lease) -> str:
    verdict = version.tags.get(VERDICT)
    champion = settle(registry)
    if champion is not None and champion.number == version.number:
        return "promoted"  # the process that moved the alias ended before it could say so
    if verdict == "promote" and (champion.number if champion else NOBODY) == version.tags.get(JUDGED_AGAINST):
        promote(registry, version, lease)
        return "promoted"
    outcome = {"promote": "superseded", "propose": "proposed"}.get(str(verdict), "rejected")
    lease.require()
    if outcome != "rejected":
        registry.point(CHALLENGER, version)
    registry.tag(version, OUTCOME, outcome)
    return outcome


def tell_once(registry: Registry, version: Version, policy: AfterPromotion) -> str | None:
    """Call the hooks unless they were called before for this version; how that went."""
    if policy.webhook is None and policy.call is None:
        return None
    champion = settle(registry)
    if champion is None or champion.number != version.number:
        return None
    if _TOLD in champion.tags:
        return champion.tags[_TOLD]
    told, wrong = tell(policy, change_of(registry, champion, "promoted"))
    if wrong is None and told is not None:
        registry.tag(champion, _TOLD, told)
    return f"not told: {wrong}" if wrong else told


def tell_change(change: AliasChange, policy: AfterPromotion) -> AliasChange:
    """Call the hooks about a promotion or rollback by hand."""
    if change.event == "unchanged" or (policy.webhook is None and policy.call is None):
        return change
    told, wrong = tell(policy, change)
    return change.model_copy(update={"told": f"not told: {wrong}" if wrong else told})
