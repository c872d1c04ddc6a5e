"""`backtest`: stored nights decided again under other settings."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.options import Commands, add_monitor, run_date
from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.config import Monitor, Settings
    from pipeline.steps.backtest import Asked

_SECTIONS = ("drift", "retrain")
_DESCRIPTION = """\
Decide stored nights again under other settings, beside what was decided. No snapshot is read.

Any setting under drift and retrain can be given as in the monitor file, with dots between its keys:
  --drift.limit 0.4  --drift.columns.age.threshold 0.2  --drift.alarms.per_nights 365
  --retrain.nights_over "{at_least: 2, of: 3}"
Without any, the nights are decided as the monitor file says now. See docs/backtest.md.
"""


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    backtest = commands.add_parser(
        "backtest",
        help="decide stored nights again under other settings",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_monitor(backtest)
    backtest.add_argument("--from", dest="first", type=run_date, required=True, help="first run date")
    backtest.add_argument("--to", dest="last", type=run_date, required=True, help="last run date, included")
    words = "another version of the monitor file: what it decides stands for what was decided"
    backtest.add_argument("--against", type=Path, metavar="FILE", help=words)
    add_incidents(backtest)
    backtest.add_argument("--set", dest="settings", nargs=2, action="append", default=[], help=argparse.SUPPRESS)
    form = backtest.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", help="print JSON")
    words = "print Markdown, as for a comment on a pull request"
    form.add_argument("--markdown", dest="form", action="store_const", const="markdown", help=words)
    backtest.set_defaults(command=_backtest)


def add_incidents(command: argparse.ArgumentParser) -> None:
    """Nights that people mark."""
    words = "nights on which something was wrong, such as 2026-01-14..2026-01-16; can be given again"
    command.add_argument("--incident", dest="incidents", type=_span, action="append", default=[], help=words)


def with_settings(arguments: Sequence[str]) -> list[str]:
    """Arguments in which `--drift.limit 0.4` is written as `--set drift.limit 0.4`: which columns and metrics a
    setting may name, no parser knows. A setting without a value stays, and is told to be unknown.
    """
    found: list[str] = []
    waiting = list(arguments)
    while waiting:
        argument = waiting.pop(0)
        key, equals, value = argument.partition("=")
        if not key.startswith("--") or "." not in key or (not equals and not waiting):
            found.append(argument)
        else:
            found += ["--set", key.removeprefix("--"), value if equals else waiting.pop(0)]
    return found


def _span(text: str) -> tuple[date, date]:
    first, dots, last = text.partition("..")
    if not dots:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: two dates such as 2026-01-14..2026-01-16")
    span = run_date(first), run_date(last)
    if span[1] < span[0]:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: the earlier date first")
    return span


def _backtest(options: argparse.Namespace) -> int:
    from pipeline.publish.messages import backtest as words
    from pipeline.steps.backtest import backtest
    from pipeline.steps.night import open_workspace

    if options.last < options.first:
        raise ConfigError([f"--to {options.last} lies before --from {options.first}"])
    workspace = open_workspace(options.monitor)
    result = backtest(workspace, _asked(options, workspace.settings))
    if options.form == "json":
        print(result.to_json().decode(), end="")
    else:
        print(words.markdown(result) if options.form == "markdown" else words.text(result), end="")
    return 0


def _asked(options: argparse.Namespace, settings: Settings) -> Asked:
    from pipeline.config import monitor_files
    from pipeline.config.changes import read_changes
    from pipeline.steps.backtest import Asked

    given = [(key, value) for key, value in options.settings]
    _require_decidable(given)
    changes = read_changes(given, _SECTIONS)
    before: Monitor | None = None
    if options.against is not None:
        before = monitor_files.load_version(options.against, options.monitor)
    return Asked(
        first=options.first,
        last=options.last,
        monitor=monitor_files.load_changed(options.monitor, settings, changes),
        before=before,
        settings=tuple(given),
        against=None if options.against is None else options.against.name,
        incidents=tuple(options.incidents),
    )


def _require_decidable(given: Sequence[tuple[str, str]]) -> None:
    why = "whether the model is degraded is told from labels and estimates, and is taken as it was told on each night"
    problems = [f"--{key}: {why}" for key, _ in given if key.startswith("performance.")]
    if problems:
        raise ConfigError(problems)
