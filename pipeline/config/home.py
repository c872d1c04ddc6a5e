"""Where relative paths start: one folder, whoever runs, from wherever, however Nightjar was installed."""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path

from pipeline.errors import ConfigError

VARIABLE = "PIPELINE_HOME"
DEFAULT = Path("~/nightjar")
_PROJECT = "nightjar"
_ALLOWED = "allowed: an absolute path, or one that starts with '~/'"


def home() -> Path:
    """The folder of `.env` and of all relative paths: `PIPELINE_HOME`, else the checkout, else `~/nightjar`.

    Raises:
        ConfigError: the variable holds a relative path, which would start at the working directory.
    """
    named = os.environ.get(VARIABLE)
    if not named and (root := checkout()):
        return root
    try:
        path = Path(named or DEFAULT).expanduser()
    except RuntimeError as error:
        raise ConfigError([f"{VARIABLE}: found {named or 'nothing'!r} ({error}); {_ALLOWED}"]) from None
    if not path.is_absolute():
        raise ConfigError([f"{VARIABLE}: found {named!r}; {_ALLOWED}"])
    return path


def origin() -> str:
    """Why the home is where it is, for people."""
    if os.environ.get(VARIABLE):
        return f"as {VARIABLE} says"
    return "this checkout" if checkout() else f"the default; {VARIABLE} names another folder"


def checkout() -> Path | None:
    """The source tree that this code runs from; None where it is installed."""
    root = Path(__file__).resolve().parents[2]
    try:
        name = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["name"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return None
    return root if name == _PROJECT else None


def absolute(path: Path, start: Path) -> Path:
    """`~` is the user's own folder; anything else that is relative begins at `start`.

    Raises:
        ValueError: there is no such user.
    """
    try:
        return start / path.expanduser()
    except RuntimeError as error:
        raise ValueError(f"{_ALLOWED}, or relative to {VARIABLE} ({error})") from None


def make_importable() -> None:
    """Let trainers and hooks be modules in the home, after everything that is installed.

    `python -m` looks in the working directory, an installed command does not, and Airflow's workers run anywhere.
    """
    place = str(home())
    if place not in sys.path:
        sys.path.append(place)
