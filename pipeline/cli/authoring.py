"""`init` and `suggest`: files that a person would otherwise write."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.authoring.monitor_text import ROLES
from pipeline.cli.options import Commands, program, run_date
from pipeline.config.documents import yaml_text
from pipeline.config.schedule import day_that_ended
from pipeline.errors import ConfigError
from pipeline.wording import clip, count

if TYPE_CHECKING:
    from pipeline.authoring.new_monitor import Begun
    from pipeline.authoring.roles import Known
    from pipeline.authoring.suite_file import Written

_MOST_LEFT_OUT = 40

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
    words = "probabilities of a model of several classes, such as low=p_low,high=p_high; - for none"
    init.add_argument("--scores", metavar="CLASS=COLUMN,...", help=words)
    words = "of two classes the one that the score is of, and precision and recall are about; - for the second in order"
    init.add_argument("--positive", metavar="CLASS", help=words)
    init.add_argument("--task", choices=("classification", "regression", "auto"), help="how the model is judged")
    words = "whether the reference follows the promoted model; asked where labels let models be trained again"
    init.add_argument("--champion", choices=("yes", "no"), help=words)
    words = "a night of fewer rows asks for no retraining; with --alarms - by default what chance needs, else 0"
    init.add_argument("--min-rows", type=_rows, metavar="N", help=words)
    words = "at most one false alarm in so many quiet nights, 365 by default; - for Evidently's fixed thresholds"
    init.add_argument("--alarms", metavar="N", help=words)
    init.add_argument("--owner", help="a person, a team, an address")
    init.add_argument("--email", metavar="ADDRESS,...", help="who gets the summary of a night; - for nobody")
    init.add_argument("--when", choices=("always", "change", "trouble"), help="of which nights they get it")
    init.add_argument("--force", action="store_true", help="write both files anew although they exist")
    init.set_defaults(command=_init)

    suggest = commands.add_parser("suggest", help="write a suite that describes the reference, or show what differs")
    suggest.add_argument("monitor", metavar="MONITOR")
    suggest.add_argument("--date", type=run_date, help="for addresses with {date}; default: the day that ended")
    suggest.add_argument("--write", action="store_true", help="renew what nobody has edited in the existing suite")
    suggest.add_argument("--force", action="store_true", help="replace the existing suite, edited or not")
    suggest.set_defaults(command=_suggest)


def _rows(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: a whole number, 0 for no limit")
    return int(text)


def _init(options: argparse.Namespace) -> int:
    from pipeline.authoring.interview import Terminal
    from pipeline.authoring.new_monitor import Wishes, init
    from pipeline.authoring.places import Said
    from pipeline.authoring.questions import Choices

    choices = Choices(
        owner=options.owner,
        task=options.task,
        positive=options.positive,
        champion=options.champion,
        min_rows=options.min_rows,
        email=options.email,
        when=options.when,
        alarms=options.alarms,
    )
    wishes = Wishes(
        _known(options), Said(options.reference, options.production, options.labels), choices, options.force
    )
    begun = init(options.monitor, wishes, day_that_ended(datetime.now(UTC)), Terminal())
    _tell_columns(begun)
    for note in begun.notes:
        print(f"note: {note}")
    print(f"{begun.monitor}: written")
    _tell(begun.suite)
    print(f"next: {program()} run {options.monitor} --date {begun.night or 'YYYY-MM-DD'}")
    return 0


def _known(options: argparse.Namespace) -> Known:
    from pipeline.authoring.interview import NONE
    from pipeline.authoring.questions import read_scores
    from pipeline.authoring.roles import Known

    said = {role: getattr(options, role) for role in ROLES}
    try:
        scores = None if options.scores is None else {} if options.scores == NONE else read_scores(options.scores)
    except ValueError as error:
        raise ConfigError([f"--scores: found {options.scores!r}; {error}"]) from None
    return Known(**{role: "" if name == NONE else name for role, name in said.items()}, scores=scores)


def _tell_columns(begun: Begun) -> None:
    """What the columns were taken for, and which are not compared, each with why."""
    from pipeline.authoring.monitor_text import class_text
    from pipeline.authoring.questions import scores_text

    columns = begun.columns
    for role in ROLES:
        print(f"  {role.replace('_', ' '):<14}{getattr(columns, role) or 'none'}")
    if columns.scores:
        print(f"  scores        {scores_text(columns.scores)}")
    if begun.positive is not None:
        print(f"  positive      {class_text(begun.positive)}")
    if begun.task is not None:
        print(f"  task          {begun.task}")
    kinds = count(len(columns.numerical)), count(len(columns.categorical))
    print(f"  compared      {kinds[0]} numerical, {kinds[1]} categorical columns")
    _tell_alarms(begun)
    left = [(clip(yaml_text(name), 60), reason) for name, reason in columns.ignore.items()]
    for place, (name, reason) in enumerate(left[:_MOST_LEFT_OUT]):
        print(f"  {'left out' if place == 0 else '':<14}{name}: {reason}")
    if len(left) > _MOST_LEFT_OUT:
        print(f"  {'':<14}and {count(len(left) - _MOST_LEFT_OUT)} more, under columns.ignore")


def _tell_alarms(begun: Begun) -> None:
    """The budget, what nights are held against, and why."""
    if begun.alarms is None:
        print("  alarms        by Evidently's fixed thresholds")
        return
    print(f"  alarms        at most one in {count(begun.alarms, 'quiet night')}")
    print(f"  held against  {begun.fitting.words}: {begun.fitting.why}")


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
