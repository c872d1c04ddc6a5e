"""The way to a Pushgateway."""

from __future__ import annotations

import base64
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException

from pipeline.errors import ConfigError, OutletRefused, OutletUnavailable
from pipeline.storage import addresses
from pipeline.storage.addresses import Address
from pipeline.storage.retries import with_retries, worth_another_try
from pipeline.wording import clip

JOB = "nightjar"
TIMEOUT_SECONDS = 20.0
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def send(method: str, text: bytes, group: str, gateway_url: str, sleep: Callable[[float], None]) -> None:
    """Send gauges to a group of the job: PUT replaces the whole group, POST the gauges of the same names.

    Args:
        group: the rest of the grouping key, as in `monitor/churn`.

    The other arguments and the errors are those of `push`.
    """
    gateway = _address(gateway_url)
    url = f"{gateway.shown.rstrip('/')}/metrics/job/{JOB}/{group}"
    request = urllib.request.Request(url, data=text, method=method)  # noqa: S310  (Settings allows http and https)
    request.add_header("Content-Type", _CONTENT_TYPE)
    if gateway.user is not None:
        pair = f"{gateway.user}:{gateway.password}"
        request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    with_retries(sleep)(_send_once, request, gateway.shown)


def _send_once(request: urllib.request.Request, address: str) -> None:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            answer.read()
    except urllib.error.HTTPError as error:
        with error:
            said = clip(error.read(500).decode("utf-8", "replace").strip(), 300)
        if worth_another_try(error.code):
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


def _address(gateway_url: str) -> Address:
    found = addresses.parse(gateway_url)
    if found is None:
        raise ConfigError(
            [
                (
                    "PIPELINE_PUSHGATEWAY_URL: found no host and port in it; allowed: http://user:password@host:9091, "
                    "with special characters in user and password percent-encoded"
                )
            ]
        )
    return found
