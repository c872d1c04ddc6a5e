"""Settings for a wanted rate of alarms, from stored nights; each proposal is one that a backtest of it bears out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.config import Monitor, monitor_files
from pipeline.config.changes import Changes
from pipeline.config.documents import Key
from pipeline.config.edit import edited
from pipeline.errors import ConfigError
from pipeline.results import BacktestNight, BacktestResult, DriftResult, Incident, Proposal, Tuned
from pipeline.steps.backtest import Asked, Span, backtest
from pipeline.steps.expecting import noted
from pipeline.steps.night import Workspace
from pipeline.wording import count, listed

if TYPE_CHECKING:
    from pipeline.checks.backtest.fitted import Column, Fitted, Scores

_NOW = "now"
_NIGHTS_OVER = ((2, 3), (3, 5), (4, 7))
_BY_THRESHOLDS = (("drift", "numerical"), ("drift", "categorical"), ("drift", "columns"))


@dataclass(frozen=True)
class Wanted:
    """At most one alarm in `per_nights` quiet nights, from the nights between two dates. `incidents`: as of `Asked`."""

    first: date
    last: date
    per_nights: int
    incidents: tuple[Span, ...] = ()

    @property
    def rate(self) -> float:
        """As a fraction of nights."""
        return 1 / self.per_nights


@dataclass(frozen=True)
class _Study:
    """What is asked of which nights. `known` are alarms that people have said since that they know of, `quiet` the
    nights outside of these and of incidents whose data was sound, `now` how the file decides all of them.
    """

    workspace: Workspace
    wanted: Wanted
    known: tuple[Span, ...]
    quiet: tuple[date, ...]
    now: BacktestResult

    @property
    def monitor(self) -> Monitor:
        """As its file is."""
        return self.workspace.monitor

    def decided_by(self, monitor: Monitor) -> BacktestResult:
        """The nights as the file decides them now, beside other settings."""
        return _decided_by(self.workspace, self.wanted, monitor, self.known)

    def alarms(self, result: BacktestResult) -> tuple[int, int]:
        """Alarms on quiet nights, and how many of these could be decided."""
        told = [night.after.alarm for night in result.nights if night.after and night.run_date in set(self.quiet)]
        return sum(told), len(told)

    def incidents(self, result: BacktestResult) -> tuple[Incident, ...]:
        """When each incident was found; not of what is known."""
        return result.incidents[: len(self.wanted.incidents)]


@dataclass(frozen=True)
class _Tried:
    """Settings that may be proposed, what to call them, and what the nights come to under them."""

    proposal: Proposal
    words: str
    changes: Changes
    result: BacktestResult
    chance: float | None = None


def tune(workspace: Workspace, wanted: Wanted) -> Tuned:
    """Settings that would have kept quiet nights within the wanted rate, and lose no incident that was found.

    Of a limit and thresholds those that find incidents the soonest, with the fewest changes; else a budget of alarms,
    else more nights before a retraining. No snapshot is read, and nothing is written.

    Raises:
        ResultMissing: there is no such night.
        ConfigError: what was noted as expected cannot be read.
    """
    study = _study(workspace, wanted)
    rejected: list[str] = []
    found = _chosen(study, rejected) or _Tried("none", "", {}, study.now)
    return Tuned(
        monitor=workspace.name,
        per_nights=wanted.per_nights,
        proposal=found.proposal,
        quiet_nights=len(study.quiet),
        needed=wanted.per_nights - 1,
        chance=found.chance,
        changes=tuple((tuple(map(str, key)), value) for key, value in found.changes.items()),
        removed=_BY_THRESHOLDS if found.proposal == "budget" else (),
        known=study.known,
        rejected=tuple(rejected),
        backtest=found.result,
    )


def written(workspace: Workspace, tuned: Tuned) -> tuple[Path, str, str]:
    """The monitor's file, its text as it is, and as it would be with what is proposed.

    Raises:
        ConfigError: the proposal cannot be put into the file as it is laid out; names the settings.
    """
    path = Path(workspace.settings.monitors_dir) / f"{workspace.name}.yaml"
    before = path.read_bytes().decode()
    changes: dict[Key, Any] = {(*key,): value for key, value in tuned.changes}
    after, read = before, None
    with suppress(ValueError, ConfigError), tempfile.TemporaryDirectory(prefix="nightjar-") as folder:
        after = edited(before, changes, tuned.removed)
        copy = Path(folder) / path.name
        copy.write_bytes(after.encode())
        read = monitor_files.load_version(copy, workspace.name)
    if read != monitor_files.load_changed(workspace.name, workspace.settings, changes):
        settings = listed([f"{'.'.join(key)}: {value}" for key, value in tuned.changes], len(tuned.changes))
        raise ConfigError([f"{path}: is laid out so that this cannot be put into it; set by hand: {settings}"])
    return path, before, after


# -- which nights count -----------------------------------------------------------------------------------------------


def _study(workspace: Workspace, wanted: Wanted) -> _Study:
    now = _decided_by(workspace, wanted, workspace.monitor, ())
    known = _known(workspace, wanted, now)
    if known:
        now = _decided_by(workspace, wanted, workspace.monitor, known)
    quiet = tuple(
        night.run_date
        for night in now.nights
        if night.after is not None
        and night.after.decision.status != "data_broken"
        and not _within(night.run_date, (*wanted.incidents, *known))
    )
    return _Study(workspace, wanted, known, quiet, now)


def _decided_by(workspace: Workspace, wanted: Wanted, monitor: Monitor, known: tuple[Span, ...]) -> BacktestResult:
    asked = Asked(
        first=wanted.first,
        last=wanted.last,
        monitor=monitor,
        before=workspace.monitor,
        against=_NOW,
        incidents=(*wanted.incidents, *known),
    )
    return backtest(workspace, asked)


def _known(workspace: Workspace, wanted: Wanted, now: BacktestResult) -> tuple[Span, ...]:
    """Stretches of alarms on columns whose change people have said since that they know of."""
    changes = (*workspace.monitor.expected, *noted(workspace))

    def is_known(night: BacktestNight) -> bool:
        if night.after is None or not night.after.alarm or _within(night.run_date, wanted.incidents):
            return False
        covered = {name for change in changes if change.covers(night.run_date) for name in change.columns}
        return not covered.isdisjoint(night.after.columns)

    runs = (list(run) for marked, run in groupby(now.nights, is_known) if marked)
    return tuple((run[0].run_date, run[-1].run_date) for run in runs)


def _within(day: date, spans: Iterable[Span]) -> bool:
    return any(first <= day <= last for first, last in spans)


# -- what would do ----------------------------------------------------------------------------------------------------


def _chosen(study: _Study, rejected: list[str]) -> _Tried | None:
    """The first kind of settings of which some hold; what speaks against others goes to `rejected`."""
    if study.monitor.drift.alarms is None and len(study.quiet) >= study.wanted.per_nights - 1:
        held = [item for item in _fixed(study) if _holds(study, item, rejected)]
        if held:
            return min(held, key=lambda item: _cost(study, item))
    budget = _budget(study)
    if _holds(study, budget, rejected):
        return budget
    return next((item for item in _nights_over(study) if _holds_back(study, item, rejected)), None)


def _cost(study: _Study, tried: _Tried) -> tuple[int, int, int]:
    """The less, the better: incidents that are not found, nights to find the others, settings that change."""
    waits = [item.after for item in study.incidents(tried.result)]
    return waits.count(None), sum(wait or 0 for wait in waits), len(tried.changes)


def _fixed(study: _Study) -> Iterator[_Tried]:
    """As it is, stricter thresholds, a limit alone, and where there are incidents to find, looser thresholds too."""
    from pipeline.checks.backtest.fitted import chance_of, fitted_limit, fitted_thresholds

    found, limit, rate = _scores(study), study.monitor.drift.limit, study.wanted.rate
    yield _Tried("as_it_is", "the file as it is", {}, study.now, chance_of(*study.alarms(study.now)))
    ladders: list[tuple[Proposal, str, Fitted | None]] = [
        ("thresholds", "stricter thresholds", fitted_thresholds(found, limit, rate)),
        ("limit", "another limit", fitted_limit(found, limit, rate)),
    ]
    if study.wanted.incidents:
        looser = fitted_thresholds(found, limit, rate, looser=True)
        ladders.append(("thresholds", "thresholds of their own for all columns", looser))
    for proposal, words, fitted in ladders:
        if fitted is not None:
            changes: dict[Key, Any] = {
                ("drift", "columns", name, "threshold"): threshold for name, threshold in fitted.thresholds.items()
            }
            changes |= {} if fitted.limit in (None, limit) else {("drift", "limit"): fitted.limit}
            if changes:
                yield _try(study, proposal, words, changes, fitted.chance)


def _budget(study: _Study) -> _Tried:
    alarms, nights = study.monitor.drift.alarms, study.wanted.per_nights
    if alarms is not None and alarms.per_nights == nights:
        return _Tried("as_it_is", "the budget as it is", {}, study.now)
    changes: dict[Key, Any] = {("drift", "alarms"): {"per_nights": nights}}
    if alarms is not None:
        changes = {("drift", "alarms", "per_nights"): nights}
    return _try(study, "budget", f"a budget of one alarm in {count(nights, 'night')}", changes)


def _nights_over(study: _Study) -> Iterator[_Tried]:
    policy = study.monitor.retrain
    for least, of in _NIGHTS_OVER if "drift" in policy.on else ():
        if least > policy.nights_over.at_least:
            words = f"{count(least)} of {count(of, 'night')} before a retraining"
            yield _try(study, "nights_over", words, {("retrain", "nights_over"): {"at_least": least, "of": of}})


def _try(study: _Study, proposal: Proposal, words: str, changes: Changes, chance: float | None = None) -> _Tried:
    monitor = monitor_files.load_changed(study.workspace.name, study.workspace.settings, changes)
    return _Tried(proposal, words, changes, study.decided_by(monitor), chance)


# -- what holds -------------------------------------------------------------------------------------------------------


def _holds(study: _Study, tried: _Tried, rejected: list[str]) -> bool:
    """Whether the backtest bears it out: settings that these nights chose, or a rate that is stated without them."""
    from pipeline.checks.backtest.fitted import chance_of, unlikely

    alarms, nights = study.alarms(tried.result)
    stated = tried.chance is None
    too_many = unlikely(alarms, nights, study.wanted.rate) if stated else chance_of(alarms, nights) > study.wanted.rate
    lost = [_days(item) for item in study.incidents(tried.result) if item.before is not None and item.after is None]
    why = ""
    if not nights:
        why = "none of the quiet nights can be decided again so"
    elif too_many:
        why = f"{count(alarms, 'alarm')} on {count(nights, 'quiet night')}"
    elif lost:
        why = f"no longer finds what was wrong on {listed(lost)}"
    if why:
        rejected.append(f"{tried.words}: {why}")
    return not why


def _holds_back(study: _Study, tried: _Tried, rejected: list[str]) -> bool:
    """The same of retrainings, which are all that more nights hold back."""
    nights = tried.result.nights
    before = {night.run_date for night in nights if night.before and night.before.decision.retrain}
    after = {night.run_date for night in nights if night.after and night.after.decision.retrain}
    many, quiet = len(after.intersection(study.quiet)), len(study.quiet)
    lost = [_days(item) for item in study.incidents(tried.result) if _any(before, item) and not _any(after, item)]
    if not before.intersection(study.quiet):
        return False
    if many > quiet * study.wanted.rate:
        rejected.append(f"{tried.words}: {count(many, 'retraining')} on {count(quiet, 'quiet night')}")
    elif lost:
        rejected.append(f"{tried.words}: no longer asks for one on {listed(lost)}")
    else:
        return True
    return False


def _any(days: Iterable[date], incident: Incident) -> bool:
    return any(incident.first <= day <= incident.last for day in days)


def _days(incident: Incident) -> str:
    return f"{incident.first}..{incident.last}"


# -- the scores -------------------------------------------------------------------------------------------------------


def _scores(study: _Study) -> Scores:
    """Every column of the quiet nights by the method that compared it."""
    import numpy as np

    from pipeline.checks.backtest.fitted import Scores

    nights = [drift for day in study.quiet if (drift := study.workspace.on(day).read(DriftResult)) is not None]
    columns = _columns(study.monitor, nights)
    places = {(column.name, column.method): place for place, column in enumerate(columns)}
    scores, parts = (np.full((len(nights), len(columns)), fill) for fill in (np.nan, 0.0))
    for row, night in enumerate(nights):
        weights = _parts(study.monitor, night)
        for item in night.columns:
            place = places.get((item.name, str(item.method)))
            if place is not None and item.name in weights:
                parts[row, place] = weights[item.name]
                scores[row, place] = np.nan if item.name in night.expected else item.score
    return Scores(columns, scores, parts)


def _columns(monitor: Monitor, nights: Sequence[DriftResult]) -> list[Column]:
    from pipeline.checks.backtest.fitted import Column
    from pipeline.checks.drift.measure import plan_column
    from pipeline.checks.drift.statistics import METHODS

    found = {
        (item.name, str(item.method)): item.kind
        for night in nights
        for item in night.columns
        if item.status == "evaluated" and item.method in METHODS
    }
    names = [name for name, _ in found]
    columns = []
    for (name, method), kind in found.items():
        threshold = plan_column(name, kind, monitor).threshold
        columns.append(
            Column(
                name=name,
                method=method,
                threshold=METHODS[method].default_threshold if threshold is None else threshold,
                critical=name in monitor.drift.critical,
                fixed=names.count(name) > 1,
            )
        )
    return columns


def _parts(monitor: Monitor, night: DriftResult) -> Mapping[str, float]:
    """How much of the night's drift share each column is."""
    evaluated = [item for item in night.columns if item.status == "evaluated" and item.expected is None]
    weights = {item.name: item.importance or 0.0 for item in evaluated}
    total = sum(weights.values())
    if monitor.drift.share == "importance" and total > 0:
        return {name: weight / total for name, weight in weights.items()}
    return {item.name: 1 / len(evaluated) for item in evaluated}
