"""What a line of the log is about: the monitor, the date, the step. It holds in every thread that works on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from types import MappingProxyType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about", default=MappingProxyType({}))


@contextmanager
def about(**fields: str) -> Iterator[None]:
    """Add fields to every line that is logged inside, such as `monitor="churn"`; never a value from data."""
    token = _ABOUT.set({**_ABOUT.get(), **fields})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def fields() -> Mapping[str, str]:
    """What is being worked on here."""
    return _ABOUT.get()


class Pool(ThreadPoolExecutor):
    """Threads that know what they work on. Python's own start without."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `ThreadPoolExecutor.submit`, and so `map`."""
        return super().submit(copy_context().run, partial(fn, *args, **kwargs))


def beside(work: Callable[P, None], /, *args: P.args, **kwargs: P.kwargs) -> threading.Thread:
    """A thread, started, that knows what it works on and ends with the process."""
    thread = threading.Thread(target=copy_context().run, args=(work, *args), kwargs=kwargs, daemon=True)
    thread.start()
    return thread
