"""DAGs that are paused or cannot be parsed, through Airflow's REST API. Nothing here imports Airflow."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from pipeline.config import Settings
from pipeline.config.environment import reveal
from pipeline.config.files import read_text
from pipeline.errors import ConfigError, OutletUnavailable
from pipeline.steps.doctor.finding import Finding
from pipeline.storage.answers import answer_to, json_of
from pipeline.storage.patience import outlet
from pipeline.wording import clip, count, listed

_OF_NIGHTJAR = "/api/v2/dags?tags=nightjar&limit=100&offset={}"
_ADDRESS, _LOGIN = "PIPELINE_AIRFLOW_URL or PIPELINE_AIRFLOW_API_URL", "PIPELINE_AIRFLOW_LOGIN"


def dags(settings: Settings) -> Iterator[Finding]:
    """Whether Airflow knows Nightjar's DAGs, runs them, and can read every file."""
    address = settings.airflow_api_url or settings.airflow_url
    if address is None:
        words = "PIPELINE_AIRFLOW_URL is not set: nobody looked whether DAGs are paused or cannot be parsed"
        yield Finding("Airflow", "not asked", words)
        return
    url = address.rstrip("/")
    with outlet(f"Airflow at {url}"):
        token = _token(url, _login(settings))
        errors = _part(_ask(f"{url}/api/v2/importErrors", token), "import_errors", url)
        known = _all(url, token)
    yield from judged(known, errors)


def _login(settings: Settings) -> str | None:
    """`user:password`, from the variable or from the file that it names.

    Raises:
        ConfigError: the file cannot be read.
    """
    if settings.airflow_login_file is None:
        return reveal(settings.airflow_login)
    try:
        return read_text(settings.airflow_login_file).strip()
    except (OSError, ValueError):
        allowed = "a text file with user:password that this user can read"
        raise ConfigError([f"PIPELINE_AIRFLOW_LOGIN_FILE: {settings.airflow_login_file}: allowed: {allowed}"]) from None


def judged(known: list[dict[str, Any]], errors: list[dict[str, Any]]) -> Iterator[Finding]:
    """What there is to say of DAGs and of files that cannot be parsed, as Airflow's REST API tells of them."""
    for error in errors:
        last = (str(error.get("stack_trace") or "").strip().splitlines() or ["no reason given"])[-1]
        words = f"{error.get('filename')} cannot be parsed, so its DAGs do not run: {clip(last, 200)}"
        yield Finding("Airflow", "wrong", words)
    paused = sorted(dag["dag_id"] for dag in known if dag["is_paused"])
    broken = sorted(dag["dag_id"] for dag in known if "broken-configuration" in {tag["name"] for tag in dag["tags"]})
    if paused:
        yield Finding("Airflow", "warning", f"paused: {listed(paused)}; `airflow dags unpause` lets them run")
    if broken:
        yield Finding("Airflow", "wrong", f"of a wrong monitor file: {listed(broken)}; `check` says what is wrong")
    if not known:
        words = "knows no DAG of Nightjar: see that its DAGs folder has the file that calls build_dags()"
        yield Finding("Airflow", "wrong", words)
    elif not (errors or paused or broken):
        yield Finding("Airflow", "ok", f"runs {count(len(known), 'DAG')} of Nightjar")


def _all(url: str, token: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = _ask(url + _OF_NIGHTJAR.format(len(found)), token)
        page = _part(answer, "dags", url)
        found += page
        if not page or len(found) >= answer.get("total_entries", 0):
            return found


def _part(answer: dict[str, Any], name: str, url: str) -> list[dict[str, Any]]:
    found = answer.get(name)
    if not isinstance(found, list):
        raise OutletUnavailable(f"Airflow at {url} answers something else: check {_ADDRESS}")
    return found


def _token(url: str, login: str | None) -> str:
    if login is None:
        return str(_ask(f"{url}/auth/token", "").get("access_token", ""))  # of an Airflow without accounts
    user, _, password = login.partition(":")
    body = json.dumps({"username": user, "password": password}).encode()
    return str(_ask(f"{url}/auth/token", "", body).get("access_token", ""))


def _ask(url: str, token: str, body: bytes | None = None) -> dict[str, Any]:
    """What Airflow answers.

    Raises:
        OutletUnavailable: no answer, or one that nobody can read.
        OutletRefused: it wants another login.
    """
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 - http and https only
    place = f"Airflow at {url.partition('/auth/')[0].partition('/api/')[0]}"
    login = f"set {_LOGIN} to user:password of one who may read DAGs"
    denied = range(400, 600) if "/auth/" in url else (401, 403)
    found = json_of(answer_to(request, place, _ADDRESS, login, denied), place, _ADDRESS)
    if not isinstance(found, dict):
        raise OutletUnavailable(f"{place} answers something else: check {_ADDRESS}")
    return found
