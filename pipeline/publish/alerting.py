"""Prometheus and Alertmanager, asked what rings and who was told. Nothing is told to them."""

from __future__ import annotations

import base64
import re
import urllib.request
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import yaml

from pipeline.errors import ConfigError, OutletUnavailable
from pipeline.storage import addresses
from pipeline.storage.answers import answer_to, json_of
from pipeline.storage.patience import outlet

_SENT = re.compile(
    r'^alertmanager_notifications_(failed_)?total\{[^}]*\bintegration="(\w+)"[^}]*\} (\S+)$', re.MULTILINE
)


@dataclass(frozen=True)
class Service:
    """A service that is asked over HTTP. `url` may hold user and password; `variable` is where it stands."""

    name: str
    variable: str
    url: str

    def ask(self, path: str) -> bytes:
        """What it answers to a path.

        Raises:
            ConfigError: the variable has no address.
            OutletUnavailable, OutletRefused: see `answer_to`.
        """
        address = addresses.parse(self.url)
        if address is None:
            raise ConfigError(
                [f"{self.variable}: found no host and port in it; allowed: http://user:password@host:9090"]
            )
        request = urllib.request.Request(address.shown.rstrip("/") + path)  # noqa: S310 - settings allow http and https
        if address.user is not None:
            pair = f"{address.user}:{address.password}".encode()
            request.add_header("Authorization", "Basic " + base64.b64encode(pair).decode())
        place = f"{self.name} at {address.shown}"
        with outlet(place):
            return answer_to(request, place, self.variable, f"check user and password in {self.variable}")

    def ask_json(self, path: str) -> Any:
        """The same as JSON."""
        return json_of(self.ask(path), self.name, self.variable)


def value(prometheus: Service, promql: str) -> float | None:
    """The first value of an expression now; None where it gives nothing.

    Raises:
        OutletUnavailable, OutletRefused: see `Service.ask`; also where something else answers.
    """
    answer = prometheus.ask_json(f"/api/v1/query?query={quote(promql)}")
    try:
        found = answer["data"]["result"]
        return float(found[0]["value"][1]) if found else None
    except (KeyError, IndexError, TypeError, ValueError):
        raise _something_else(prometheus) from None


@dataclass(frozen=True)
class Heard:
    """An alert that Alertmanager has: to whom it goes, and what keeps it from them."""

    receivers: tuple[str, ...]
    kept_back: str | None


def heard(alertmanager: Service, alert: str, monitor: str, environment: str | None) -> Heard | None:
    """An alert of a monitor of an installation as Alertmanager has it; None where it has not heard of it.

    Raises:
        OutletUnavailable, OutletRefused: see `value`.
    """
    names = {"alertname": alert, "monitor": monitor, "environment": environment or ""}
    wanted = (f'{label}="{name}"' for label, name in names.items())  # names of ours, which need no escape
    matching = "&".join(f"filter={quote(matcher)}" for matcher in wanted)
    found = alertmanager.ask_json(f"/api/v2/alerts?{matching}")
    try:
        if not found:
            return None
        status = found[0]["status"]
        silenced = f"a silence ({', '.join(status['silencedBy'])})" if status["silencedBy"] else None
        inhibited = "another alert, which explains it" if status["inhibitedBy"] else None
        return Heard(tuple(item["name"] for item in found[0]["receivers"]), silenced or inhibited)
    except (KeyError, IndexError, TypeError):
        raise _something_else(alertmanager) from None


def ways_of(alertmanager: Service, receivers: Collection[str]) -> set[str]:
    """By which integrations receivers are told, such as `email`.

    Raises:
        OutletUnavailable, OutletRefused: see `value`.
    """
    status = alertmanager.ask_json("/api/v2/status")
    try:
        config = yaml.safe_load(status["config"]["original"])
        chosen = [item for item in config["receivers"] if item["name"] in receivers]
    except (KeyError, TypeError, yaml.YAMLError):
        raise _something_else(alertmanager) from None
    return {key.removesuffix("_configs") for item in chosen for key, value in item.items() if value and key != "name"}


def sent(alertmanager: Service) -> Counter[str]:
    """How many notifications have reached their servers since Alertmanager started, by integration.

    Raises:
        OutletUnavailable, OutletRefused: see `value`.
    """
    found: Counter[str] = Counter()
    for failed, integration, number in _SENT.findall(alertmanager.ask("/metrics").decode("utf-8", "replace")):
        found[integration] += int(float(number)) * (-1 if failed else 1)
    return found


def _something_else(service: Service) -> OutletUnavailable:
    return OutletUnavailable(f"{service.name} answers something else: check {service.variable}")
