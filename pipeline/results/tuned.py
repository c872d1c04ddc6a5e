"""Settings that are proposed for a wanted rate of alarms, from nights that are there."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from pipeline.results.backtest import BacktestResult
from pipeline.results.base import Number, Result

Proposal = Literal["as_it_is", "limit", "thresholds", "budget", "nights_over", "none"]


class Tuned(Result):
    """What is proposed for a monitor, for at most one alarm in `per_nights` quiet nights, and what it costs.

    `proposal` says of which kind it is: nothing needs to change, another limit of the drift share, other thresholds, a
    budget of alarms in their place, more nights before a retraining, or none that would do. `changes` are values by the
    parts of their keys, `removed` keys that go.

    `quiet_nights` are those it goes by: outside of incidents, not known to people since (`known`: first and last date
    of each such stretch), with sound data. `needed` is from how many on settings that were chosen on them can keep the
    rate. `chance` is the fraction of nights to come that may give an alarm under the proposal, on average, if they are
    like these; None where the rate is stated without them, or not known. `backtest` has every night as it is decided by
    the file now (`before`) and by the proposal. `rejected` says why something else was not proposed.
    """

    monitor: str
    per_nights: int
    proposal: Proposal
    quiet_nights: int
    needed: int
    chance: Number | None = None
    changes: tuple[tuple[tuple[str, ...], Any], ...] = ()
    removed: tuple[tuple[str, ...], ...] = ()
    known: tuple[tuple[date, date], ...] = ()
    rejected: tuple[str, ...] = ()
    backtest: BacktestResult
