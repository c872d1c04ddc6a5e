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
from typing import NoReturn, TypeVar

R = TypeVar("R")

_IMPORTED, _OBJECTS = 1_000_000, 50_000
"""New objects until Python looks for circles among them, by default each 700. Imports make most of a million that stay:
looking through them was a sixth of what a small night cost. Before the first look they are left alone; after it, looks
are rare."""
_STACK_WORDS = 140_000


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
    ended.append(on_one_stack(program))
    sys.exit(ended[0])


def on_one_stack(work: Callable[[], R]) -> R:
    """What `work` returns, with a megabyte for all of its calls.

    Python keeps the frames of calls in pieces of 16 KB, each asked of the system and given back as calls pass its end.
    Where a loop happens to run there, each turn of it does so: 40,000 times in a small night, for a third of a second
    of CPU. A frame that does not fit into a piece gets one of its own, twice as large as it is or less; what it leaves
    is for the calls inside. So this one says that it needs much, and uses nothing of it.
    """
    return work()


on_one_stack.__code__ = on_one_stack.__code__.replace(co_stacksize=_STACK_WORDS)


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
