"""`expect` and `ack`: changes of the data that people know of."""

from __future__ import annotations

import argparse
import csv
import re
from typing import TYPE_CHECKING

from pipeline.cli.options import Commands, add_monitor, run_date, user_name
from pipeline.config import ExpectedChange
from pipeline.config.spell import LONGEST_WHY
from pipeline.errors import ConfigError
from pipeline.wording import clip, listed

if TYPE_CHECKING:
    from pipeline.steps.expecting import NotedChange
    from pipeline.steps.night import Workspace


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    expect = commands.add_parser("expect", help="say which columns will change, until when and why: no alarm meanwhile")
    add_monitor(expect)
    expect.add_argument("--from", dest="first", type=run_date, help="first run date")
    expect.add_argument("--until", type=run_date, help="last run date, included")
    expect.add_argument("--columns", metavar="A,B", help="their names; one with a comma in quotes: '\"a,b\",c'")
    expect.add_argument("--why", help="what people read beside the columns")
    instead = expect.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="print what is expected instead")
    instead.add_argument("--withdraw", type=_note_name, metavar="NOTE", help="take back what --list calls so instead")
    expect.set_defaults(command=_expect)

    ack = commands.add_parser(
        "ack", help="acknowledge what drifted on a night: those columns give no alarm for a while"
    )
    add_monitor(ack)
    ack.add_argument("date", metavar="DATE", type=run_date, help="the night's run date, YYYY-MM-DD")
    ack.add_argument("--until", type=run_date, help="last run date, included; default: two weeks after the night")
    ack.add_argument("--why", default="acknowledged", help="what people read beside the columns")
    ack.set_defaults(command=_ack)


def _expect(options: argparse.Namespace) -> int:
    from pipeline.steps import expecting
    from pipeline.steps.night import open_workspace

    told = {"--from": options.first, "--until": options.until, "--columns": options.columns, "--why": options.why}
    missing = [name for name, value in told.items() if value is None]
    instead = options.list or options.withdraw is not None
    if instead and len(missing) < len(told):
        raise ConfigError([f"{name}: allowed: without --list and --withdraw" for name in told if name not in missing])
    if not instead and missing:
        raise ConfigError([f"{name}: missing" for name in missing])
    workspace = open_workspace(options.monitor)
    if options.list:
        print("\n".join(_lines(workspace)))
    elif options.withdraw is not None:
        _withdraw(workspace, options.withdraw)
    else:
        change = expecting.change_of(_names(options.columns), options.first, options.until, options.why, user_name())
        _note(workspace, change)
    return 0


def _withdraw(workspace: Workspace, name: str) -> None:
    """Again is no change, so that it can be typed again after it was interrupted."""
    from pipeline.steps import expecting, pages

    change = expecting.withdraw(workspace, name)
    pages.show_incidents(workspace)
    gone = f"nothing is noted as {name}; it was taken back, or was never there"
    print(f"{workspace.name}: {gone if change is None else f'withdrawn: {_words(change)}'}")


def _ack(options: argparse.Namespace) -> int:
    from pipeline.steps import expecting
    from pipeline.steps.night import open_night

    night = open_night(options.monitor, options.date)
    _note(night, expecting.acknowledge(night, options.until, options.why, user_name()))
    return 0


def _note(workspace: Workspace, change: NotedChange) -> None:
    from pipeline.steps import expecting, pages

    is_new = expecting.expect(workspace, change)
    pages.show_incidents(workspace)
    print(f"{workspace.name}: {'expected' if is_new else 'expected already'}: {_words(change)}")


def _lines(workspace: Workspace) -> list[str]:
    """What is expected, of the file and as noted, with the names that `--withdraw` takes."""
    from pipeline.steps import expecting
    from pipeline.steps.notes import name_of

    of_file = [f"in {workspace.name}.yaml  {_words(change)}" for change in workspace.monitor.expected]
    noted = [
        f"{name_of(change)}  {_words(change)}" + (f" (by {clip(change.by, 60)})" if change.by else "")
        for change in expecting.noted(workspace)
    ]
    return of_file + noted or [f"{workspace.name}: nothing is expected"]


def _words(change: ExpectedChange) -> str:
    columns = listed([clip(name, 60) for name in change.columns], len(change.columns))
    return f"{change.first} to {change.until}  {columns}: {clip(change.why, LONGEST_WHY)}"


def _note_name(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{8}", text):
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: what --list prints before a note, such as 3f9a1c22")
    return text


def _names(text: str) -> list[str]:
    """Columns as they are typed: `a,b`; one with a comma in quotes.

    Raises:
        ConfigError: the quotes do not match.
    """
    try:
        return next(csv.reader([text], skipinitialspace=True, strict=True), [])
    except csv.Error as error:
        raise ConfigError([f"--columns: {error}; allowed: a,b or '\"a,b\",c'"]) from error
