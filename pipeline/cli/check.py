"""`check`: configuration, the columns that it names, and what the next night would do, without reading a row."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

from pipeline.cli.options import Commands
from pipeline.config import Monitor, load_settings, monitor_files, resolve_location
from pipeline.config.environment import channel_variable
from pipeline.config.home import origin
from pipeline.config.schedule import day_that_ended, next_moment
from pipeline.config.settings import Settings
from pipeline.errors import ConfigError
from pipeline.steps import sound_suites
from pipeline.steps.named_columns import Seen, column_problems, see
from pipeline.storage.patience import wait_at_most
from pipeline.wording import count, moment


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    words = "check configuration, and the columns that it names against those of the data"
    check = commands.add_parser("check", help=words, description=f"{words.capitalize()}. No row is read.")
    check.add_argument("monitor", metavar="MONITOR", nargs="?", help="default: every monitor")
    check.add_argument("--without-data", action="store_true", help="look at files of configuration only")
    check.set_defaults(command=_check)


def _check(options: argparse.Namespace) -> int:
    settings = load_settings(os.environ)
    wait_at_most(settings.outlet_seconds, settings.snapshot_seconds)
    print(f"home: {settings.home} ({origin()})")
    problems: list[str] = []
    if options.monitor:
        found, wrong = [monitor_files.load(options.monitor, settings)], {}
    else:
        files = monitor_files.load_all(settings)
        found, wrong = list(files.monitors), dict(files.errors)
        if not found and not wrong:
            raise ConfigError([f"{settings.monitors_dir}: no monitor files; allowed: at least one <name>.yaml"])
    problems += [problem for error in wrong.values() for problem in error.problems]
    for monitor in found:
        seen = None if options.without_data else _seen(monitor, settings)
        suite = settings.expectations_dir / f"{monitor.quality.suite}.json"
        production = None if seen is None else seen.schemas.get("production")
        problems += sound_suites.problems(suite, production, settings.cache_dir)
        if seen is not None:
            file = settings.monitors_dir / f"{monitor.name}.yaml"
            problems += [f"{file}: {problem}" for problem in column_problems(monitor, seen)]
        print(_tonight(monitor, settings, seen))
    if problems:
        raise ConfigError(problems)
    print(f"{count(len(found), 'monitor')} {'is' if len(found) == 1 else 'are'} sound")
    return 0


def _seen(monitor: Monitor, settings: Settings) -> Seen:
    with _one_thread_of_algebra():
        return see(monitor, settings, day_that_ended(next_moment(monitor.schedule, datetime.now(UTC))))


@contextmanager
def _one_thread_of_algebra() -> Iterator[None]:
    """Arrow brings numpy along, which starts a thread for each core as it is loaded; there is no work for them."""
    name = "OPENBLAS_NUM_THREADS"
    before = os.environ.get(name)
    os.environ.setdefault(name, "1")
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]


def _tonight(monitor: Monitor, settings: Settings, seen: Seen | None) -> str:
    """What the next night would do, and the columns that were seen."""
    start = next_moment(monitor.schedule, datetime.now(UTC))
    run_date = day_that_ended(start)

    def at(template: str) -> str:
        return resolve_location(template, run_date, settings.data_root)

    mail = ", ".join(monitor.notify.email) or "nobody"
    lines = [
        f"{monitor.name}: next night starts {moment(start)}, about {run_date}",
        f"  reference   {monitor.snapshots.reference_words(at)}",
        f"  production  {at(monitor.snapshots.production)}",
    ]
    if monitor.snapshots.labels:
        delay = timedelta(days=monitor.performance.label_delay_days)
        labels = resolve_location(monitor.snapshots.labels, run_date - delay, settings.data_root)
        lines.append(f"  labels      {labels}")
    if monitor.snapshots.complete:
        lines.append(f"  complete    where {monitor.snapshots.complete} lies beside the files, or above them")
    if monitor.team:
        lines.append(f"  team        {_team(monitor.team, settings)}")
    if seen is not None:
        lines.append(f"  columns     {seen.words}")
    lines += [
        f"  suite       {settings.expectations_dir / monitor.quality.suite}.json",
        f"  drift       retrain {monitor.due_words}",
        (
            f"  outlets     store {settings.store}; "
            f"gauges {'to the Pushgateway' if settings.pushgateway_url else 'as a textfile'}; "
            f"mail to {mail}{'' if settings.smtp_url else ' (as .eml files)'}; "
            f"chat to {', '.join(_channels(monitor, settings)) or 'nobody'}"
        ),
    ]
    return "\n".join(lines)


def _team(team: str, settings: Settings) -> str:
    if team in settings.airflow_teams:
        return team
    return f"{team} (not in PIPELINE_AIRFLOW_TEAMS: no role in Airflow sees its DAGs)"


def _channels(monitor: Monitor, settings: Settings) -> list[str]:
    variables = {name: channel_variable(name) for name in monitor.notify.channels}
    if find_spec("apprise") is None:
        return [f"{name} (the extra 'chat' is not installed)" for name in variables]
    return [
        name if variable in settings.channels else f"{name} ({variable} is not set)"
        for name, variable in variables.items()
    ]
