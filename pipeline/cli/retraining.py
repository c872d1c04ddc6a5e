"""`retrain`, `promote` and `rollback`: a new model, and what people do to the champion."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from pipeline.cli.options import Commands, add_date, add_monitor, progress


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    retrain = commands.add_parser("retrain", help="train a new model for a monitor")
    add_monitor(retrain)
    add_date(retrain, "use data up to this date")
    retrain.add_argument("--reason", default="requested by hand", help="kept with the model")
    retrain.add_argument("--force", action="store_true", help="train again although this date has a model")
    retrain.set_defaults(command=_retrain)

    promote = commands.add_parser("promote", help="make a version of the model champion by hand")
    add_monitor(promote)
    promote.add_argument("version", metavar="VERSION", help="its number in MLflow's registry")
    promote.set_defaults(command=_promote)

    rollback = commands.add_parser("rollback", help="put the champion before this one, and its reference, back")
    add_monitor(rollback)
    rollback.add_argument(
        "--from", dest="stepping_from", metavar="VERSION", help="the version to step back from; again does nothing then"
    )
    rollback.set_defaults(command=_rollback)


def _retrain(options: argparse.Namespace) -> int:
    from pipeline.steps import retraining
    from pipeline.steps.night import open_night

    night = open_night(options.monitor, options.date)
    result = retraining.retrain(night, options.reason, options.force, progress)
    print(result.words)
    retraining.require_sound(result)
    return 0


def _promote(options: argparse.Namespace) -> int:
    from pipeline.steps import retraining
    from pipeline.steps.night import open_workspace

    print(retraining.promote(open_workspace(options.monitor), options.version, datetime.now(UTC)).words)
    return 0


def _rollback(options: argparse.Namespace) -> int:
    from pipeline.steps import retraining
    from pipeline.steps.night import open_workspace

    workspace = open_workspace(options.monitor)
    print(retraining.rollback(workspace, datetime.now(UTC), options.stepping_from).words)
    return 0
