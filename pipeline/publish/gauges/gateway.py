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
from pipeline.storage.causes import certificate_advice, distrusted, no_answer
from pipeline.storage.patience import outlet
from pipeline.storage.retries import with_retries, worth_another_try
from pipeline.wording import clip

JOB = "nightjar"
TIMEOUT_SECONDS = 20.0
_CREDENTIALS = "check user and password in PIPELINE_PUSHGATEWAY_URL"
_ADVICE = {
    400: "see its log for what it does not take",
    401: _CREDENTIALS,
    403: _CREDENTIALS,
    407: "a proxy asks for a login: check HTTP_PROXY, HTTPS_PROXY and NO_PROXY",
    413: "let it, or the proxy before it, take larger requests",
}
_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def group_of(monitor: str = "", *, flow: str = "", environment: str | None = None) -> str:
    """The rest of a grouping key, such as `monitor/churn/flow/probation/environment/staging`.

    Args:
        monitor: none for the group of all monitors.
        flow: of a group beside that of a monitor's nights.
        environment: the name of the installation, which keeps two on one gateway apart.
    """
    parts = {"monitor": monitor, "flow": flow, "environment": environment}
    return "/".join(f"{label}/{value}" for label, value in parts.items() if value)


def send(method: str, text: bytes, group: str, gateway_url: str, sleep: Callable[[float], None]) -> None:
    """Send gauges to a group of the job: PUT replaces the whole group, POST the gauges of the same names.

    Args:
        group: what `group_of` gives.

    The other arguments and the errors are those of `push`.
    """
    gateway = _address(gateway_url)
    url = f"{gateway.shown.rstrip('/')}/metrics/job/{JOB}/{group}"
    request = urllib.request.Request(url, data=text, method=method)  # noqa: S310  (Settings allows http and https)
    request.add_header("Content-Type", _CONTENT_TYPE)
    if gateway.user is not None:
        pair = f"{gateway.user}:{gateway.password}"
        request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    with outlet(f"the Pushgateway at {gateway.shown}"):
        with_retries(sleep)(_send_once, request, gateway.shown)


def _send_once(request: urllib.request.Request, address: str) -> None:
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            answer.read()
    except urllib.error.HTTPError as error:
        with error:
            said = clip(error.read(500).decode("utf-8", "replace").strip(), 300)
        place, answered = f"the Pushgateway at {address}", f"{error.code} ({said})"
        if worth_another_try(error.code):
            advice = "see its log; the gauges are not lost, run the step again"
            raise OutletUnavailable(f"{place} answered {answered}: {advice}") from None
        advice = _ADVICE.get(error.code, "check PIPELINE_PUSHGATEWAY_URL")
        raise OutletRefused(f"{place} refused the gauges with {answered}: {advice}") from None
    except (OSError, HTTPException) as error:
        distrust = distrusted(error)
        if distrust is not None:
            advice = certificate_advice("SSL_CERT_FILE")
            raise OutletRefused(f"the Pushgateway at {address}: {distrust}; {advice}") from None
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        words = no_answer(error, "PIPELINE_PUSHGATEWAY_URL")
        words = words or f"{reason or type(error).__name__}; check that it runs and PIPELINE_PUSHGATEWAY_URL"
        raise OutletUnavailable(f"the Pushgateway at {address} cannot be reached: {words}") from None


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
