"""`retire`: a monitor that is not watched any more."""

from __future__ import annotations

import argparse
import os

from pipeline.cli.options import Commands, add_monitor, program
from pipeline.config import load_settings
from pipeline.errors import ExitCode, NightjarError

_DESCRIPTION = """\
Stop watching a monitor: put its file aside, delete its gauges, and with --store its nights and pages.

Without --yes nothing is done, and what would be is said. It can be run again whenever something of it failed.
"""


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    retire = commands.add_parser(
        "retire",
        help="stop watching a monitor: its file, its gauges, its nights",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_monitor(retire)
    retire.add_argument("--store", action="store_true", help="delete its nights, pages and retrainings as well")
    retire.add_argument("--yes", action="store_true", help="do it; without it only say what would be done")
    retire.set_defaults(command=_retire)


def _retire(options: argparse.Namespace) -> int:
    from pipeline.steps.pages import write_fleet
    from pipeline.steps.retiring import Task, tasks
    from pipeline.storage.patience import wait_at_most
    from pipeline.storage.run_store import RunStore

    settings = load_settings(os.environ)
    wait_at_most(settings.outlet_seconds)
    found = tasks(options.monitor, settings, options.store)
    if not options.yes:
        print("\n".join(f"{options.monitor}: {task.words}" for task in found))
        print(f"nothing was done: {program()} retire {options.monitor}{' --store' * options.store} --yes does it")
        return ExitCode.SOUND
    codes: list[ExitCode] = []
    fleet = Task("take it off the fleet's page", lambda: write_fleet(RunStore(settings.store), settings))
    for task in (*found, fleet):
        print(f"{options.monitor}: {task.words}", flush=True)
        try:
            if task.do is not None:
                task.do()
        except NightjarError as error:  # the others are done all the same
            print(f"{options.monitor}: failed: {error}", flush=True)
            codes.append(error.exit_code)
    return ExitCode.of(codes)
