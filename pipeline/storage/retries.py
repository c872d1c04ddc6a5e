"""When an outlet is asked again: after which answers, how often, and how long is waited between."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import (
    Retrying,
    retry_if_exception_type,
    retry_if_not_exception_type,
    stop_after_attempt,
    wait_exponential,
)

from pipeline.errors import OutletUnavailable

ATTEMPTS = 4
_FIRST_SERVER_FAULT = 500
# Timed out, too early, too many requests, and what nginx notes when a client hung up.
_LATER = frozenset({408, 425, 429, 499})


def worth_another_try(status: int) -> bool:
    """Whether an HTTP status means "not now" rather than "no"."""
    return status >= _FIRST_SERVER_FAULT or status in _LATER


def with_retries(sleep: Callable[[float], None], but_not: type[OutletUnavailable] | tuple[()] = ()) -> Retrying:
    """Calls a function up to four times while it raises `OutletUnavailable`, waiting 1, 2 and 4 seconds between.

    `but_not`: a kind of it that ends the attempts at once.
    """
    return Retrying(
        retry=retry_if_exception_type(OutletUnavailable) & retry_if_not_exception_type(but_not),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=1, max=20),
        sleep=sleep,
        reraise=True,
    )
