"""`mute` and `unmute`: for how long nobody is told of a monitor's nights."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from pipeline.cli.options import Commands, add_monitor, run_date, user_name
from pipeline.config import Mute
from pipeline.config.schedule import day_that_ended
from pipeline.config.spell import LONGEST_WHY
from pipeline.errors import ConfigError
from pipeline.wording import clip

if TYPE_CHECKING:
    from pipeline.steps.muting import NotedMute
    from pipeline.steps.night import Workspace

_NEWEST = "default: yesterday (UTC), which tonight's run is about"


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    mute = commands.add_parser("mute", help="hold back a monitor's mails and messages until a day; broken data is told")
    add_monitor(mute)
    mute.add_argument("--from", dest="first", type=run_date, help=f"first run date; {_NEWEST}")
    mute.add_argument("--until", type=run_date, help=f"last run date, included; {Mute.longest.days} days at most")
    mute.add_argument("--why", help="what people read on the pages meanwhile")
    mute.add_argument("--list", action="store_true", help="print until when it is muted instead")
    mute.set_defaults(command=_mute)

    unmute = commands.add_parser("unmute", help="tell people again")
    add_monitor(unmute)
    unmute.add_argument("--from", dest="first", type=run_date, help=f"first run date that is told again; {_NEWEST}")
    unmute.set_defaults(command=_unmute)


def _mute(options: argparse.Namespace) -> int:
    from pipeline.steps import muting, pages
    from pipeline.steps.night import open_workspace

    _require_sense(options)
    workspace = open_workspace(options.monitor)
    if options.list:
        print("\n".join(_lines(workspace)))
        return 0
    wanted = muting.mute_of(options.first or _newest(), options.until, options.why, user_name())
    is_new = muting.mute(workspace, wanted)
    pages.show_notes(workspace, wanted.first, wanted.until)
    print(f"{workspace.name}: {'muted' if is_new else 'muted already'}: {_words(wanted)}")
    return 0


def _require_sense(options: argparse.Namespace) -> None:
    told = {"--from": options.first, "--until": options.until, "--why": options.why}
    if options.list:
        problems = [f"{name}: allowed: without --list" for name, value in told.items() if value is not None]
    else:
        ends = f"; a mute always ends, after {Mute.longest.days} days at most, so that nobody forgets it"
        problems = [f"--until: missing{ends}"] if options.until is None else []
        problems += ["--why: missing"] if options.why is None else []
    if problems:
        raise ConfigError(problems)


def _unmute(options: argparse.Namespace) -> int:
    from pipeline.steps import muting, pages
    from pipeline.steps.night import open_workspace

    workspace = open_workspace(options.monitor)
    first = options.first or _newest()
    changed = muting.unmute(workspace, first)
    pages.show_notes(workspace, first, date.max)  # also those that an interrupted one left as they were
    again = "told again" if changed else "not muted, so told as before"
    print(f"{workspace.name}: {again} from {first} on")
    return 0


def _newest() -> date:
    return day_that_ended(datetime.now(UTC))


def _lines(workspace: Workspace) -> list[str]:
    from pipeline.steps import muting

    return [_words(one) + _by(one) for one in muting.noted(workspace)] or [f"{workspace.name}: was never muted"]


def _by(one: NotedMute) -> str:
    return f" (by {clip(one.by, 60)})" if one.by else ""


def _words(one: Mute) -> str:
    return f"{one.first} to {one.until}  {clip(one.why, LONGEST_WHY)}"
