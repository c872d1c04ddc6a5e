"""`tune`: settings for a wanted rate of alarms, as a change of the monitor's file."""

from __future__ import annotations

import argparse
import difflib
import math
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.backtest import add_incidents
from pipeline.cli.options import Commands, add_monitor, program, run_date
from pipeline.config.files import write_text
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.results import Tuned

_FEWEST, _MOST = 2, 100_000
_DESCRIPTION = """\
Propose settings for a wanted rate of alarms, from stored nights: thresholds, the limit of the drift share, a budget of
alarms, or more nights before a retraining. Printed are what they cost, and the change of the monitor's file as a diff.
No snapshot is read. See docs/backtest.md.
"""


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    words = "propose thresholds, limit or a budget for a wanted rate of alarms, as a diff of the monitor's file"
    tune = commands.add_parser("tune", help=words, description=_DESCRIPTION)
    add_monitor(tune)
    tune.add_argument("--from", dest="first", type=run_date, required=True, help="first run date")
    tune.add_argument("--to", dest="last", type=run_date, required=True, help="last run date, included")
    rate = tune.add_mutually_exclusive_group()
    words = "at most one alarm in so many quiet nights; default: 365"
    rate.add_argument("--per-nights", type=_nights, metavar="N", default=365, help=words)
    words = "the same as a fraction of quiet nights, such as 0.01"
    rate.add_argument("--rate", dest="per_nights", type=_rate, metavar="R", default=argparse.SUPPRESS, help=words)
    add_incidents(tune)
    tune.add_argument("--write", action="store_true", help="write the change into the monitor's file")
    tune.set_defaults(command=_tune)


def _nights(text: str) -> int:
    if not text.isdigit() or not _FEWEST <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: a whole number from {_FEWEST} to {_MOST}")
    return int(text)


def _rate(text: str) -> int:
    try:
        nights = math.ceil(1 / float(text) - 1e-9)
    except (ValueError, ZeroDivisionError, OverflowError):
        nights = 0
    if not _FEWEST <= nights <= _MOST:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: a number from {1 / _MOST} to {1 / _FEWEST}")
    return nights


def _tune(options: argparse.Namespace) -> int:
    from pipeline.publish.messages import tuned as words
    from pipeline.steps.night import open_workspace
    from pipeline.steps.tune import Wanted, tune, written

    if options.last < options.first:
        raise ConfigError([f"--to {options.last} lies before --from {options.first}"])
    workspace = open_workspace(options.monitor)
    wanted = Wanted(options.first, options.last, options.per_nights, tuple(options.incidents))
    found = tune(workspace, wanted)
    print(words.text(found), end="")
    if found.changes:
        path, before, after = written(workspace, found)
        print(f"\n{_difference(path, before, after)}\n")
        _finish(options, found, path, after)
    return 0


def _difference(path: Path, before: str, after: str) -> str:
    sides = before.splitlines(), after.splitlines()
    return "\n".join(difflib.unified_diff(*sides, str(path), str(path), lineterm=""))


def _finish(options: argparse.Namespace, found: Tuned, path: Path, after: str) -> None:
    if not options.write:
        print("--write writes this into the file")
        return
    write_text(path, after)
    incidents = "".join(f" --incident {first}..{last}" for first, last in (*options.incidents, *found.known))
    print(f"{path}: written; night by night:")
    print(f"  {program()} backtest {options.monitor} --from {options.first} --to {options.last}{incidents}")
