"""A program in a process of its own, which ends as soon as it is done.

A night imports four thousand modules. Python takes all of that apart as a process ends, object by object, and looks
through it for circles before: almost two seconds of CPU for memory that the system takes back anyway.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable, Mapping
from typing import NoReturn

_IMPORTED, _OBJECTS = 1_000_000, 50_000
"""New objects until Python looks for circles among them, by default each 700. Imports make most of a million that stay:
looking through them was a sixth of what a small night cost. Before the first look they are left alone; after it, looks
are rare."""


def run(program: Callable[[], int]) -> NoReturn:
    """Run a program, and end the process with the code that it returns.

    Call it before the program imports anything of weight: threads that it started are waited for, and what its
    libraries have to do at the end is done, as that is asked for later and so comes first. Where the program raises,
    all goes as ever.
    """
    gc.set_threshold(_IMPORTED, 20, 20)
    gc.callbacks.append(_after_imports)
    ended: list[int] = []
    atexit.register(_end, ended)
    ended.append(program())
    sys.exit(ended[0])


def _after_imports(phase: str, _: Mapping[str, int]) -> None:
    """Called by Python as it looks for circles."""
    if phase == "stop" and gc.get_threshold()[0] == _IMPORTED:
        gc.set_threshold(_OBJECTS, 20, 20)


def _end(ended: list[int]) -> None:
    if not ended:
        return
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # nobody reads it any more, or it is closed: Python says so
        return
    os._exit(ended[0])
