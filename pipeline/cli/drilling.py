"""`drill`: whether a fault in the data comes out where people are."""

from __future__ import annotations

import argparse

from pipeline.cli.options import Commands, add_monitor
from pipeline.errors import ExitCode

_DESCRIPTION = """\
Send planted faults through every part: rows of the reference with a column gone and others moved are a night of their
own, drill-MONITOR, whose gauges make an alert ring, which Alertmanager tells to people. Each part says what it saw. At
the end nothing is left but a record that `audit` reads. People do get a mail: it names drill-MONITOR.
"""


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the command."""
    drill = commands.add_parser(
        "drill",
        help="send planted faults through every part, and see that people are told",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_monitor(drill)
    words = "how many the fault may take from the gateway to people (default: 600)"
    drill.add_argument("--wait", type=_seconds, default=600, metavar="SECONDS", help=words)
    drill.set_defaults(command=_drill)


def _seconds(text: str) -> int:
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 86_400:
        return int(text)
    raise argparse.ArgumentTypeError(f"found {text!r}; allowed: seconds, 1 to 86400")


def _drill(options: argparse.Namespace) -> int:
    from pipeline.steps.drill import drill
    from pipeline.steps.night import open_workspace

    found = drill(open_workspace(options.monitor), lambda words: print(words, flush=True), options.wait)
    if found.missed is None:
        print(f"{options.monitor}: the drill is passed; whoever the mail names can say that it arrived")
        return ExitCode.SOUND
    print(f"{options.monitor}: the drill is not passed: {found.missed}")
    return ExitCode.UNEXPECTED
