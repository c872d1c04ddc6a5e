"""What people expect of a monitor's data: out of its file, and out of the run store, where commands note it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from pipeline.config import ExpectedChange
from pipeline.errors import ConfigError, ResultMissing
from pipeline.results import DriftResult
from pipeline.steps.night import Night, Workspace
from pipeline.steps.notes import Notes

_ACKNOWLEDGED_DAYS = 14


class NotedChange(ExpectedChange):
    """One that was noted by a command, and the user name of whoever did it."""

    by: str | None = None


_NOTES = Notes("expected.json", NotedChange, "what is expected")


def expected_on(night: Night) -> tuple[ExpectedChange, ...]:
    """The changes that are expected on a night, those of the file first.

    Raises:
        ConfigError: what was noted cannot be read.
    """
    found = (*night.monitor.expected, *noted(night))
    return tuple(change for change in found if change.covers(night.run_date))


def noted(workspace: Workspace) -> tuple[NotedChange, ...]:
    """What commands noted for a monitor, the oldest first.

    Raises:
        ConfigError: it cannot be read.
    """
    return _NOTES.of(workspace)


def change_of(columns: Sequence[str], first: date, until: date, why: str, by: str | None) -> NotedChange:
    """A change as a command is told of it.

    Raises:
        ConfigError: it makes no sense; says all that is wrong.
    """
    return _NOTES.made({"columns": tuple(columns), "from": first, "until": until, "why": why, "by": by})


def expect(workspace: Workspace, change: NotedChange) -> bool:
    """Note a change; whether it was not noted already.

    Raises:
        ConfigError: what was noted before cannot be read.
    """
    return _NOTES.add(workspace, change)


def withdraw(workspace: Workspace, name: str) -> NotedChange | None:
    """Take back what was noted; what it was, None where it is not noted, as after it was taken back.

    Args:
        workspace: whose.
        name: see `pipeline.steps.notes.name_of`.

    Raises:
        ConfigError: what was noted cannot be read.
    """
    return _NOTES.remove(workspace, name)


def acknowledge(night: Night, until: date | None, why: str, by: str | None) -> NotedChange:
    """What drifted on a published night, as a change that is expected from that night on; it is not noted yet.

    Args:
        night: the night.
        until: the last day; by default two weeks later.
        why: why it changed.
        by: the user name of whoever acknowledges it.

    Raises:
        ResultMissing: there is no such night.
        ConfigError: nothing drifted on it, or the rest makes no sense.
    """
    drift = night.read(DriftResult)
    if drift is None:
        raise ResultMissing(f"{night.uri('drift.json')}: no such night is published; only such a night is acknowledged")
    names = [item.name for item in drift.drifted_columns]
    if not names:
        raise ConfigError([f"{night.name}: no column drifted on {night.run_date}; there is nothing to acknowledge"])
    last = night.run_date + timedelta(days=_ACKNOWLEDGED_DAYS) if until is None else until
    return change_of(names, night.run_date, last, why, by)
