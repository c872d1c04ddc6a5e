"""For how long a monitor tells nobody by mail and chat: out of the run store, where commands note it."""

from __future__ import annotations

from datetime import date, timedelta

from pipeline.config import Mute
from pipeline.steps.contain import attempt
from pipeline.steps.night import Workspace
from pipeline.steps.notes import Notes


class NotedMute(Mute):
    """One that was noted by a command, and the user name of whoever did it."""

    by: str | None = None


_NOTES = Notes("muted.json", NotedMute, "until when the monitor is muted")


def noted(workspace: Workspace) -> tuple[NotedMute, ...]:
    """What commands noted for a monitor, the oldest first.

    Raises:
        ConfigError: it cannot be read.
    """
    return _NOTES.of(workspace)


def known(workspace: Workspace) -> tuple[NotedMute, ...]:
    """The same; none where it cannot be read, which is logged: then people are told."""
    return attempt("mute", lambda: noted(workspace), lambda _: ())


def muted_on(workspace: Workspace, day: date) -> NotedMute | None:
    """What holds back the mails about a run date, of several that which lasts longest; see `known`."""
    found = [mute for mute in known(workspace) if mute.covers(day)]
    return max(found, key=lambda mute: mute.until, default=None)


def mute_of(first: date, until: date, why: str, by: str | None) -> NotedMute:
    """A mute as a command is told of it.

    Raises:
        ConfigError: it makes no sense; says all that is wrong.
    """
    return _NOTES.made({"from": first, "until": until, "why": why, "by": by})


def mute(workspace: Workspace, wanted: NotedMute) -> bool:
    """Note a mute; whether it was not noted already.

    Raises:
        ConfigError: what was noted before cannot be read.
    """
    return _NOTES.add(workspace, wanted)


def unmute(workspace: Workspace, first: date) -> tuple[NotedMute, ...]:
    """Tell people again from a run date on: what would hold back later nights ends before it, or is taken back.

    Returns what was changed, as it was noted; nothing where that was done before. Nights before that date stay muted,
    so that they come out the same.

    Raises:
        ConfigError: what was noted cannot be read.
    """
    with workspace.store.alone(workspace.name):
        before = noted(workspace)
        changed = tuple(one for one in before if one.until >= first)
        if changed:
            _NOTES.keep(workspace, tuple(_ended(one, first) for one in before if one.first < first))
    return changed


def _ended(one: NotedMute, first: date) -> NotedMute:
    return one.model_copy(update={"until": min(one.until, first - timedelta(days=1))})
