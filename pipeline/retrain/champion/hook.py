"""Tells serving that the champion changed: a webhook, a callable, or both, as `retrain.after_promotion` says."""

from __future__ import annotations

import importlib
import logging
import os
import time

from pipeline.config.home import make_importable
from pipeline.config.retrain_policy import AfterPromotion
from pipeline.errors import OutletUnavailable, named, unspoken
from pipeline.results import AliasChange
from pipeline.storage.patience import outlet
from pipeline.storage.retries import with_retries, worth_another_try

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
    url = os.environ.get(variable)
    if not url:
        return f"the environment variable {variable} is not set, so its webhook was not called"
    what = f"the webhook of {variable}"
    try:
        with outlet(what):
            code = with_retries(time.sleep)(_post_once, url, change, what)
    except OutletUnavailable as error:
        return str(error)
    return None if code < 300 else f"{what} answered {code}"


def _post_once(url: str, change: AliasChange, what: str) -> int:
    """The status of the answer. Nobody is sent on: the body is for the address that was configured, and no other."""
    import requests

    headers = {"Content-Type": "application/json"}
    try:
        answer = requests.post(
            url, data=change.to_json(), headers=headers, timeout=_TIMEOUT_SECONDS, allow_redirects=False
        )
    except requests.RequestException:
        raise OutletUnavailable(f"{what} did not answer") from None
    if worth_another_try(answer.status_code):
        raise OutletUnavailable(f"{what} answered {answer.status_code}")
    return int(answer.status_code)


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
