"""Steps are named in every line that they log."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from pipeline.log_context import about
from pipeline.steps.night import Night, Workspace

P = ParamSpec("P")
T = TypeVar("T")
W = TypeVar("W", bound=Workspace)


def step(work: Callable[Concatenate[W, P], T]) -> Callable[Concatenate[W, P], T]:
    """A step of a night, or of a monitor as a whole, whose lines say so."""

    @wraps(work)
    def named(workspace: W, /, *args: P.args, **kwargs: P.kwargs) -> T:
        day = {"date": workspace.run_date.isoformat()} if isinstance(workspace, Night) else {}
        with about(monitor=workspace.name, step=work.__name__, **day):
            return work(workspace, *args, **kwargs)

    return named
