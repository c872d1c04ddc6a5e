"""What a running Airflow can be asked for, through its REST API. Standard library only."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import ProxyHandler, Request, build_opener

from pipeline.wording import count, seconds

POLL_SECONDS = 0.5
REQUEST_SECONDS = 60.0
ATTEMPTS = 5
REPORT_SECONDS = 10.0
PAGE = 100
TEXT_CHARACTERS = 3_000
FINISHED = ("success", "failed")

T = TypeVar("T")


class AirflowFailed(RuntimeError):
    """Airflow did not start, ended by itself or refused a request; the message holds what it said."""


class AirflowBusy(AirflowFailed):
    """Airflow did not answer, or could not at the moment."""


@dataclass(frozen=True)
class Run:
    """One run of a DAG. `state` is queued, running, success or failed."""

    dag_id: str
    run_id: str
    run_type: str
    state: str
    conf: Mapping[str, Any]


class AirflowClient:
    """Starts runs and reads what came of them.

    Args:
        progress: takes a line of text now and then while something is waited for.
    """

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._token = ""

    @property
    def url(self) -> str:
        """Where the web interface and the REST API are."""
        raise NotImplementedError

    def wait_for_dags(self, *dag_ids: str, timeout: float = 120.0) -> None:
        """Return once all these DAGs are known.

        Raises:
            AirflowFailed: a DAG file cannot be imported; with Airflow's own words.
            TimeoutError: a DAG did not appear.
        """

        def known() -> bool:
            self._require_imports()
            return all(self._find(f"/dags/{quote(dag_id)}") for dag_id in dag_ids)

        self._wait(known, f"the DAGs {', '.join(dag_ids)}", timeout)

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, run_id: str | None = None) -> str:
        """Start a manual run, as the form of the web interface does; its run id."""
        body: dict[str, Any] = {"logical_date": None, "conf": dict(conf or {})}
        if run_id is not None:
            body["dag_run_id"] = run_id
        return str(self._write("POST", f"/dags/{quote(dag_id)}/dagRuns", body)["dag_run_id"])

    def clear(self, dag_id: str, run_id: str, *task_ids: str) -> None:
        """Have a finished run, or some of its tasks and what follows them, done again."""
        body: dict[str, Any] = {"dry_run": False, "only_failed": False, "dag_run_id": run_id}
        if task_ids:
            body |= {"task_ids": list(task_ids), "include_downstream": True}
        self._write("POST", f"/dags/{quote(dag_id)}/clearTaskInstances", body)

    def set_paused(self, dag_id: str, paused: bool) -> None:
        """Pause a DAG or let it run again."""
        self._write("PATCH", f"/dags/{quote(dag_id)}?update_mask=is_paused", {"is_paused": paused})

    def wait_run(self, dag_id: str, run_id: str, timeout: float = 600.0) -> str:
        """Wait until a run has finished; `success` or `failed`."""
        self._wait(lambda: self.run(dag_id, run_id).state in FINISHED, f"the end of {dag_id} {run_id}", timeout)
        return self.run(dag_id, run_id).state

    def run(self, dag_id: str, run_id: str) -> Run:
        """One run as it is now."""
        return _run(self._get(f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}"))

    def list_runs(self, dag_id: str) -> list[Run]:
        """All runs of a DAG, in the order in which they were due."""
        return [_run(item) for item in self._get_all(f"/dags/{quote(dag_id)}/dagRuns", "dag_runs", "run_after")]

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str]:
        """The state of every task of a run, such as success, failed, upstream_failed or skipped."""
        return {item["task_id"]: item["state"] or "none" for item in self._task_instances(dag_id, run_id)}

    def task_tries(self, dag_id: str, run_id: str) -> dict[str, int]:
        """How often every task of a run was tried."""
        return {item["task_id"]: int(item["try_number"]) for item in self._task_instances(dag_id, run_id)}

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What a task of a run returned; None when it returned nothing."""
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}/taskInstances/{quote(task_id)}"
        found = self._find(f"{path}/xcomEntries/return_value?stringify=false")
        return found["value"] if found else None

    def asset_events(self, name: str) -> list[dict[str, Any]]:
        """What the events of an asset say, oldest first."""
        events = self._get_all("/assets/events", "asset_events", "timestamp")
        return [event["extra"] for event in events if event["name"] == name]

    def _get(self, path: str) -> Any:
        """Reading is safe to repeat, and SQLite may be locked by the scheduler for a moment."""
        return repeat(lambda: self._call("GET", path), lambda error: isinstance(error, AirflowBusy))

    def _write(self, method: str, path: str, body: Any) -> Any:
        """As `_get`, for a change: repeated only when the server answered that it made none."""
        return repeat(lambda: self._call(method, path, body), _was_refused)

    def _find(self, path: str) -> Any:
        """As `_get`, but None when there is no such thing."""
        try:
            return self._get(path)
        except AirflowFailed as error:
            if isinstance(error.__cause__, HTTPError) and error.__cause__.code == 404:
                return None
            raise

    def _get_all(self, path: str, key: str, order_by: str) -> list[Any]:
        found: list[Any] = []
        while True:
            query = urlencode({"limit": PAGE, "offset": len(found), "order_by": order_by})
            page = self._get(f"{path}?{query}")
            found += page[key]
            if not page[key] or len(found) >= page["total_entries"]:
                return found

    def _task_instances(self, dag_id: str, run_id: str) -> list[Any]:
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}/taskInstances"
        return self._get_all(path, "task_instances", "id")

    def _require_imports(self) -> None:
        errors = self._get("/importErrors")["import_errors"]
        if errors:
            story = "\n".join(f"{error['filename']}:\n{error['stack_trace']}" for error in errors)
            raise AirflowFailed(f"{count(len(errors), 'DAG file')} cannot be imported\n{story}")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the REST API; its JSON answer."""
        if not self._token:
            self._token = self._request("GET", "/auth/token")["access_token"]
        return self._request(method, f"/api/v2{path}", body)

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}{path}", data=data, headers=headers, method=method)
        try:  # never through a proxy of the environment: the server is on loopback
            with build_opener(ProxyHandler({})).open(request, timeout=REQUEST_SECONDS) as response:
                return json.load(response)
        except HTTPError as error:
            with error:
                text = error.read().decode(errors="replace")[:TEXT_CHARACTERS]
            kind = AirflowBusy if error.code >= 500 else AirflowFailed
            raise kind(f"{method} {path}: {error.code} {error.reason}\n{text}") from error
        except (OSError, HTTPException) as error:
            raise AirflowBusy(f"{method} {path}: {error}") from error

    def _wait(self, condition: Callable[[], bool], what: str, timeout: float) -> None:
        """Return once the condition holds; says every few seconds that it still waits."""
        start = reported = time.monotonic()
        while True:
            with suppress(AirflowBusy):
                if condition():
                    return
            self._require_alive()
            now = time.monotonic()
            if now - start > timeout:
                raise TimeoutError(f"waited {seconds(timeout)} for {what}")
            if now - reported > REPORT_SECONDS:
                reported = now
                self._progress(f"Airflow: waiting for {what} ({seconds(now - start)})")
            time.sleep(POLL_SECONDS)

    def _require_alive(self) -> None:
        """Raise AirflowFailed when there is nothing to wait for any more."""


def _run(item: Mapping[str, Any]) -> Run:
    return Run(item["dag_id"], item["dag_run_id"], item["run_type"], item["state"], item["conf"] or {})


def _was_refused(error: AirflowFailed) -> bool:
    """Whether the server answered with an error of its own: its transaction is undone. No answer says nothing."""
    return isinstance(error, AirflowBusy) and isinstance(error.__cause__, HTTPError)


def repeat(call: Callable[[], T], is_worth_it: Callable[[AirflowFailed], bool]) -> T:
    """What `call` returns, called again a moment later for each error that `is_worth_it`, a few times at most."""
    for _ in range(ATTEMPTS - 1):
        try:
            return call()
        except AirflowFailed as error:
            if not is_worth_it(error):
                raise
        time.sleep(POLL_SECONDS)
    return call()
