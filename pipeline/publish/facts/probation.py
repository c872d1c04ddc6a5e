"""A new champion on probation and a challenger in the shadow, in words: the same on every page and in every mail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from pipeline.config import Monitor
from pipeline.publish.facts.retraining import MAX_VERSION, PastRetraining
from pipeline.publish.facts.words import actor
from pipeline.results import Done, Loss, ProbationResult, Result, Watch
from pipeline.wording import clip

LOSSES: dict[Loss, str] = {
    "error": "error rate",
    "log_loss": "log loss",
    "absolute_error": "mean absolute error",
}

_SETTLED = ("kept", "rolled_back")


class PastWatch(Result):
    """What history remembers of a champion on probation: `version` beside `against`, the one before it."""

    version: str
    against: str
    since: date
    until: date
    done: Done

    @property
    def versions(self) -> tuple[str, str]:
        """Both as they are written: `version 3`, `version 2`."""
        return version_words(self.version), version_words(self.against)

    @property
    def outcome(self) -> str:
        """The same in a few words."""
        version, against = self.versions
        if self.done == "rolled_back":
            return f"champion rolled back to {against}"
        return f"a person decides whether to roll {version} back" if self.done == "proposed" else ""

    @property
    def told(self) -> str:
        """What people have to hear of it among other things: a rollback, or that one is asked for; else nothing."""
        version, against = self.versions
        if self.done == "rolled_back":
            return f"{version} was worse in its probation: rolled back to {against}"
        if self.done == "proposed":
            return f"{version} is worse than {against} in its probation: a person decides whether to roll back"
        return ""


def remember_probation(found: ProbationResult | None) -> PastWatch | None:
    """A champion on probation as history keeps it; None where there was none."""
    if found is None or found.probation is None:
        return None
    watch = found.probation
    return PastWatch(
        version=watch.version, against=watch.against, since=watch.since, until=watch.until, done=watch.done
    )


def standing_words(
    newest: date, nights: Sequence[tuple[date, PastWatch]], retrainings: Iterable[PastRetraining]
) -> str:
    """Whether the champion is on probation, or what became of the last one that was; empty where there is none to tell.

    Args:
        newest: the monitor's newest night.
        nights: those that knew of a probation, oldest first.
        retrainings: a later promotion makes what was found before it old.
    """
    if not nights:
        return ""
    day, watch = nights[-1]
    version, against = watch.versions
    is_old = any(item.promoted and item.run_date >= day for item in retrainings)
    is_over = day < newest or is_answered(watch, retrainings)
    if is_old or (is_over and watch.done not in _SETTLED):
        return ""
    words = {
        "watching": f"is on probation until {watch.until}, against {against}",
        "kept": f"has stood its probation against {against}",
        "rolled_back": f"was worse in its probation, and was rolled back to {against} on {day}",
        "proposed": f"is worse than {against} in its probation: a person decides whether to roll back",
        "not_possible": f"is on probation until {watch.until}, but cannot be compared with {against}",
    }
    return f"{version.capitalize()} {words[watch.done]}."


def is_answered(watch: PastWatch, retrainings: Iterable[PastRetraining]) -> bool:
    """Whether a person has put back the version that is under watch."""
    return any(item.version == watch.version and item.since == "rolled back" for item in retrainings)


def done_words(monitor: Monitor, watch: Watch) -> str:
    """What was done, and what is done next, in a sentence or two."""
    version, against = version_words(watch.version), version_words(watch.against)
    if watch.kind == "shadow":
        if watch.done == "not_possible":
            return "The two cannot be compared."
        return f"Nothing is decided on this: it is for whoever decides whether {version} is promoted."
    return {
        "watching": f"Nothing is decided yet; both answer until {watch.until}, and labels may come after that.",
        "kept": f"{version.capitalize()} stays the champion.",
        "rolled_back": f"Rolled back: {against} is the champion again.",
        "proposed": f"{version.capitalize()} is worse, and stays the champion until a person decides. {actor(monitor)} "
        f"goes back to {against} with:",
        "not_possible": f"{version.capitalize()} stays the champion, without a comparison.",
    }[watch.done]


def rollback_command(monitor: Monitor, watch: Watch | None) -> str | None:
    """The command that a person is asked for, where one is."""
    if watch is None or watch.done != "proposed":
        return None
    return f"python -m pipeline rollback {monitor.name} --from {clip(watch.version, MAX_VERSION)}"


def version_words(version: str) -> str:
    """`version 3`."""
    return f"version {clip(version, MAX_VERSION)}"
