"""The way to a server that takes OpenLineage events. Its variables are OpenLineage's own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError, OutletRefused, OutletUnavailable
from pipeline.storage import addresses
from pipeline.storage.causes import certificate_advice, distrusted, no_answer
from pipeline.storage.patience import outlet
from pipeline.storage.retries import with_retries, worth_another_try

if TYPE_CHECKING:
    from openlineage.client.transport.http import HttpTransport

URL, ENDPOINT, KEY = "OPENLINEAGE_URL", "OPENLINEAGE_ENDPOINT", "OPENLINEAGE_API_KEY"
TIMEOUT_SECONDS = 20.0
_CREDENTIALS = f"check {KEY}"
_ADVICE = {401: _CREDENTIALS, 403: _CREDENTIALS, 404: f"check {URL} and {ENDPOINT}", 422: "see its log"}


def is_wanted() -> bool:
    """Whether somebody wants events."""
    return bool(os.environ.get(URL)) and os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() != "true"


def shown() -> str:
    """The server's address as it may be shown.

    Raises:
        ConfigError: the variable holds no address of a server.
    """
    found = addresses.parse(os.environ[URL].strip())
    if found is None or found.scheme not in ("http", "https"):
        raise ConfigError([f"{URL}: found no http or https address with a host in it; allowed: http://lineage:5000"])
    return found.shown


def send(events: Sequence[dict[str, Any]], sleep: Callable[[float], None] = time.sleep) -> str:
    """Send events in their order; says where to.

    Raises:
        ConfigError: `OPENLINEAGE_URL` holds no address of a server.
        OutletUnavailable: the server does not answer, or is in trouble.
        OutletRefused: it does not accept them, or the library is not installed.
    """
    place = f"the lineage server at {shown()}"
    with outlet(place):
        transport = _transport()
        try:
            for event in events:
                with_retries(sleep)(_send_once, transport, event, place)
        finally:
            transport.close()
    return f"sent to {shown()}"


def ask() -> None:
    """See that the server answers, whatever it says to whoever sends no event.

    Raises:
        ConfigError, OutletUnavailable, OutletRefused: as for `send`.
    """
    place = f"the lineage server at {shown()}"
    with outlet(place):
        transport = _transport()
        try:
            transport.session.get(transport.url, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True).close()
        except OSError as error:  # so are those of requests
            raise _unanswered(error, place) from None
        finally:
            transport.close()


def _transport() -> HttpTransport:
    """The library's own, but it asks once: how often and how long is asked is decided in one place for all outlets."""
    try:
        from openlineage.client.transport.http import HttpConfig, HttpTransport
    except ImportError:
        words = f"{URL} is set, but openlineage-python is not installed: install Nightjar with its extra 'lineage'"
        raise OutletRefused(words) from None
    from requests import Session

    session = Session()
    session.max_redirects = 0  # events go to the address that was configured, and to no other
    key = os.environ.get(KEY)
    config = HttpConfig.from_dict(
        {
            "url": os.environ[URL],
            "endpoint": os.environ.get(ENDPOINT) or "api/v1/lineage",
            "timeout": TIMEOUT_SECONDS,
            "auth": {"type": "api_key", "apiKey": key} if key else {},
            "session": session,
            "retry": {"total": 0, "connect": 0, "read": 0, "status_forcelist": []},
        }
    )
    return HttpTransport(config)


def _send_once(transport: HttpTransport, event: dict[str, Any], place: str) -> None:
    from requests import HTTPError, TooManyRedirects

    try:
        transport.emit(event)  # type: ignore[arg-type]  # it writes whatever JSON can hold
    except HTTPError as error:
        status = 0 if error.response is None else error.response.status_code
        if worth_another_try(status):
            raise OutletUnavailable(f"{place} answered {status}: see its log, and deliver the night again") from None
        raise OutletRefused(f"{place} refused the event with {status}: {_ADVICE.get(status, f'check {URL}')}") from None
    except TooManyRedirects:
        raise OutletRefused(f"{place} sends events on to another address: put that one in {URL}") from None
    except OSError as error:  # so are those of requests
        raise _unanswered(error, place) from None


def _unanswered(error: OSError, place: str) -> OutletRefused | OutletUnavailable:
    distrust = distrusted(error)
    if distrust is not None:
        return OutletRefused(f"{place}: {distrust}; {certificate_advice('REQUESTS_CA_BUNDLE')}")
    words = no_answer(error, URL) or f"check that it runs, and {URL}"
    return OutletUnavailable(f"{place} cannot be reached: {words}")
