"""`init` and `suggest`: files that a person would otherwise write."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.authoring.monitor_text import ROLES
from pipeline.cli.options import Commands, program, run_date
from pipeline.config.schedule import day_that_ended

if TYPE_CHECKING:
    from pipeline.authoring.suite_file import Written

_INIT = (
    "What is not said is guessed from the data and, at a terminal, asked for. An address is a file, a folder, a glob, "
    "or an s3:// key or prefix."
)


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    words = "write a monitor file and a suite for a new model, from its data"
    init = commands.add_parser("init", help=words, description=f"{words.capitalize()}. {_INIT}")
    init.add_argument("monitor", metavar="NAME")
    init.add_argument("--reference", metavar="URI", help="what the model knows: its training data, scored")
    init.add_argument("--production", metavar="URI", help="what it scores; {date} stands for the run date")
    init.add_argument("--labels", metavar="URI", help="what then came true; - for none")
    for role, words in ROLES.items():
        init.add_argument(f"--{role.replace('_', '-')}", metavar="COLUMN", help=f"{words}; - for none")
    init.add_argument("--owner", help="a person, a team, an address")
    init.add_argument("--force", action="store_true", help="write both files anew although they exist")
    init.set_defaults(command=_init)

    suggest = commands.add_parser("suggest", help="write a suite that describes the reference, or show what differs")
    suggest.add_argument("monitor", metavar="MONITOR")
    suggest.add_argument("--date", type=run_date, help="for addresses with {date}; default: the day that ended")
    suggest.add_argument("--write", action="store_true", help="renew what nobody has edited in the existing suite")
    suggest.add_argument("--force", action="store_true", help="replace the existing suite, edited or not")
    suggest.set_defaults(command=_suggest)


def _init(options: argparse.Namespace) -> int:
    from pipeline.authoring.interview import Terminal
    from pipeline.authoring.new_monitor import Wishes, init
    from pipeline.authoring.roles import Known

    said = {role: getattr(options, role) for role in ROLES}
    known = Known(**{role: "" if name == "-" else name for role, name in said.items()})
    places = options.reference, options.production, options.labels
    begun = init(
        options.monitor,
        Wishes(known, *places, options.owner, options.force),
        day_that_ended(datetime.now(UTC)),
        Terminal(),
    )
    for role in ROLES:
        print(f"  {role.replace('_', ' '):<14}{getattr(begun.columns, role) or 'none'}")
    numerical, categorical = len(begun.columns.numerical), len(begun.columns.categorical)
    print(f"  compared      {numerical} numerical, {categorical} categorical columns")
    for note in begun.notes:
        print(f"note: {note}")
    print(f"{begun.monitor}: written")
    _tell(begun.suite)
    print(f"next: {program()} run {options.monitor} --date {begun.night or 'YYYY-MM-DD'}")
    return 0


def _suggest(options: argparse.Namespace) -> int:
    from pipeline.authoring.suite_file import suggest

    day = options.date or day_that_ended(datetime.now(UTC))
    _tell(suggest(options.monitor, day, write=options.write, force=options.force))
    return 0


def _tell(suite: Written) -> None:
    if suite.difference:
        print(suite.difference)
    state = "written" if suite.written else "not changed"
    print(f"{suite.path}: {state}: {suite.words}")
    if suite.difference and not suite.written:
        print("--write takes this over and keeps what was edited by hand; --force replaces everything")
