"""`run` and `backfill`: nights without Airflow."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.cli.options import Commands, add_date, add_monitor, program, progress, run_date
from pipeline.errors import ConfigError, ExitCode

if TYPE_CHECKING:
    from pipeline.steps.walk import Outcome


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    run = commands.add_parser("run", help="run one night without Airflow")
    add_monitor(run)
    add_date(run)
    run.add_argument("--strict", action="store_true", help=f"exit with {ExitCode.DRIFTED} when the night is drifted")
    words = "measure nothing: give the published night to the outlets that it has not reached"
    run.add_argument("--deliver", action="store_true", help=words)
    run.set_defaults(command=_run)

    backfill = commands.add_parser("backfill", help="run several nights, oldest first")
    add_monitor(backfill)
    backfill.add_argument("--from", dest="first", type=run_date, required=True, help="first run date")
    backfill.add_argument("--to", dest="last", type=run_date, required=True, help="last run date, included")
    backfill.add_argument("--strict", action="store_true", help=f"exit with {ExitCode.DRIFTED} when a night is drifted")
    words = "train a new model where one of these nights asks for it"
    backfill.add_argument("--retrain", action="store_true", help=words)
    backfill.set_defaults(command=_backfill)


def _run(options: argparse.Namespace) -> int:
    from pipeline.steps.night import open_night
    from pipeline.steps.walk import deliver_night, exit_code, run_night

    night = open_night(options.monitor, options.date)
    outcome = deliver_night(night, progress) if options.deliver else run_night(night, progress)
    print(_line(outcome))
    return exit_code([outcome], options.strict)


def _backfill(options: argparse.Namespace) -> int:
    from pipeline.steps.night import open_night
    from pipeline.steps.walk import exit_code, run_night

    if options.last < options.first:
        raise ConfigError([f"--to {options.last} lies before --from {options.first}"])
    outcomes = []
    for offset in range((options.last - options.first).days + 1):
        night = open_night(options.monitor, options.first + timedelta(days=offset))
        told = progress if options.retrain else _silent
        outcomes.append(run_night(night, told, backfill=not options.retrain, retrains=options.retrain))
        print(_line(outcomes[-1], options.retrain), flush=True)
    return exit_code(outcomes, options.strict)


def _silent(_: str) -> None:
    pass


def _line(outcome: Outcome, retrained: bool = False) -> str:
    night = outcome.night
    words = [night.name, str(night.run_date)]
    if outcome.decision is not None:
        words.append(f"{outcome.decision.status.replace('_', ' ')}: {outcome.decision.reason}")
        if outcome.decision.retrain and not retrained:
            words.append(f"(retrain with: {program()} retrain {night.name} --date {night.run_date})")
    words += [f"error: {text}" for text in outcome.broken]
    return "  ".join(words)
