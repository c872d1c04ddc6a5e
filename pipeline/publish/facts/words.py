"""How results are worded: the same on every page, in every mail and in every message."""

from __future__ import annotations

from pipeline.config import Monitor
from pipeline.publish.facts.alarms import METHODS
from pipeline.results import (
    ColumnDrift,
    ExpectationOutcome,
    QualityResult,
)
from pipeline.wording import apart, clip, count, number, share, times, value

_NOBODY = ("unknown", "nobody", "none", "n/a", "-", "?", "todo", "tbd")


def marked(subject: str, environment: str | None) -> str:
    """A subject with the name of the installation before it: `[staging] [churn] healthy`; as it is without one."""
    if environment is None:
        return subject
    answer = "Re: " if subject.startswith("Re: ") else ""
    return f"{answer}[{environment}] {subject.removeprefix(answer)}"


def actor(monitor: Monitor) -> str:
    """Who has to act, as a sentence begins: the owner; a word that stands for none is nobody's name."""
    owner = clip(monitor.owner, 120)
    return "Somebody" if owner.strip().lower() in _NOBODY else owner


def quality_words(quality: QualityResult) -> str:
    """How many expectations failed, and how many of them are critical."""
    total, failed, critical = len(quality.outcomes), len(quality.failures), quality.failed("critical")
    expectations = count(total, "expectation")
    if not failed:
        return f"All {expectations} passed"
    weight = f"{count(critical)} of them critical" if critical else "none of them critical"
    return f"{count(failed)} of {expectations} failed, {weight}"


def failure_words(outcome: ExpectationOutcome) -> str:
    """What was found instead of what a failed expectation demands: `not so in 3.2% of the rows`."""
    if outcome.error is not None:
        return f"could not be evaluated: {clip(outcome.error, 200)}"
    if outcome.unexpected_share:
        found = share(outcome.unexpected_share, beside=(outcome.allowed_share or 0.0,))
        return f"not so in {found} of the rows"
    return f"found {clip(outcome.observed, 200)}" if outcome.observed is not None else "not so"


def found_first(quality: QualityResult) -> str:
    """The gravest failure in a line, what was found before what was asked; empty where nothing failed."""
    first = next(iter(quality.failures), None)
    return "" if first is None else clip(failure_line(first), 300)


def failure_line(outcome: ExpectationOutcome, length: int = 400) -> str:
    """What was found, and then what was asked: `not so in 3.2% of the rows: age has no missing values`."""
    return f"{failure_words(outcome)}: {clip(outcome.sentence, length)}"


def sentence(words: str) -> str:
    """Words as a sentence begins."""
    return words[:1].upper() + words[1:]


def origin_words(outcome: ExpectationOutcome) -> str:
    """Who asks for an expectation, and what evaluated it: `Built-in check outliers, by DuckDB`."""
    asked = f"Built-in check {outcome.check}" if outcome.check else "From the suite"
    engines = {"duckdb": ", by DuckDB", "pandas": ", by pandas", "metadata": ", from schema and counts"}
    return asked + engines.get(outcome.engine or "", "")


def score_words(column: ColumnDrift) -> tuple[str, str]:
    """Score and threshold, with enough digits to tell them apart: `0.312`, `0.1`.

    A threshold that somebody set is written in full, one that follows from a budget of alarms is not.
    """
    if column.score is None or column.threshold is None:
        return "no score", "no threshold"
    if column.method in METHODS:
        score, threshold = apart(column.score, column.threshold)
        return score, threshold
    return number(column.score, beside=(column.threshold,)), value(column.threshold)


def usual_words(column: ColumnDrift) -> str:
    """How far quiet nights are from the reference: `usual to 0.12`; empty where nobody knows."""
    return "" if column.usual is None else f"usual to {number(column.usual)}"


def strength_words(strength: float) -> str:
    """A strength as in `results.strength`: `4.2 times its threshold`."""
    return f"{times(strength)} times its threshold"
