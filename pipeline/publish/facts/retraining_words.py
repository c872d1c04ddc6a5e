"""A retraining in words and figures: its page and its mail say the same."""

from __future__ import annotations

from pipeline.config import Monitor
from pipeline.publish.facts.retraining import both_words, champion_words, remember
from pipeline.publish.facts.words import actor
from pipeline.results import Evaluation, MetricComparison, RetrainResult
from pipeline.wording import apart, clip, count, difference, measured, metric_name, share, signed

_CHECKS = {
    "main_metric": "Main metric",
    "floor": "Floor",
    "beats_a_constant": "Better than one fixed answer",
    "segments": "Segments",
}


def verdict_words(result: RetrainResult, length: int = 800) -> str:
    """How it ended, and what became of it since, as a sentence of its own."""
    words = clip(result.verdict, length) + (f"; {result.since} since" if result.since else "")
    return words[:1].upper() + words[1:]


def drift_words(result: RetrainResult) -> str:
    """What `reason` leaves open: what its night had found, and whether training again was forced."""
    return ", ".join(filter(None, (_night_words(result), "trained again on demand" if result.forced else "")))


def _night_words(result: RetrainResult) -> str:
    """Nothing where the reason is the night's own."""
    if result.night_reason is not None:
        return "" if result.night_reason == result.reason else f"its night: {clip(result.night_reason, 300)}"
    if result.drift_share is None or "drifted (" in result.reason:  # as a night words it
        return ""
    return f"{share(result.drift_share)} of the columns had drifted"


def data_words(result: RetrainResult) -> str:
    """How many rows it learnt from and was judged on, or how many there would have been."""
    counts = result.counts
    if counts is None:
        return ""
    if result.evaluation is None:
        found = count(counts.labelled_rows, "labelled production row")
        return f"Found: {found} and {count(counts.reference_rows)} of the reference"
    return (
        f"{count(counts.training_rows, 'row')} to learn from, "
        f"{count(counts.holdout_rows, 'newer one')} held out to judge both models"
    )


def next_step(monitor: Monitor, result: RetrainResult) -> str:
    """What happens next and who acts, in a sentence or two."""
    owner, version = actor(monitor), remember(result).version
    follows = monitor.snapshots.follows_champion
    if result.since == "rolled back in its probation":
        return "Nothing to do: it was worse in its probation, and the champion before it is back."
    if result.since is not None:
        return "Nothing to do: a person has moved the champion since."
    if result.status == "promoted":
        words = f"Nothing to do: {champion_words(f'version {version}', follows=follows)}"
        return words + (" To put the model before it back:" if _replaced(result) else "")
    if result.status in ("proposed", "superseded"):
        return f"The champion stays until a person decides. {owner} promotes version {version} with:"
    return {
        "rejected": "Nothing to do: the champion and its reference stay. The next retraining starts from newer data.",
        "no_labels": "The champion stays. As soon as labels are there, a drifted night or a person starts it again:",
        "too_few_labels": "The champion stays. With more labels, a drifted night or a person starts it again:",
        "quality_failed": f"The champion stays. {owner} has the source repaired, then starts it again:",
    }.get(result.status, f"The champion stays. {owner} reads the log of the run, repairs it and starts it again:")


def command(monitor: Monitor, result: RetrainResult) -> str | None:
    """The command line that goes with `next_step`, where there is one."""
    if result.status == "rejected" or result.since is not None:
        return None
    start, name, version = "python -m pipeline", monitor.name, remember(result).version
    if result.status == "promoted":
        return f"{start} rollback {name} --from {clip(version or 'VERSION', 40)}" if _replaced(result) else None
    if result.status in ("proposed", "superseded"):
        return f"{start} promote {name} {clip(version or 'VERSION', 40)}"
    return f"{start} retrain {name} --date {result.run_date}"


def _replaced(result: RetrainResult) -> bool:
    return result.lineage is not None and result.lineage.champion_version is not None


def metric_rows(evaluation: Evaluation) -> list[dict[str, object]]:
    """Both models metric by metric, the one that decides first."""
    return [
        {
            "name": metric_name(item.name),
            "decides": item.name == evaluation.main_metric,
            "better": item.better,
            **both(item),
            "own": _range(item.challenger_low, item.challenger_high),
            **gain(item),
        }
        for item in by_weight(evaluation)
    ]


def by_weight(evaluation: Evaluation) -> list[MetricComparison]:
    """The metric that decides first."""
    return sorted(evaluation.metrics, key=lambda item: item.name != evaluation.main_metric)


def check_rows(evaluation: Evaluation) -> list[tuple[str, bool, str]]:
    """The conditions of the gate: name, whether it holds, and a sentence; failed ones first."""
    ordered = sorted(evaluation.checks, key=lambda item: item.passed)
    return [(_CHECKS[item.name], item.passed, clip(item.sentence, 600)) for item in ordered]


def both(item: MetricComparison) -> dict[str, str]:
    """The values of both models, with digits enough to tell them apart; empty where there is none."""
    challenger, champion = both_words(item.challenger, item.champion)
    return {"challenger": challenger, "champion": champion}


def gain(item: MetricComparison) -> dict[str, str]:
    """The improvement in words; empty where there is none."""
    if item.improvement is None:
        return {"gain": "", "change": "", "noise": "", "means": ""}
    words = {"gain": signed(item.improvement), "change": difference(item.improvement), "noise": "", "means": ""}
    if item.low is None or item.high is None:
        return words
    means = "better" if item.low > 0 else "worse" if item.high < 0 else "within the noise"
    return {**words, "noise": " to ".join(apart(item.low, item.high, digits=2, write=signed)), "means": means}


def _range(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else " to ".join(apart(low, high, write=measured))
