"""`python -m pipeline`, and the command `nightjar`."""

from typing import NoReturn

from pipeline import own_process


def run() -> NoReturn:
    """Run the command that was typed, and end this process with its exit code."""
    own_process.run(_command)


def _command() -> int:
    from pipeline.cli import main

    return main()


if __name__ == "__main__":
    run()
