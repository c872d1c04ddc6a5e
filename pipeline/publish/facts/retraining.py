"""What came of a retraining, in the words that its page, its mail, the time line and the night's page share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal

from pipeline.results import Number, Result, RetrainResult, RetrainStatus, Since
from pipeline.wording import apart, clip, measured, metric_name

Sign = Literal["healthy", "drifted", "data_broken", "absent"]
MAX_VERSION = 20
_HEADLINES: dict[RetrainStatus, str] = {
    "promoted": "promoted version {}",
    "proposed": "proposes version {}",
    "rejected": "rejected version {}",
    "superseded": "left version {} waiting",
    "no_labels": "not done: no labels",
    "too_few_labels": "not done: too few labels",
    "quality_failed": "not done: the training data is broken",
    "failed": "failed",
}
_SIGNS: dict[RetrainStatus, Sign] = {
    "promoted": "healthy",
    "proposed": "drifted",
    "superseded": "drifted",
    "rejected": "absent",
    "no_labels": "absent",
    "too_few_labels": "absent",
    "quality_failed": "data_broken",
    "failed": "data_broken",
}


class PastRetraining(Result):
    """What the pages of a monitor remember of a retraining; strict JSON like every result.

    `version` is the one that was trained, if it came to one; `challenger` and `champion` are its main metric.
    `since` is what became of it afterwards: what a person did to it, or that it did not stand its probation.
    """

    run_date: date
    status: RetrainStatus
    version: str | None = None
    metric: str | None = None
    challenger: Number | None = None
    champion: Number | None = None
    since: Since | None = None

    @property
    def headline(self) -> str:
        """`promoted version 3, rolled back since`; ASCII where versions are, so that it can go into any header."""
        words = _HEADLINES[self.status]
        version = "a version" if self.version is None else f"version {clip(self.version, MAX_VERSION)}"
        return words.replace("version {}", version) + (f", {self.since} since" if self.since else "")

    @property
    def figures(self) -> str:
        """`ROC AUC 0.812 against 0.780`; empty where nothing was measured."""
        if self.metric is None or self.challenger is None:
            return ""
        values = " against ".join(filter(None, both_words(self.challenger, self.champion)))
        return f"{metric_name(self.metric)} {values}"

    @property
    def words(self) -> str:
        """Headline and figures in a line."""
        return f"{self.headline}, {self.figures}" if self.figures else self.headline

    def meaning(self, *, follows: bool) -> str:
        """What it means for the champion, in a sentence; `follows`: the reference is what the champion learnt from."""
        if self.since == "rolled back in its probation":
            return "It was worse in its probation, and the champion before it is back."
        if self.since is not None:
            return "A person has moved the champion since."
        if self.promoted:
            return champion_words(follows=follows)
        waits = self.status in ("proposed", "superseded")
        return "The champion stays until a person decides." if waits else "The champion stays."

    @property
    def sign(self) -> Sign:
        """The state whose sign and colour stand for the outcome."""
        if self.since is not None:
            return "healthy" if self.promoted else "absent"
        return _SIGNS[self.status]

    @property
    def promoted(self) -> bool:
        """Whether the version became the champion, and nobody has put it back."""
        return self.since == "promoted by hand" or (self.status == "promoted" and self.since is None)

    @property
    def served(self) -> bool:
        """Whether the version was the champion for a time that charts can show: a night knows when that ended."""
        return self.promoted or self.since == "rolled back in its probation"

    @property
    def subject(self) -> str:
        """The mail's subject, without the monitor."""
        figures = f": {self.figures}" if self.figures else ""
        return f"retraining {self.headline} on {self.run_date}{figures}"


def champion_words(what: str = "It", *, follows: bool) -> str:
    """That a version is the champion, and what nights are compared with from now on."""
    if follows:
        return f"{what} is the champion, and what it learnt from is the new reference."
    return (
        f"{what} is the champion. The reference stays what the monitor file names, so what the new model has learnt "
        "remains drift; `reference: champion` lets it follow."
    )


class Retrainings(Result):
    """The published retrainings of a monitor, oldest first."""

    retrainings: tuple[PastRetraining, ...]


def remember(result: RetrainResult) -> PastRetraining:
    """A retraining as the monitor's pages keep it."""
    main = None if result.evaluation is None else result.evaluation.main
    return PastRetraining(
        run_date=result.run_date,
        status=result.status,
        version=result.lineage.version if result.lineage else None,
        metric=main.name if main else None,
        challenger=main.challenger if main else None,
        champion=main.champion if main else None,
        since=result.since,
    )


def by_date(retrainings: Iterable[PastRetraining]) -> dict[date, PastRetraining]:
    """Retrainings by their run date."""
    return {item.run_date: item for item in retrainings}


def both_words(challenger: float | None, champion: float | None) -> tuple[str, str]:
    """A metric of both models, with digits enough to tell them apart: `0.812`, `0.780`; empty where there is none."""
    if challenger is None or champion is None:
        one, other = ("" if found is None else measured(found) for found in (challenger, champion))
        return one, other
    one, other = apart(challenger, champion, write=measured)
    return one, other
