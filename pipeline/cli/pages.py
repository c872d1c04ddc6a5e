"""`site` and `serve`: the pages of the run store."""

from __future__ import annotations

import argparse
import os

from pipeline.cli.options import Commands
from pipeline.config import load_settings


def add(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add the commands."""
    site = commands.add_parser("site", help="write every page again from the run store")
    site.set_defaults(command=_site)

    serve = commands.add_parser("serve", help="show the pages of a local run store on this machine")
    serve.add_argument("--port", type=int, default=8000, help="default: 8000; 0 takes a free one")
    serve.set_defaults(command=_serve)


def _site(_: argparse.Namespace) -> int:
    from pipeline.steps.pages import rebuild

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
