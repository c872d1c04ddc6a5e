"""`audit`: what monitors still lack for production."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.options import Commands
from pipeline.cli.pruning import workspaces
from pipeline.config.files import write_text
from pipeline.errors import ExitCode

if TYPE_CHECKING:
    from pipeline.publish.facts.audit import Audit

_DESCRIPTION = """\
Ask of each monitor what one in production should have, and say which level of maturity it has reached:
1 watched, 2 judged, 3 proven. Answers come from monitor files and from what the run store has kept.
"""


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    audit = commands.add_parser(
        "audit",
        help="what monitors still lack for production, and their level of maturity",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    audit.add_argument("monitor", metavar="MONITOR", nargs="?", help="default: every monitor")
    audit.add_argument("-o", "--output", metavar="PAGE", type=Path, help="write it as a page, too")
    words = "the level that every monitor has to have, or the exit code is 1; default: 2"
    audit.add_argument("--level", type=int, choices=(0, 1, 2, 3), default=2, help=words)
    audit.set_defaults(command=_audit)


def _audit(options: argparse.Namespace) -> int:
    from pipeline.publish.pages import audit_page
    from pipeline.steps.auditing import audit

    now = datetime.now(UTC)
    asked = workspaces(options.monitor)
    found = [audit(workspace, now) for workspace in asked]
    print("\n".join(line for one in found for line in _lines(one)))
    if options.output is not None:
        write_text(options.output, audit_page(found, now, asked[0].settings.environment).decode())
    return ExitCode.SOUND if all(one.level >= options.level for one in found) else ExitCode.UNEXPECTED


def _lines(found: Audit) -> list[str]:
    lines = [f"{found.monitor.name}: {found.words}"]
    for answer in found.answers:
        mark, advice = "yes" if answer.passed else "no", "" if answer.passed else f"; to do: {answer.advice}"
        lines.append(f"  {answer.level}  {mark:<3}  {answer.question} {answer.words}{advice}")
    return lines
