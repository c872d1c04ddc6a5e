"""One night in one process: the same steps in the same order as the DAG, for the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from pipeline.errors import ExitCode, NightjarError, OutletRefused, OutletUnavailable
from pipeline.log_context import about
from pipeline.publish.facts.verdict import drifted_words
from pipeline.results import Decision, PerformanceResult, QualityResult, SnapshotPair
from pipeline.retrain.progress import Progress
from pipeline.steps import delivering, lineage, nightly, probation
from pipeline.steps.contain import attempt, foreseen
from pipeline.steps.night import Night
from pipeline.storage.patience import one_wait_each
from pipeline.wording import count

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """How a night ended: its verdict, if it came to one, and everything that broke."""

    night: Night
    decision: Decision | None
    errors: tuple[NightjarError, ...]

    @property
    def broken(self) -> list[str]:
        """What broke, in words; of an outlet that several steps asked what it said first."""
        found: dict[str, str] = {}
        for error in self.errors:
            text = str(error)
            of_outlet = isinstance(error, OutletUnavailable | OutletRefused)
            found.setdefault(text.partition(": ")[0] if of_outlet else text, text)
        return list(found.values())


def run_night(night: Night, progress: Progress, backfill: bool = False, retrains: bool = False) -> Outcome:
    """Walk one night; nothing raises. An error ends the walk, except in an outlet: the others are still served.

    A silent outlet is waited for once.

    Args:
        night: the night.
        progress: is given a line for every step.
        backfill: an old night is run again, and nobody said that it may ask for retraining.
        retrains: where it asks for retraining, that is done at once.
    """
    with one_wait_each(), _about(night):
        return _walk(night, progress, backfill, retrains)


def _about(night: Night) -> AbstractContextManager[None]:
    return about(monitor=night.name, date=night.run_date.isoformat())


def _walk(night: Night, progress: Progress, backfill: bool, retrains: bool) -> Outcome:
    try:
        with foreseen("run"):
            decision = _measure(night, progress, backfill, retrains)
    except NightjarError as error:
        return Outcome(night, None, (error, *_report_failure(night, "run", progress)))
    outcome = _served(night, decision, progress)
    if retrains and decision.retrain:
        return replace(outcome, errors=(*outcome.errors, *_retrain(night, decision, progress)))
    return outcome


def deliver_night(night: Night, progress: Progress) -> Outcome:
    """Give a published night to every outlet that it has not reached; nothing is measured, and nothing raises.

    Args:
        night: the night.
        progress: is given a line for every step.
    """
    decision: Decision | None = None
    try:
        with one_wait_each(), _about(night), foreseen("deliver"):
            night = delivering.published(night)
            decision = night.load(Decision)
            return _served(night, decision, progress)
    except NightjarError as error:
        return Outcome(night, decision, (error,))


def _served(night: Night, decision: Decision, progress: Progress) -> Outcome:
    """A published night at its outlets, and how it ended."""
    errors = [error for error in _publish(night, progress) if error is not None]
    if errors:
        errors += _report_failure(night, "publish", progress)
    try:
        with foreseen("require_quality"):
            nightly.require_quality(night)
    except NightjarError as error:
        errors.append(error)
    return Outcome(night, decision, tuple(errors))


def _retrain(night: Night, decision: Decision, progress: Progress) -> list[NightjarError]:
    from pipeline.steps import retraining

    progress("retrain")
    try:
        with foreseen("retrain"):
            result = retraining.retrain(night, decision.reason, progress=progress)
            progress(f"  {result.words}")
            retraining.require_sound(result)
    except NightjarError as error:
        progress(f"  failed: {error}")
        return [error]
    return []


def _measure(night: Night, progress: Progress, backfill: bool, retrains: bool) -> Decision:
    walk = partial(_step, progress)
    walk("pull_snapshots", lambda: nightly.pull_snapshots(night), _rows)
    walk("validate_quality", lambda: nightly.validate_quality(night), _passed)
    walk("measure_drift", lambda: nightly.measure_drift(night), drifted_words)
    walk("measure_performance", lambda: nightly.measure_performance(night), _state)
    decision = _step(progress, "decide", lambda: nightly.decide(night, backfill), _verdict)
    walk("render_report", lambda: nightly.render_report(night, retrains=retrains), str)
    return decision


def _step(progress: Progress, name: str, work: Callable[[], T], told: Callable[[T], str]) -> T:
    """The result of a step. A line of progress that cannot be made is none."""
    with about(step=name):
        progress(name)
        result = work()
        line = attempt(f"progress of {name}", lambda: told(result), lambda _: "")
        if line:
            progress(f"  {line}")
        return result


def _rows(pair: SnapshotPair) -> str:
    return f"{count(pair.reference.rows)} reference and {count(pair.production.rows, 'production row')}"


def _passed(quality: QualityResult) -> str:
    passed = len(quality.outcomes) - len(quality.failures)
    return f"{count(passed)} of {count(len(quality.outcomes), 'expectation')} passed"


def _state(performance: PerformanceResult) -> str:
    return performance.status.replace("_", " ")


def _verdict(decision: Decision) -> str:
    return f"{decision.status.replace('_', ' ')}: {decision.reason}"


def _publish(night: Night, progress: Progress) -> list[NightjarError | None]:
    return [
        _attempt(nightly.log_run, night, progress),
        _attempt(nightly.push_gauges, night, progress),
        _attempt(nightly.send_summary, night, progress),
        *([_attempt(lineage.send_lineage, night, progress)] if lineage.is_wanted(night) else []),
        _attempt(watch_champion, night, progress),
    ]


def watch_champion(night: Night) -> str:
    """What was found of a champion on probation, in words."""
    return probation.watch_champion(night).words


def _attempt(step: Callable[[Night], str], night: Night, progress: Progress) -> NightjarError | None:
    with about(step=step.__name__):
        progress(step.__name__)
        try:
            with foreseen(step.__name__):
                progress(f"  {step(night)}")
        except NightjarError as error:
            progress(f"  failed: {error}")
            return error
        return None


def _report_failure(night: Night, task: str, progress: Progress) -> list[NightjarError]:
    errors: list[NightjarError] = []
    for report in (nightly.report_failure, lineage.report_failure):
        try:
            with foreseen("report_failure"):
                report(night, task)
        except NightjarError as error:
            progress(f"  the failure could not be reported: {error}")
            errors.append(error)
    return errors


def exit_code(outcomes: Iterable[Outcome], strict: bool) -> ExitCode:
    """The exit code for some nights; with `strict` a drifted or degraded night fails, if nothing more basic does."""
    found = list(outcomes)
    codes = {error.exit_code for outcome in found for error in outcome.errors}
    if strict and any(outcome.decision and outcome.decision.status in ("drifted", "degraded") for outcome in found):
        codes.add(ExitCode.DRIFTED)
    return ExitCode.of(codes)
