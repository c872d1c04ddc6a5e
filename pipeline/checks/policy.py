"""The decision of a night, as a pure function of its results."""

from __future__ import annotations

from pipeline.results import Decision, DriftResult, QualityResult


def decide(quality: QualityResult, drift: DriftResult) -> Decision:
    """The verdict, and whether to retrain.

    Retraining is due when the drift share is over the limit, strictly, and no critical expectation failed: drift in
    broken data says something about the data, not about the world.
    """
    share = f"{len(drift.drifted_columns)} of {drift.evaluated} columns drifted ({drift.drift_share:.0%})"
    limit = f"the limit of {drift.limit:.0%}"
    if not quality.passed:
        failed = quality.failed("critical")
        reason = f"{failed} critical {'expectation' if failed == 1 else 'expectations'} failed, so nothing is retrained"
        if drift.drifted:
            reason += f", although {share}, over {limit}"
        return Decision(snapshots=drift.snapshots, status="data_broken", retrain=False, reason=reason)
    if drift.evaluated == 0:
        reason = "no column could be compared with the reference, so there is no verdict on drift"
        return Decision(snapshots=drift.snapshots, status="data_broken", retrain=False, reason=reason)
    if drift.drifted:
        return Decision(snapshots=drift.snapshots, status="drifted", retrain=True, reason=f"{share}, over {limit}")
    return Decision(snapshots=drift.snapshots, status="healthy", retrain=False, reason=f"{share}, not over {limit}")
