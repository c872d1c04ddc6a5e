"""The command line: `python -m pipeline`."""

from pipeline.cli.commands import main

__all__ = ["main"]
