"""Stored nights decided again under other settings, from what was kept of them: no snapshot is read.

Each night is decided as if the settings had been in force from the first one on: what a changed verdict does to later
nights (which ones were quiet, how many asked before, the cooldown) follows the new verdicts. Nights before the first
one count as they are stored, and so does what people and champions did.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pipeline.config import Monitor
from pipeline.errors import ConfigError, ResultMissing
from pipeline.results import (
    BacktestNight,
    BacktestResult,
    Decided,
    Decision,
    DriftResult,
    NightProfile,
    PerformanceResult,
    QualityResult,
    SnapshotPair,
)
from pipeline.steps import standing
from pipeline.steps.night import Night, Workspace
from pipeline.steps.past_nights import past_nights
from pipeline.steps.retold import RetoldStore
from pipeline.wording import count

if TYPE_CHECKING:
    from pipeline.checks.policy import Circumstances

Span = tuple[date, date]
_LABELLED = re.compile(r"([\d,]+) labelled production rows? in the last")
_BACKFILLED = "an old night was run again"
_OLDER = "its results are those of a version that kept less"


@dataclass(frozen=True)
class Asked:
    """What is asked of the past: the nights from `first` to `last` under the settings of `monitor`.

    `before`: another version of its settings, for what was decided; None for what is stored. `settings` and `against`
    are what to call both. `incidents`: first and last date of each.
    """

    first: date
    last: date
    monitor: Monitor
    before: Monitor | None = None
    settings: tuple[tuple[str, str], ...] = ()
    against: str | None = None
    incidents: tuple[Span, ...] = ()


@dataclass(frozen=True)
class _Told:
    """A night: what is stored of it, and what it comes to under some settings, or why that cannot be said."""

    stored: Decided | None
    decided: Decided | None
    left_out: str | None = None


def backtest(workspace: Workspace, asked: Asked) -> BacktestResult:
    """Decide nights again, beside what was decided.

    Args:
        workspace: the monitor as its file is.
        asked: which nights, under which settings.

    Raises:
        ConfigError: settings name a method or a column that the nights do not have.
        ResultMissing: there is no such night.
    """
    from pipeline.checks.backtest.counted import counted, decided_twice, incident

    _require_same_methods(asked.before or workspace.monitor, asked.monitor, asked.against)
    dates = _dates(workspace, asked)
    _require_known_columns(workspace, asked, dates)
    with _nothing_collected():
        after = _retold(workspace, asked.monitor, dates)
        before = after
        if asked.before is None:
            before = [_Told(told.stored, told.stored) for told in after]
        elif asked.before != asked.monitor:
            before = _retold(workspace, asked.before, dates)
    nights = tuple(_night(day, old, new) for day, old, new in zip(dates, before, after, strict=True))
    both = decided_twice(nights)
    all_dates = (asked.first + timedelta(days=days) for days in range((asked.last - asked.first).days + 1))
    return BacktestResult(
        monitor=workspace.name,
        first=asked.first,
        last=asked.last,
        settings=dict(asked.settings),
        against=asked.against,
        nights=nights,
        compared=len(both),
        before=counted(both, lambda night: night.before, asked.incidents),
        after=counted(both, lambda night: night.after, asked.incidents),
        incidents=tuple(incident(both, span) for span in asked.incidents),
        not_asked=() if asked.before is None else _differing(asked.before, asked.monitor),
        missing=tuple(day for day in all_dates if day not in set(dates)),
    )


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Profiles are millions of numbers in no cycle: looking for cycles among them takes as long as reading them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _dates(workspace: Workspace, asked: Asked) -> list[date]:
    known = workspace.nights()
    found = [day for day in known if asked.first <= day <= asked.last]
    if not found:
        there = f"from {known[0]} to {known[-1]}" if known else "none yet"
        raise ResultMissing(
            f"{workspace.name}: no night from {asked.first} to {asked.last} is published; those that are: {there}"
        )
    return found


def _night(day: date, before: _Told, after: _Told) -> BacktestNight:
    why = before.left_out or after.left_out
    return BacktestNight(run_date=day, before=before.decided, after=after.decided, left_out=why)


def _decided(decision: Decision, drift: DriftResult) -> Decided:
    return Decided(
        decision=decision,
        columns=tuple(item.name for item in drift.columns if item.drifted),
        alarm=drift.drifted and decision.status != "data_broken",
    )


def _retold(workspace: Workspace, monitor: Monitor, dates: Sequence[date]) -> list[_Told]:
    """The nights under some settings, one after the other, each on top of those before it, and a late one on top of
    the one that came first.
    """
    store = RetoldStore(workspace.settings.store)
    nights = {day: Night(monitor, workspace.settings, store, day) for day in dates}
    found = {day: _decide_again(nights[day], store) for day in sorted(dates, key=lambda day: _place(nights, day))}
    return [found[day] for day in dates]


def _place(nights: Mapping[date, Night], day: date) -> tuple[date, int, date]:
    """Where a night comes: behind the later one that it knew of, if it was late."""
    decision = nights[day].read(Decision) if day in nights else None
    if decision is None or decision.later is None:
        return day, 0, day
    first, depth, _ = _place(nights, decision.later)
    return first, depth + 1, day


def _decide_again(night: Night, store: RetoldStore) -> _Told:
    """The steps `measure_drift` and `decide` of a night, with what was kept in place of rows."""
    from pipeline.checks import policy
    from pipeline.checks.backtest.again import NotKept, judged_again

    pair, quality = night.read(SnapshotPair), night.read(QualityResult)
    drift, old = night.read(DriftResult), night.read(Decision)
    if pair is None or quality is None or drift is None or old is None:
        return _Told(None, None, _OLDER)
    stored, budget = _decided(old, drift), night.monitor.drift.alarms
    profile, past = None if budget is None else night.read(NightProfile), past_nights(night)
    try:
        drift, profile = judged_again(night.monitor, night.run_date, drift, profile, past)
    except NotKept as reason:
        return _Told(stored, None, str(reason))
    performance = night.read(PerformanceResult)
    asks = bool(policy.causes_of(drift, performance))
    found = _circumstances(night, pair, old, asks, performance)
    decision = policy.decide(quality, drift, night.monitor.retrain, found, performance)
    known = {"backfill": old.backfill, "labelled_rows": old.labelled_rows, "later": found.later}
    decision = decision.model_copy(update=known)
    store.tell(night.name, night.run_date, decision, drift, *([] if profile is None else [profile]))
    if old.retrain and not decision.retrain:
        store.drop(night.retraining_place, night.run_date)
    return _Told(stored, _decided(decision, drift))


def _circumstances(
    night: Night, pair: SnapshotPair, old: Decision, asks: bool, performance: PerformanceResult | None
) -> Circumstances:
    backfill = old.backfill or _BACKFILLED in old.reason  # decisions of older versions say it in words only
    found = standing.circumstances(night, pair, asked=False, backfill=backfill)
    later = None if old.later is None else standing.later_request(night)
    labelled = _labelled_rows(night, old, performance) if asks else None
    return replace(found, labelled_rows=labelled, later=later, backfill=backfill, asked=False)


def _labelled_rows(night: Night, old: Decision, performance: PerformanceResult | None) -> int | None:
    """The labelled rows of the retraining window, as far as it was kept how many there were; None where nobody knows,
    and so nothing waits for them.

    A night that asked for a retraining counted them, until there were enough. Of another one it is known how many each
    day had that it looked at.
    """
    if night.monitor.columns.label is None:
        return None
    told = _LABELLED.search(old.reason)
    if told is not None:  # too few, and so counted to the end
        return int(told[1].replace(",", ""))
    if old.causes and old.status != "data_broken" and old.labelled_rows is None:
        return None  # an older version found enough, and did not say how many
    days = _labelled_days(night, performance)
    known = [*([] if old.labelled_rows is None else [old.labelled_rows]), *([] if days is None else [days])]
    return max(known, default=None)


def _labelled_days(night: Night, performance: PerformanceResult | None) -> int | None:
    from pipeline.retrain.data.training_set import window

    if performance is None or performance.status not in ("measured", "awaiting_labels"):
        return None
    due = set(window(night.monitor, night.run_date))
    days = [day for day in performance.nights if day.day in due and day.labelled_rows]
    return sum(day.labelled_rows for day in days if _is_sound(night.on(day.day)))


def _is_sound(night: Night) -> bool:
    quality = night.read(QualityResult)
    return quality is None or quality.passed


# -- what may be asked ------------------------------------------------------------------------------------------------


def _require_same_methods(before: Monitor, after: Monitor, against: str | None) -> None:
    """Scores were kept, rows were not."""
    if after.drift.alarms is not None or before.drift.alarms is not None:
        return
    ours, theirs = _methods(after), _methods(before)
    changed = [key for key in {**ours, **theirs} if ours.get(key, "auto") != theirs.get(key, "auto")]
    if changed:
        where = "this monitor's file" if against is None else against
        why = "the nights have scores of that method, and another one needs their rows, which are not kept"
        raise ConfigError(
            [
                f"{'--' if against is None else ''}{key}: found {ours.get(key, 'auto')!r}; allowed: "
                f"{theirs.get(key, 'auto')!r}, as in {where}: {why}"
                for key in changed
            ]
        )


def _methods(monitor: Monitor) -> dict[str, str]:
    drift = monitor.drift
    kinds = {"drift.numerical.method": drift.numerical.method, "drift.categorical.method": drift.categorical.method}
    return kinds | {f"drift.columns.{name}.method": policy.method for name, policy in drift.columns.items()}


def _require_known_columns(workspace: Workspace, asked: Asked, dates: Sequence[date]) -> None:
    """A threshold of a column that no night has would change nothing, and nobody would know why."""
    if asked.before is not None:
        return
    ours, theirs = asked.monitor.drift, workspace.monitor.drift
    named = {name: f"drift.columns.{name}" for name in ours.columns if name not in theirs.columns}
    named |= {name: "drift.critical" for name in ours.critical if name not in theirs.critical}
    if not named:
        return
    drifts = (workspace.on(day).read(DriftResult) for day in dates)
    known = {column.name for drift in drifts if drift is not None for column in drift.columns}
    problems = []
    for name, key in named.items():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            problems.append(f"--{key}: none of the {count(len(dates), 'night')} compared a column {name!r}{hint}")
    if problems:
        raise ConfigError(problems)


def _differing(before: Monitor, after: Monitor) -> tuple[str, ...]:
    """Keys in which two versions of a file differ, outside of what is decided again."""
    ours, theirs = after.model_dump(), before.model_dump()
    found = []
    for name in ours:
        if name in ("drift", "retrain") or ours[name] == theirs[name]:
            continue
        section = ours[name]
        nested = isinstance(section, dict) and isinstance(theirs[name], dict)
        keys = [f"{name}.{key}" for key in section if section[key] != theirs[name].get(key)] if nested else [name]
        found += keys
    return tuple(found)
