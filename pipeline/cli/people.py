"""`digest` and `notify`: who is told, and whether it reaches them."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime

from pipeline.cli.options import Commands, add_date
from pipeline.config import load_settings
from pipeline.errors import ExitCode


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    digest = commands.add_parser("digest", help="mail one summary over all monitors to PIPELINE_DIGEST_TO")
    add_date(digest)
    digest.set_defaults(command=_digest)

    notify = commands.add_parser("notify", help="try every way to reach people")
    words = "send a marked test message to all its outlets"
    notify.add_argument("--test", metavar="MONITOR", required=True, help=words)
    notify.set_defaults(command=_notify)


def _digest(options: argparse.Namespace) -> int:
    from pipeline.steps import telling

    print(telling.send_digest(load_settings(os.environ), options.date))
    return 0


def _notify(options: argparse.Namespace) -> int:
    from pipeline.steps import telling
    from pipeline.steps.night import open_workspace

    said, errors = telling.send_check(open_workspace(options.test), datetime.now(UTC))
    print("\n".join(said))
    return ExitCode.of(error.exit_code for error in errors)
