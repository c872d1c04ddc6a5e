"""The way to a Pushgateway."""

from __future__ import annotations

import base64
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from pipeline.errors import ConfigError, OutletRefused, OutletUnavailable
from pipeline.storage.retries import with_retries
from pipeline.wording import clip

JOB = "nightjar"
TIMEOUT_SECONDS = 20.0
_TRY_AGAIN = (408, 425, 429)
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def send(method: str, text: bytes, group: str, gateway_url: str, sleep: Callable[[float], None]) -> None:
    """Send gauges to a group of the job: PUT replaces the whole group, POST the gauges of the same names.

    Args:
        group: the rest of the grouping key, as in `monitor/churn`.

    The other arguments and the errors are those of `push`.
    """
    parts = _split(gateway_url)
    address = _without_credentials(parts)
    url = f"{address.rstrip('/')}/metrics/job/{JOB}/{group}"
    request = urllib.request.Request(url, data=text, method=method)  # noqa: S310  (Settings allows http and https)
    request.add_header("Content-Type", _CONTENT_TYPE)
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    with_retries(sleep)(_send_once, request, address)


def _send_once(request: urllib.request.Request, address: str) -> None:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            answer.read()
    except urllib.error.HTTPError as error:
        with error:
            said = clip(error.read(500).decode("utf-8", "replace").strip(), 300)
        if error.code >= 500 or error.code in _TRY_AGAIN:
            raise OutletUnavailable(
                f"the Pushgateway at {address} answered {error.code} ({said}): see its log; the gauges are not lost, "
                "run the step again"
            ) from None
        raise OutletRefused(
            f"the Pushgateway at {address} refused the gauges with {error.code} ({said}): "
            "check PIPELINE_PUSHGATEWAY_URL and its credentials"
        ) from None
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise OutletUnavailable(
            f"the Pushgateway at {address} cannot be reached ({reason or type(error).__name__}): "
            "check that it runs and PIPELINE_PUSHGATEWAY_URL"
        ) from None


def _split(gateway_url: str) -> SplitResult:
    """The address in parts; what is wrong with it is not repeated, as it may hold a piece of the password."""
    try:
        parts = urlsplit(gateway_url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(
            [
                "PIPELINE_PUSHGATEWAY_URL: found no host and port in it; allowed: http://user:password@host:9091, "
                "with special characters in user and password percent-encoded"
            ]
        )
    return parts


def _without_credentials(parts: SplitResult) -> str:
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
