"""`prune`: nights that nobody needs any more go."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from pipeline.cli.options import Commands
from pipeline.errors import ConfigError, ExitCode, NightjarError
from pipeline.wording import count, size

if TYPE_CHECKING:
    from pipeline.steps.night import Workspace
    from pipeline.steps.pruning import Plan

_DESCRIPTION = """\
Remove old nights, their runs in MLflow, and their objects in this machine's cache.

Stays, whatever N: what later nights look at, nights of an incident that goes on, of a change that is expected or
acknowledged, and of a date on which a version of the model was trained. Retrainings and training sets are not touched.
"""


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    prune = commands.add_parser(
        "prune",
        help="remove old nights, their MLflow runs and what the cache has of them",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    prune.add_argument("monitor", metavar="MONITOR", nargs="?", help="default: every monitor")
    prune.add_argument("--keep-nights", type=_many, required=True, metavar="N", help="the newest N nights stay")
    prune.add_argument("--dry-run", action="store_true", help="say what would go, and remove nothing")
    prune.set_defaults(command=_prune)


def _many(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 100_000:
        return int(text)
    raise argparse.ArgumentTypeError(f"found {text!r}; allowed: a number of nights, 1 or more")


def _prune(options: argparse.Namespace) -> int:
    from pipeline.steps.pages import write_fleet

    found, codes = workspaces(options.monitor), list[ExitCode]()
    for workspace in found:
        try:
            _prune_one(workspace, options.keep_nights, options.dry_run)
        except NightjarError as error:  # of one monitor; the others go on
            print(f"{workspace.name}: error: {error}", flush=True)
            codes.append(error.exit_code)
    if found and not options.dry_run:
        write_fleet(found[0].store, found[0].settings)
    return ExitCode.of(codes)


def workspaces(monitor: str | None) -> list[Workspace]:
    """The monitor of that name, or for None every one whose file is sound.

    Raises:
        ConfigError: there is none.
    """
    from pipeline.config import load_settings, monitor_files
    from pipeline.steps.night import open_workspace

    if monitor is not None:
        return [open_workspace(monitor)]
    files = monitor_files.load_all(load_settings(os.environ))
    if not files.monitors:
        raise ConfigError([problem for error in files.errors.values() for problem in error.problems])
    return [open_workspace(found.name) for found in files.monitors]


def _prune_one(workspace: Workspace, keep_nights: int, dry_run: bool) -> None:
    from pipeline.steps.pruning import carry_out, plan

    found = plan(workspace, keep_nights)
    print("\n".join(_lines(found, "would go" if dry_run else "go")), flush=True)
    if not dry_run:
        carry_out(found)
    elif found.missed is not None:
        raise found.missed


def _lines(found: Plan, go: str) -> list[str]:
    from pipeline.steps.pruning import NEWEST

    name = found.workspace.name
    lines = [f"{name}: {count(len(found.nights), 'night')} {go}{_span(found.nights)}, {size(found.nights_bytes)}"]
    if found.runs:
        taken = size(sum(run.bytes for run in found.runs))
        lines.append(f"  {count(len(found.runs), 'MLflow run')} {go}, with files of {taken}")
    if found.objects_bytes:
        lines.append(f"  {size(found.objects_bytes)} of the cache of this machine {go}")
    reasons = Counter(why for why in found.kept.values() if why != NEWEST)
    lines.append(f"  {count(len(found.kept), 'night')} stay{'' if len(found.kept) != 1 else 's'}")
    lines += [f"    {count(many)} older: {why}" for why, many in reasons.most_common()]
    return lines


def _span(nights: Sequence[date]) -> str:
    return f", of {nights[0]} to {nights[-1]}" if nights else ""
