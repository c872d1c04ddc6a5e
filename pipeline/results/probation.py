"""Two versions of a model that answer the same rows: a new champion on probation, or a challenger that waits."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pipeline.results.base import Kept, Number, Result
from pipeline.results.metric_kinds import Task
from pipeline.results.retraining import MetricComparison

Loss = Literal["error", "log_loss", "absolute_error"]
Done = Literal["watching", "kept", "rolled_back", "proposed", "not_possible"]


class LossComparison(Result):
    """What each version loses on a labelled row, in the mean, and the difference with its interval.

    `loss` is `error` (0 or 1), `log_loss` (in nats) or `absolute_error` (in the label's unit), of so many `rows`.
    `difference` is `version` less `against`: positive where the version under watch is worse. `low` and `high` hold it
    with 95% over all nights on which somebody looks, however many they are, and not only tonight; None where the rows
    are too few.
    """

    loss: Loss
    rows: int
    version: Number
    against: Number
    difference: Number
    low: Number | None = None
    high: Number | None = None


class Watch(Result):
    """A version that answers the rows of the nights from `since` to `until` beside another one.

    `night` is the one on which this was found.
    `kind`: `probation` (the champion, `against` the one before it) or `shadow` (a challenger that waits, `against` the
    champion). `nights` were answered by both, `rows` is how many rows they have; `labelled_nights` and `labelled_rows`
    are those with labels so far. Of ids that come again only the first labelled row counts; `repeated_rows` are the
    others. `agreement` is the share of equal predictions, of a regression None; then `correlation` and
    `mean_difference` (`version` less `against`) say how far they agree.

    `main` is the metric that decides retrainings, on the labelled rows, `improvement` positive where the version under
    watch is better; `loss` is what `decision` rests on. `decision`: `open`, `better` or `worse`, beyond the noise.
    `done`: `watching`; `kept`, when it was better or its time is over; `rolled_back`; `proposed`, when a person is
    asked; `not_possible`, when one of the two cannot be asked. `answered` says how far they agree,
    `sentence` what the labels say, `notes` what was left out.
    """

    kind: Literal["probation", "shadow"]
    version: str
    against: str
    since: date
    until: date
    night: date
    task: Task | None = None
    nights: int = 0
    rows: int = 0
    labelled_nights: int = 0
    labelled_rows: int = 0
    repeated_rows: int = 0
    agreement: Number | None = None
    correlation: Number | None = None
    mean_difference: Number | None = None
    main: MetricComparison | None = None
    loss: LossComparison | None = None
    decision: Literal["open", "better", "worse"] = "open"
    done: Done = "watching"
    answered: str = ""
    sentence: str = ""
    notes: tuple[str, ...] = ()


class ProbationResult(Kept):
    """What a night knows of the versions that answer beside each other; `probation` and `shadow` are None where nothing
    is watched. `notes` say why, where something is wrong.
    """

    file: ClassVar[str] = "probation"

    monitor: str
    run_date: date
    probation: Watch | None = None
    shadow: Watch | None = None
    notes: tuple[str, ...] = ()

    @property
    def rolled_back(self) -> bool:
        """Whether the champion was undone on this night."""
        return self.probation is not None and self.probation.done == "rolled_back"

    @property
    def words(self) -> str:
        """The outcome in one line."""
        found = [watch.sentence for watch in (self.probation, self.shadow) if watch is not None]
        return "; ".join([*found, *self.notes]) or "no version is on probation"
