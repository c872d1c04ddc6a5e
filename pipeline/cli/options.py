"""What the commands share: their place in the parser, and arguments that several have."""

from __future__ import annotations

import argparse
import getpass
import sys
from datetime import date
from pathlib import Path

from pipeline.cli.log_lines import say
from pipeline.config.values import check_run_date

Commands = argparse._SubParsersAction  # noqa: SLF001 - argparse has no public name for it


def add_monitor(command: argparse.ArgumentParser) -> None:
    """Which monitor."""
    command.add_argument("monitor", metavar="MONITOR")


def add_date(command: argparse.ArgumentParser, words: str = "the run date, YYYY-MM-DD") -> None:
    """Which run date."""
    command.add_argument("--date", type=run_date, required=True, help=words)


def run_date(text: str) -> date:
    """A date as people type it.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: a date such as 2026-01-14") from None
    try:
        return check_run_date(found)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"found {text!r}; {error}") from None


def user_name() -> str | None:
    """Who types; None where a container's user has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return None


def program() -> str:
    """How the program was called, for what people are told to type next."""
    return "nightjar" if Path(sys.argv[0]).stem == "nightjar" else "python -m pipeline"


def progress(line: str) -> None:
    """Say what is going on, beside the result."""
    say(line)
