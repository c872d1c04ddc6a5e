"""When an outlet is asked again: after which answers, how often, and how long is waited between."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)
from tenacity.stop import stop_base

from pipeline.errors import OutletUnavailable
from pipeline.storage import time_limit

ATTEMPTS = 4
# Twice as many seconds each time, and up to one more: who was turned away together does not come back together.
PAUSES = wait_exponential(multiplier=1, max=20) + wait_random(0, 1)
_FIRST_SERVER_FAULT = 500
# Timed out, too early, too many requests, and what nginx notes when a client hung up.
_LATER = frozenset({408, 425, 429, 499})


def worth_another_try(status: int) -> bool:
    """Whether an HTTP status means "not now" rather than "no"."""
    return status >= _FIRST_SERVER_FAULT or status in _LATER


class _NoTime(stop_base):
    """Once the time for all of it is over."""

    def __call__(self, retry_state: RetryCallState) -> bool:
        return time_limit.over()


def with_retries(sleep: Callable[[float], None], but_not: type[OutletUnavailable] | tuple[()] = ()) -> Retrying:
    """Calls a function up to four times while it raises `OutletUnavailable`, with 1, 2 and 4 seconds and a bit between.

    It gives up sooner where the time for all of it is over, see `time_limit`.

    `but_not`: a kind of it that ends the attempts at once.
    """
    return Retrying(
        retry=retry_if_exception_type(OutletUnavailable) & retry_if_not_exception_type(but_not),
        stop=stop_after_attempt(ATTEMPTS) | _NoTime(),
        wait=PAUSES,
        sleep=sleep,
        reraise=True,
    )
