"""Libraries that would start a thread for each core: nights run side by side, and waiting burns cores.

On two cores, columns together of 1,000,000 rows x 30 take as long on one thread as on two, and a third less CPU time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def on_one_thread(function: Callable[P, T]) -> Callable[P, T]:
    """Has trees and linear algebra inside of a function work on its own thread alone."""

    @wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> T:
        import sklearn.ensemble  # noqa: F401 - only what is loaded can be told
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return function(*args, **kwargs)

    return alone
