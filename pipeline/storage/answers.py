"""What a service answers over HTTP, and in words of ours why it does not."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Container
from http.client import HTTPException
from typing import Any

from pipeline.errors import OutletRefused, OutletUnavailable
from pipeline.storage.causes import certificate_advice, distrusted, no_answer

_ANSWER_SECONDS = 10.0
_DENIED = (401, 403)


def answer_to(
    request: urllib.request.Request, place: str, variable: str, login: str, denied: Container[int] = _DENIED
) -> bytes:
    """The body of an answer.

    Args:
        request: http or https only.
        place: the service and its address without secrets, such as `Prometheus at http://prometheus:9090`.
        variable: that has its address.
        login: what to do where it wants another login.
        denied: the codes by which it says so.

    Raises:
        OutletUnavailable: no answer, or that of a service in trouble.
        OutletRefused: it wants another login, or its certificate is not trusted.
    """
    try:
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - see above
            body: bytes = answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in denied:
            raise OutletRefused(f"{place} wants a login ({error.code}): {login}") from None
        raise OutletUnavailable(f"{place} answered {error.code}: see its log, and check {variable}") from None
    except (OSError, HTTPException) as error:
        distrust = distrusted(error)
        if distrust is not None:
            raise OutletRefused(f"{place}: {distrust}; {certificate_advice('SSL_CERT_FILE')}") from None
        words = no_answer(error, variable) or f"check that it runs and {variable}"
        raise OutletUnavailable(f"{place} cannot be reached: {words}") from None
    return body


def json_of(body: bytes, place: str, variable: str) -> Any:
    """An answer as JSON.

    Raises:
        OutletUnavailable: it is none, so something else answers there.
    """
    try:
        return json.loads(body)
    except ValueError:
        raise OutletUnavailable(f"{place} answers no JSON: check {variable}") from None
