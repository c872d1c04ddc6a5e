"""One broken part takes no other down: it is logged, named where people look, and the rest of the night goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.errors import ExitCode, NightjarError, ResultMissing, SnapshotChanged, Unexpected, named, unspoken
from pipeline.results import Failure

T = TypeVar("T")
log = logging.getLogger(__name__)


def attempt(part: str, work: Callable[[], T], instead: Callable[[Failure], T]) -> T:
    """The result of some work, or what stands in for it when it breaks.

    Args:
        part: what the work is, for people.
        work: the work.
        instead: makes a result that says so.

    Raises:
        NightjarError: trying again may help, or the work is about data that is gone: nothing may stand in for it then.
    """
    try:
        return work()
    except Exception as error:
        if isinstance(error, NightjarError) and (error.retryable or isinstance(error, ResultMissing | SnapshotChanged)):
            raise
        log.error("%s: %s", part, named(error), exc_info=unspoken(error))
        return instead(failure_of(part, error))


@contextmanager
def foreseen(part: str) -> Iterator[None]:
    """A block out of which only errors of ours come: what nobody foresaw becomes `Unexpected`, its words in the log.

    Args:
        part: what the block is, for people.

    Raises:
        NightjarError: the block did, or anything else.
    """
    try:
        yield
    except NightjarError:
        raise
    except Exception as error:
        log.error("%s: %s", part, named(error), exc_info=unspoken(error))
        raise Unexpected(part, error) from unspoken(error)


def failure_of(part: str, error: Exception) -> Failure:
    """An error as a result: ours with their words, of others type and place."""
    code = error.exit_code if isinstance(error, NightjarError) else ExitCode.UNEXPECTED
    return Failure(part=part, error=named(error), exit_code=code)


@dataclass
class Mishaps:
    """The parts of some work that broke, in order."""

    failures: list[Failure] = field(default_factory=list)

    def attempt(self, part: str, work: Callable[[], T]) -> T | None:
        """The result of some work, None when it broke; see `attempt`."""
        return attempt(part, work, self._note)

    def _note(self, failure: Failure) -> None:
        self.failures.append(failure)
