"""Tells serving that the champion changed: a webhook, a callable, or both, as `retrain.after_promotion` says."""

from __future__ import annotations

import importlib
import logging
import os

from pipeline.config.home import make_importable
from pipeline.config.retrain_policy import AfterPromotion
from pipeline.errors import named, unspoken
from pipeline.results import AliasChange
from pipeline.storage.retries import ATTEMPTS, worth_another_try

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 10.0


def tell(policy: AfterPromotion, change: AliasChange) -> tuple[str | None, str | None]:
    """Call every hook; what was told, and what went wrong. A failed hook does not undo a promotion."""
    told, wrong = [], []
    for name, failure in ((policy.webhook, _post), (policy.call, _call)):
        if name is None:
            continue
        problem = failure(name, change)
        if problem is None:
            told.append(name)
        else:
            wrong.append(problem)
    return (f"told {' and '.join(told)}" if told else None), ("; ".join(wrong) or None)


def _post(variable: str, change: AliasChange) -> str | None:
    """POST the change as JSON. The URL may hold a token, so no message repeats it."""
    import requests
    from tenacity import (
        RetryError,
        Retrying,
        retry_if_exception_type,
        retry_if_result,
        stop_after_attempt,
        wait_random_exponential,
    )

    url = os.environ.get(variable)
    if not url:
        return f"the environment variable {variable} is not set, so its webhook was not called"
    retrying = Retrying(
        retry=retry_if_exception_type(requests.RequestException) | retry_if_result(worth_another_try),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.3, max=10),
    )

    def post() -> int:
        headers = {"Content-Type": "application/json"}
        # Nobody is sent on: the body is for the address that was configured, and for no other.
        response = requests.post(
            url, data=change.to_json(), headers=headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False
        )
        return int(response.status_code)

    try:
        code = retrying(post)
    except RetryError:
        return f"the webhook of {variable} did not answer"
    return None if code < 300 else f"the webhook of {variable} answered {code}"


def _call(name: str, change: AliasChange) -> str | None:
    module, _, function = name.partition(":")
    make_importable()
    try:
        getattr(importlib.import_module(module), function)(change)
    except Exception as error:
        log.error("%s failed", name, exc_info=unspoken(error))
        below = error.__traceback__.tb_next if error.__traceback__ else None  # in the hook, not here
        return f"{name} failed: {named(error.with_traceback(below))}"
    return None
