"""The command line, `nightjar` or `python -m pipeline`. Each command stands beside its options in one module."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NoReturn, TextIO, cast

from pipeline.cli import (
    auditing,
    authoring,
    backtest,
    check,
    doctor,
    drilling,
    expecting,
    log_lines,
    muting,
    nights,
    pages,
    people,
    pruning,
    retiring,
    retraining,
    tune,
)
from pipeline.cli.options import program
from pipeline.errors import ExitCode, NightjarError
from pipeline.plain_text import visible
from pipeline.steps.contain import foreseen

__all__ = ["main"]

_GROUPS = (
    *(nights, backtest, tune, expecting, muting, authoring, check, doctor, auditing, drilling),
    *(pages, retraining, people, pruning, retiring),
)
_EXIT_CODES = "\n".join(["exit codes:", *(f"  {code:<5}{code.words}" for code in ExitCode)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    with redirect_stdout(cast("TextIO", _Plain(sys.stdout))), redirect_stderr(cast("TextIO", _Plain(sys.stderr))):
        return _main(arguments)


def _main(arguments: Sequence[str] | None) -> int:
    try:
        with foreseen("nightjar"):
            given = sys.argv[1:] if arguments is None else arguments
            options = _parser().parse_args(backtest.with_settings(given))
            log_lines.set_up(options.traceback)
            return int(options.command(options))
    except NightjarError as error:
        log_lines.say(f"error: {error}", logging.ERROR)
        return error.exit_code
    except KeyboardInterrupt:
        log_lines.say("\nstopped", logging.ERROR)
        return ExitCode.STOPPED


class _Parser(argparse.ArgumentParser):
    """Of every command; what is wrong with a call is a line like all others where lines are for machines."""

    def error(self, message: str) -> NoReturn:
        log_lines.set_up(traceback=False)
        if log_lines.are_json():
            log_lines.say(f"error: {message}; how it is called: {self.prog} --help", logging.ERROR)
            raise SystemExit(ExitCode.USAGE)
        super().error(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=program(),
        description="Nightjar watches machine-learning models from their logged data.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--traceback", action="store_true", help="show errors whole, which may quote data")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for group in _GROUPS:
        group.add(commands)
    return parser


class _Plain:
    """A stream in which no text from data can do more than be read."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(visible(text, keep="\n\t"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
