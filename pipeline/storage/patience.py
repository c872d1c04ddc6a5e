"""How long outlets and storages are waited for: one place for all of them.

An outlet that kept a night waiting and did not answer is not waited for again in the same night: see `one_wait_each`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from pipeline.errors import OutletUnavailable, SourceUnavailable, StoreBusy
from pipeline.storage.time_limit import Limit, time_limit

OUTLET_SECONDS: Final = 180.0
"""For all that a night asks an outlet at once, tries again included; `PIPELINE_OUTLET_SECONDS` says otherwise."""
SNAPSHOT_SECONDS: Final = 10_800.0
"""For all of a snapshot that is brought from S3; `PIPELINE_SNAPSHOT_SECONDS` says otherwise."""
# Parts of an outlet's time.
WHOLE: Final = 1.0
SOME: Final = 1 / 3
"""For what a night needs from an outlet before it can go on: a minute."""
LITTLE: Final = 1 / 18
"""For what is shown and decides nothing: ten seconds."""
_SILENT: Final = 1 / 4
"""Who fails after so long is silent; what fails sooner is soon asked again."""


class _Patience:
    """What is set for this process, and which outlets were silent while somebody remembers it."""

    seconds = OUTLET_SECONDS
    snapshot_seconds = SNAPSHOT_SECONDS
    silent: dict[str, str] | None = None


def wait_at_most(seconds: float, snapshot_seconds: float | None = None) -> None:
    """From now on an outlet has so many seconds in this process, and a snapshot so many; None for as many as before."""
    _Patience.seconds = seconds
    if snapshot_seconds is not None:
        _Patience.snapshot_seconds = snapshot_seconds


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """A block in which an outlet has so many seconds, and as many as before after it."""
    before, _Patience.seconds = _Patience.seconds, seconds
    try:
        yield
    finally:
        _Patience.seconds = before


@contextmanager
def one_wait_each() -> Iterator[None]:
    """A block, such as a night, in which a silent outlet is waited for once: who asks it again is told so at once."""
    before, _Patience.silent = _Patience.silent, {}
    try:
        yield
    finally:
        _Patience.silent = before


@contextmanager
def outlet(what: str, part: float = WHOLE) -> Iterator[Limit]:
    """A block that asks an outlet, and the limit that it has for all of it.

    Args:
        what: the outlet and where it is, such as `the Pushgateway at http://gateway:9091`.
        part: of the time that an outlet has.

    Raises:
        OutletUnavailable: it took longer, or was silent before in the same night.
    """
    silent, begun = _Patience.silent, time.monotonic()
    if silent is not None and what in silent:
        raise OutletUnavailable(f"{silent[what]}; so it is not asked again in this run")
    try:
        with time_limit(_Patience.seconds * part, what) as limit:
            yield limit
    except StoreBusy:
        raise
    except OutletUnavailable as error:
        if silent is not None and time.monotonic() - begun >= _Patience.seconds * _SILENT:
            silent[what] = str(error)
        raise


def snapshot(location: str) -> AbstractContextManager[Limit]:
    """A block that brings a snapshot from a storage, and the limit that it has for all of it.

    Raises:
        SourceUnavailable: it took longer.
    """
    what = f"fetching {location}"
    return time_limit(_Patience.snapshot_seconds, what, SourceUnavailable, "PIPELINE_SNAPSHOT_SECONDS")
