"""The command line: `python -m pipeline`. Exit codes are those of `pipeline.steps.walk.exit_code`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.authoring.monitor_text import ROLES
from pipeline.config import Monitor, Settings, load_settings, resolve_location
from pipeline.config import monitor_files as monitors
from pipeline.config.environment import channel_variable
from pipeline.config.schedule import day_that_ended, next_moment
from pipeline.errors import ConfigError, NightjarError
from pipeline.steps.walk import Outcome, exit_code, run_night

if TYPE_CHECKING:
    from pipeline.authoring.suite_file import Written

_INIT = (
    "What is not said is guessed from the data and, at a terminal, asked for. An address is a file, a folder, a glob, "
    "or an s3:// key or prefix."
)
_EXIT_CODES = """exit codes:
  0  healthy or drifted (a verdict is not a failure)
  2  bad usage or configuration
  3  a snapshot is missing or unreadable
  4  a critical expectation failed
  5  an outlet could not be reached
  6  drifted, with --strict
  7  a retraining failed, or a model file was tampered with"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    _quiet_libraries()
    try:
        return int(options.command(options))
    except NightjarError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="Nightjar watches machine-learning models from their logged data.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run one night without Airflow")
    run.add_argument("monitor", metavar="MONITOR")
    run.add_argument("--date", type=_date, required=True, help="the run date, YYYY-MM-DD")
    run.add_argument("--strict", action="store_true", help="exit with 6 when the night is drifted")
    run.set_defaults(command=_run)

    backfill = commands.add_parser("backfill", help="run several nights, oldest first")
    backfill.add_argument("monitor", metavar="MONITOR")
    backfill.add_argument("--from", dest="first", type=_date, required=True, help="first run date")
    backfill.add_argument("--to", dest="last", type=_date, required=True, help="last run date, included")
    backfill.add_argument("--strict", action="store_true", help="exit with 6 when a night is drifted")
    backfill.add_argument("--retrain", action="store_true", help="let these old nights ask for retraining")
    backfill.set_defaults(command=_backfill)

    _add_authoring(commands)

    check = commands.add_parser("check", help="check configuration without touching data")
    check.add_argument("monitor", metavar="MONITOR", nargs="?", help="default: every monitor")
    check.set_defaults(command=_check)

    site = commands.add_parser("site", help="write every page again from the run store")
    site.set_defaults(command=_site)

    serve = commands.add_parser("serve", help="show the pages of a local run store on this machine")
    serve.add_argument("--port", type=int, default=8000, help="default: 8000; 0 takes a free one")
    serve.set_defaults(command=_serve)

    retrain = commands.add_parser("retrain", help="train a new model for a monitor")
    retrain.add_argument("monitor", metavar="MONITOR")
    retrain.add_argument("--date", type=_date, required=True, help="use data up to this date")
    retrain.add_argument("--reason", default="requested by hand", help="kept with the model")
    retrain.add_argument("--force", action="store_true", help="train again although this date has a model")
    retrain.set_defaults(command=_retrain)

    promote = commands.add_parser("promote", help="make a version of the model champion by hand")
    promote.add_argument("monitor", metavar="MONITOR")
    promote.add_argument("version", metavar="VERSION", help="its number in MLflow's registry")
    promote.set_defaults(command=_promote)

    rollback = commands.add_parser("rollback", help="put the champion before this one, and its reference, back")
    rollback.add_argument("monitor", metavar="MONITOR")
    rollback.set_defaults(command=_rollback)

    digest = commands.add_parser("digest", help="mail one summary over all monitors to PIPELINE_DIGEST_TO")
    digest.add_argument("--date", type=_date, required=True, help="the run date, YYYY-MM-DD")
    digest.set_defaults(command=_digest)

    notify = commands.add_parser("notify", help="try every way to reach people")
    notify.add_argument(
        "--test", metavar="MONITOR", required=True, help="send a marked test message to all its outlets"
    )
    notify.set_defaults(command=_notify)
    return parser


