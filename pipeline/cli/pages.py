"""`site`, `serve` and `report`: the pages of the run store."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pipeline.cli.options import Commands, add_monitor, run_date
from pipeline.config import load_settings
from pipeline.config.files import write_text
from pipeline.wording import size


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    site = commands.add_parser("site", help="write every page again from the run store")
    site.set_defaults(command=_site)

    serve = commands.add_parser("serve", help="show the pages of a local run store on this machine")
    serve.add_argument("--port", type=int, default=8000, help="default: 8000; 0 takes a free one")
    serve.set_defaults(command=_serve)

    report = commands.add_parser("report", help="where a night's drift report lies, or the report as one file")
    add_monitor(report)
    report.add_argument("date", metavar="DATE", type=run_date, help="the run date, YYYY-MM-DD")
    words = "write it with all that it needs into one file, to be sent or kept elsewhere"
    report.add_argument("--single-file", action="store_true", help=words)
    words = "that file; default: <monitor>-<date>.html in this folder"
    report.add_argument("-o", "--output", metavar="FILE", type=Path, help=words)
    report.set_defaults(command=_report)


def _site(_: argparse.Namespace) -> int:
    from pipeline.steps.rebuilding import rebuild

    rebuild(load_settings(os.environ), print)
    return 0


def _serve(options: argparse.Namespace) -> int:
    from pipeline.cli.page_server import LOOPBACK, server

    with server(load_settings(os.environ).store, options.port) as running:
        print(f"http://{LOOPBACK}:{running.server_port}/  (Ctrl-C ends)", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


def _report(options: argparse.Namespace) -> int:
    from pipeline.steps.night import open_night
    from pipeline.steps.reports import REPORT, single_file

    night = open_night(options.monitor, options.date)
    if not options.single_file and options.output is None:
        night.published()
        print(night.uri(REPORT))
        return 0
    content = single_file(night)
    path = options.output or Path(f"{night.name}-{night.run_date}.html")
    write_text(path, content.decode())
    print(f"{path}: {size(len(content))}")
    return 0
