"""Nights that were decided again under other settings, beside what was decided."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from pipeline.results.base import Result
from pipeline.results.decision import Decision


class Decided(Result):
    """What a night came to: its decision, and the columns that drifted, in the order of the night's columns.

    `alarm`: the columns drifted, beyond the limit or one that decides alone, and the data was not broken.
    """

    decision: Decision
    columns: tuple[str, ...]
    alarm: bool

    def differs(self, other: Decided) -> bool:
        """Whether another verdict says something else, and not the same in other words."""

        def told(found: Decided) -> tuple[object, ...]:
            decision = found.decision
            return decision.status, decision.retrain, decision.hold, found.columns

        return told(self) != told(other)


class BacktestNight(Result):
    """A published night, decided before and after the settings changed. `left_out` says why one of the two is None."""

    run_date: date
    before: Decided | None
    after: Decided | None
    left_out: str | None = None

    @property
    def changed(self) -> bool:
        """Whether anything is decided otherwise."""
        return self.before is not None and self.after is not None and self.before.differs(self.after)


class Incident(Result):
    """Nights on which something was wrong, as a person says: from `first` to `last`, both included.

    `before` and `after` are how many nights lie between its first night and the first alarm in it, 0 where that is its
    first night; None where there was no alarm. `nights` are those that were compared.
    """

    first: date
    last: date
    nights: int
    before: int | None
    after: int | None


class Alarms(Result):
    """What some nights came to: with an alarm, with a retraining asked for, and when the first alarm was.

    `false_alarms` are those outside of incidents, and `quiet_nights` all nights there; None without incidents.
    """

    alarms: int
    retrainings: int
    first_alarm: date | None = None
    false_alarms: int | None = None
    quiet_nights: int | None = None


class BacktestResult(Result):
    """The nights of a monitor from `first` to `last`, oldest first, decided again.

    `before` and `after` count the nights that were decided both ways, of which there are `compared`. `settings` are
    those that were given, by key; `against` is the file whose settings stand for what was decided, in place of what is
    stored. `not_asked` are keys in which the two files differ and that decide nothing here. `missing` are dates
    without a published night.
    """

    monitor: str
    first: date
    last: date
    settings: dict[str, str] = Field(default_factory=dict)
    against: str | None = None
    nights: tuple[BacktestNight, ...] = ()
    compared: int = 0
    before: Alarms
    after: Alarms
    incidents: tuple[Incident, ...] = ()
    not_asked: tuple[str, ...] = ()
    missing: tuple[date, ...] = ()

    @property
    def changed(self) -> tuple[BacktestNight, ...]:
        """The nights that are decided otherwise."""
        return tuple(night for night in self.nights if night.changed)

    @property
    def left_out(self) -> tuple[BacktestNight, ...]:
        """The nights that were not decided both ways."""
        return tuple(night for night in self.nights if night.left_out is not None)