def _add_authoring(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The commands that write files a person would otherwise write."""
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
    suggest.add_argument("--date", type=_date, help="for addresses with {date}; default: the day that ended")
    suggest.add_argument("--write", action="store_true", help="renew what nobody has edited in the existing suite")
    suggest.add_argument("--force", action="store_true", help="replace the existing suite, edited or not")
    suggest.set_defaults(command=_suggest)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}; allowed: a date such as 2026-01-14") from None


def _quiet_libraries() -> None:
    """People see what a night does, not what its libraries say to their own developers."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.WARNING)  # Great Expectations lowers the level of its own logger
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _run(options: argparse.Namespace) -> int:
    from pipeline.steps.night import open_night

    outcome = run_night(open_night(options.monitor, options.date), _progress)
    print(_line(outcome))
    return exit_code([outcome], options.strict)


def _backfill(options: argparse.Namespace) -> int:
    from pipeline.steps.night import open_night

    if options.last < options.first:
        raise ConfigError([f"--to {options.last} lies before --from {options.first}"])
    outcomes = []
    for offset in range((options.last - options.first).days + 1):
        night = open_night(options.monitor, options.first + timedelta(days=offset))
        outcomes.append(run_night(night, lambda _: None, backfill=not options.retrain))
        print(_line(outcomes[-1]), flush=True)
    return exit_code(outcomes, options.strict)


def _line(outcome: Outcome) -> str:
    night = outcome.night
    words = [night.name, str(night.run_date)]
    if outcome.decision is not None:
        words.append(f"{outcome.decision.status.replace('_', ' ')}: {outcome.decision.reason}")
        if outcome.decision.retrain:
            words.append(f"(retrain with: python -m pipeline retrain {night.name} --date {night.run_date})")
    words += [f"error: {error}" for error in outcome.errors]
    return "  ".join(words)


def _retrain(options: argparse.Namespace) -> int:
    from pipeline.steps import retraining as retrain_steps
    from pipeline.steps.night import open_night

    night = open_night(options.monitor, options.date)
    result = retrain_steps.retrain(night, options.reason, options.force, _progress)
    print(result.words)
    retrain_steps.require_sound(result)
    return 0


def _promote(options: argparse.Namespace) -> int:
    from pipeline.steps import retraining as retrain_steps
    from pipeline.steps.night import open_night

    now = datetime.now(UTC)
    print(retrain_steps.promote(open_night(options.monitor, now.date()), options.version, now).words)
    return 0


def _rollback(options: argparse.Namespace) -> int:
    from pipeline.steps import retraining as retrain_steps
    from pipeline.steps.night import open_night

    now = datetime.now(UTC)
    print(retrain_steps.rollback(open_night(options.monitor, now.date()), now).words)
    return 0


def _digest(options: argparse.Namespace) -> int:
    from pipeline.steps import telling as notify_steps

    print(notify_steps.send_digest(load_settings(os.environ), options.date))
    return 0


def _notify(options: argparse.Namespace) -> int:
    from pipeline.steps import telling as notify_steps

    said, errors = notify_steps.send_check(options.test, load_settings(os.environ), datetime.now(UTC))
    print("\n".join(said))
    return max((error.exit_code for error in errors), default=0)


def _site(_: argparse.Namespace) -> int:
    from pipeline.steps.pages import rebuild

    rebuild(load_settings(os.environ), print)
    return 0


def _serve(options: argparse.Namespace) -> int:
    from pipeline.cli.serve import LOOPBACK, server

    with server(load_settings(os.environ).store, options.port) as running:
        print(f"http://{LOOPBACK}:{running.server_port}/  (Ctrl-C ends)", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


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
    print(f"next: python -m pipeline run {options.monitor} --date {begun.night or 'YYYY-MM-DD'}")
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


def _check(options: argparse.Namespace) -> int:
    settings = load_settings(os.environ)
    problems: list[str] = []
    if options.monitor:
        found, wrong = [monitors.load(options.monitor, settings)], {}
    else:
        files = monitors.load_all(settings)
        found, wrong = list(files.monitors), dict(files.errors)
        if not found and not wrong:
            raise ConfigError([f"{settings.monitors_dir}: no monitor files; allowed: at least one <name>.yaml"])
    problems += [problem for error in wrong.values() for problem in error.problems]
    for monitor in found:
        problems += _suite_problems(monitor, settings)
        print(_tonight(monitor, settings))
    if problems:
        raise ConfigError(problems)
    print(f"{len(found)} {'monitor is' if len(found) == 1 else 'monitors are'} sound")
    return 0


def _suite_problems(monitor: Monitor, settings: Settings) -> list[str]:
    from pipeline.checks.quality import build_suite, load_suite

    try:
        build_suite(load_suite(settings.expectations_dir / f"{monitor.quality.suite}.json"))
    except ConfigError as error:
        return list(error.problems)
    return []


def _tonight(monitor: Monitor, settings: Settings) -> str:
    """What the next night would do, without looking at data."""
    start = next_moment(monitor.schedule, datetime.now(UTC))
    run_date = day_that_ended(start)

    def at(template: str) -> str:
        return resolve_location(template, run_date, settings.data_root)

    mail = ", ".join(monitor.notify.email) or "nobody"
    lines = [
        f"{monitor.name}: next night starts {start:%Y-%m-%d %H:%M} UTC, about {run_date}",
        f"  reference   {at(monitor.snapshots.reference)}",
        f"  production  {at(monitor.snapshots.production)}",
    ]
    if monitor.snapshots.labels:
        delay = timedelta(days=monitor.performance.label_delay_days)
        labels = resolve_location(monitor.snapshots.labels, run_date - delay, settings.data_root)
        lines.append(f"  labels      {labels}")
    lines += [
        f"  suite       {settings.expectations_dir / monitor.quality.suite}.json",
        f"  drift       retrain when more than {monitor.drift.limit:.0%} of the columns drifted",
        f"  outlets     store {settings.store}; "
        f"gauges {'to the Pushgateway' if settings.pushgateway_url else 'as a textfile'}; "
        f"mail to {mail}{'' if settings.smtp_url else ' (as .eml files)'}; "
        f"chat to {', '.join(_channels(monitor, settings)) or 'nobody'}",
    ]
    return "\n".join(lines)


def _channels(monitor: Monitor, settings: Settings) -> list[str]:
    variables = {name: channel_variable(name) for name in monitor.notify.channels}
    return [
        name if variable in settings.channels else f"{name} ({variable} is not set)"
        for name, variable in variables.items()
    ]
